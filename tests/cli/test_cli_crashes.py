"""``run``, ``bench`` and ``train`` when the disk fails or the process dies, before every single file operation."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from common.file_faults import CRASH, DENIED, FULL, SHORT, CrashedError, file_faults
from typer.testing import CliRunner, Result

from crowdgym.bench.hooks import SuiteHook
from crowdgym.cli.main import app
from crowdgym.execution import engines
from crowdgym.execution.jobs import JobKind, Outcome

SHORT_EPISODE = ("--scenario", "tiny", "--set", "horizon_s=60", "--set", "num_workers=2", "--set", "num_tasks=2")
SUITE = """
about: for tests
environment: csc_v0
scenarios: [tiny]
settings: {horizon_s: 60.0, num_workers: 2}
grid: [{num_tasks: [2]}]
agents: [hold]
first_seed: 5
episodes: 2
metrics: [revenue]
share_of_bound: false
time_limit_s: 60
"""


def crowdgym(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def faulty(folder: Path, words: Sequence[object], fault: str, at: int) -> Result | None:
    """What a command says of a fault; None if it died. Where it failed it said one sentence, of the file or folder."""
    with file_faults(folder, fault, at):
        try:
            result = crowdgym(*words)
        except CrashedError:
            assert fault == CRASH
            return None
    assert result.exit_code in (0, 2), result.output
    if result.exit_code == 2:
        assert fault != SHORT
        said = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert len(said) == 1
        assert "Traceback" not in result.output
        assert "CROWDGYM_DATA" not in result.output
    return result


def count(folder: Path, words: Sequence[object]) -> int:
    with file_faults(folder) as faults:
        result = crowdgym(*words)
        assert result.exit_code == 0, result.output
    return len(faults.done)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# run


def judge_run(folder: Path, fault: str, **files: str) -> None:
    words = [*("run", "csc_v0", *SHORT_EPISODE)]
    for option, name in files.items():
        (folder / name).write_bytes(b"old")
        words += [f"--{option}", str(folder / name)]
    operations = count(folder, words)
    assert operations >= 6 * len(files)
    whole = contents(folder)
    for at in range(operations):
        for name in whole:
            (folder / name).write_bytes(b"old")
        result = faulty(folder, words, fault, at)
        there = {name: content for name, content in contents(folder).items() if name in whole}
        for name in there:
            if name == "a.json" and there[name] != b"old":  # the time that it took differs
                assert json.loads(there[name])["seed"] == 0
            else:
                assert there[name] in (b"old", whole[name])
        assert result is None or result.exit_code or b"old" not in there.values()
        assert crowdgym(*words).exit_code == 0
        assert set(contents(folder)) == set(whole)
        assert b"old" not in contents(folder).values()


def test_a_run_that_dies_leaves_old_or_new_files(tmp_path: Path) -> None:
    judge_run(tmp_path, CRASH, json="a.json", trace="a.trace")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [CRASH, FULL, DENIED, SHORT])
def test_a_run_whose_files_cannot_be_written_leaves_old_or_new_files(tmp_path: Path, fault: str) -> None:
    judge_run(tmp_path, fault, json="a.json", trace="a.trace", render="a.gif")


# bench


class Inline:
    """An engine that executes jobs in this process."""

    def __init__(self, num_processes: int) -> None:
        pass

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, kind: JobKind[Any], jobs: Sequence[Any]) -> Iterator[tuple[Any, Outcome]]:
        for job in jobs:
            kind.prepare(job)
            yield job, Outcome(kind.run(job))


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(engines, "ProcessEngine", Inline)
    monkeypatch.setattr(SuiteHook, "pictures", lambda self, table: dict.fromkeys(self.picture_names(table.suite), b"x"))
    (tmp_path / "mine.yaml").write_text(SUITE)
    return tmp_path / "mine.yaml"


def judge_bench(suite: Path, fault: str, every: int = 1) -> None:
    out = suite.parent / "out"
    words = ("bench", suite, "--out", out, "--traces")
    operations = count(out, words)
    assert operations >= 40
    whole = contents(out)
    for at in range(0, operations, every):
        shutil.rmtree(out, ignore_errors=True)
        result = faulty(out, words, fault, at)
        if result is not None and result.exit_code == 0:
            assert contents(out) == whole
        result = crowdgym(*words, "--resume")
        if result.exit_code:  # nothing but files that no run begins with
            assert "holds no run" in result.stderr
            assert not (out / "episodes.jsonl").exists()
            continue
        assert "damaged" not in result.stderr
        assert contents(out) == whole


def test_a_bench_that_dies_goes_on_to_the_same_files(suite: Path) -> None:
    judge_bench(suite, CRASH, every=5)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [CRASH, FULL, DENIED, SHORT])
def test_a_bench_whose_files_cannot_be_written_goes_on_to_the_same_files(suite: Path, fault: str) -> None:
    judge_bench(suite, fault)


# train


def judge_train(folder: Path, fault: str, every: int = 1) -> None:
    pytest.importorskip("torch", reason="the extra 'agents' is not installed")
    from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors

    def learnt(out: Path) -> dict[str, float]:
        return {name: float(tensor) for name, tensor in read_tensors(out / LAST).tensors.items()}

    def names(out: Path) -> set[str]:
        return {file.name for file in out.iterdir() if file.is_file()}

    def words(out: Path) -> tuple[object, ...]:
        return ("train", "toy_learner:LEARNER", "csc_v0", *SHORT_EPISODE, "--steps", 4, "--out", out)

    operations = count(folder / "whole", words(folder / "whole"))
    assert operations >= 30
    for at in range(0, operations, every):
        out = folder / str(at)
        faulty(out, words(out), fault, at)
        for file in (BEST, LAST):
            if (out / file).exists():
                read_tensors(out / file)
        result = crowdgym(*words(out), "--resume")
        assert result.exit_code == 0, result.output
        assert learnt(out) == learnt(folder / "whole")
        assert names(out) == names(folder / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [CRASH, FULL, DENIED, SHORT])
def test_a_training_that_fails_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "agents")
    judge_train(tmp_path, fault)


def test_logs_that_cannot_be_written_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the extra 'agents' is not installed")
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "agents")
    (tmp_path / "tensorboard").write_text("in the way")
    result = crowdgym("train", "toy_learner:LEARNER", "csc_v0", *SHORT_EPISODE, "--steps", 4, "--out", tmp_path)
    assert result.exit_code == 2
    said = f"error: cannot write {tmp_path / 'tensorboard'}: "
    assert len([line for line in result.stderr.splitlines() if line.startswith(said)]) == 1
    assert "Traceback" not in result.output
