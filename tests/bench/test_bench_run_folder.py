"""The lines of a run folder: what was damaged or edited is played again, with a word."""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from worlds.spoilt import EDITS, Edit, often, spoilt

from crowdgym.bench.benchmark import Benchmark, JobList, Report
from crowdgym.bench.run_folder import FILE_NAME, RUN_FORMAT, RUN_NAME, open_run, play_all, read_rows
from crowdgym.common.errors import ConfigError, DataWarning
from crowdgym.execution.jobs import JobKind, Outcome

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Square:
    """A job whose result is the square of its seed."""

    seed: int

    def parameters(self) -> dict[str, Any]:
        return {"scenario": "town", "seed": self.seed}

    def isolation_group(self) -> str:
        return ""


def square(job: Square) -> dict[str, Any]:
    return {"revenue": job.seed**2 + 0.1}


class Inline:
    """An engine that counts what it plays."""

    def __init__(self) -> None:
        self.played: list[int] = []

    def run(self, kind: JobKind[Any], jobs: Sequence[Any]) -> Iterator[tuple[Any, Outcome]]:
        for job in jobs:
            self.played.append(job.seed)
            yield job, Outcome(kind.run(job))


def benchmark(speed_mps: float = 8.0, run_format: int = RUN_FORMAT) -> Benchmark:
    provenance = {"format": run_format, "environment": "town_v0", "settings of town": {"speed_mps": speed_mps}}
    jobs = JobList(FILE_NAME, [Square(seed) for seed in range(4)], JobKind(square))
    return Benchmark("squares", (jobs,), provenance, (), "squares", lambda folder: Report((), (), (), ""))


def play(folder: Path, resume: bool = True) -> list[int]:
    """The seeds that are played."""
    engine = Inline()
    finished = open_run(folder, benchmark(), resume=resume)
    play_all(folder, benchmark(), engine, finished=finished, watch=lambda job, outcome: None)
    return engine.played


@pytest.fixture
def run(tmp_path: Path) -> Path:
    assert play(tmp_path, resume=False) == [0, 1, 2, 3]
    return tmp_path


def test_a_line_is_the_job_its_result_and_a_checksum(run: Path) -> None:
    rows = [json.loads(line) for line in (run / FILE_NAME).read_text().splitlines()]
    assert [list(row) for row in rows] == [["scenario", "seed", "revenue", "checksum"]] * 4
    assert len({row["checksum"] for row in rows}) == 4
    assert read_rows(run / FILE_NAME)[3] == {"scenario": "town", "seed": 3, "revenue": 9.1}
    assert play(run) == []


def second(change: Change) -> Change:
    """A change of the second line."""

    def changed(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join([lines[0], change(lines[1][:-1]) + b"\n", *lines[2:]])

    return changed


DAMAGED: dict[str, Change] = {
    "another result": second(lambda line: line.replace(b"1.1", b"9.9")),
    "another seed": second(lambda line: line.replace(b'"seed": 1', b'"seed": 77')),
    "a key more": second(lambda line: line.replace(b"{", b'{"score": 5, ', 1)),
    "a key twice": second(lambda line: line.replace(b"{", b'{"seed": 1, ', 1)),
    "no checksum": second(lambda line: line.partition(b', "checksum"')[0] + b"}"),
    "the checksum of another line": second(lambda line: line[:-5] + b'00"}'),
    "no UTF-8": second(lambda line: line.replace(b"town", b"t\xffwn")),
    "NaN": second(lambda line: line.replace(b"1.1", b"NaN")),
    "infinity": second(lambda line: line.replace(b"1.1", b"1e999")),
    "a huge number": second(lambda line: line.replace(b"1.1", b"9" * 5000)),
    "deep JSON": second(lambda line: line.replace(b"1.1", b"[" * 100_000 + b"]" * 100_000)),
    "deep brackets": second(lambda line: b"[" * 100_000),
    "a list": second(lambda line: b"[1]"),
    "a number": second(lambda line: b"1"),
    "null": second(lambda line: b"null"),
    "nothing": second(lambda line: b""),
    "a zero byte": second(lambda line: line.replace(b"town", b"to\0n")),
    "a line of another run": second(lambda line: b'{"scenario": "city", "seed": 1, "revenue": 1.1, "checksum": "00"}'),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_the_job_of_a_damaged_line_is_played_again_with_a_word(run: Path, damage: str) -> None:
    whole = (run / FILE_NAME).read_bytes()
    (run / FILE_NAME).write_bytes(DAMAGED[damage](whole))
    with pytest.warns(DataWarning, match=r"episodes\.jsonl, line 2: damaged or changed .*played again$"):
        assert play(run) == [1]
    assert (run / FILE_NAME).read_bytes() == whole


def test_several_damaged_lines_are_one_word(run: Path) -> None:
    whole = (run / FILE_NAME).read_bytes()
    (run / FILE_NAME).write_bytes(whole.replace(b".1", b".2"))
    with pytest.warns(DataWarning, match="line 1 and 3 more: damaged"):
        assert play(run) == [0, 1, 2, 3]


def test_half_a_line_at_the_end_is_no_damage_but_what_a_kill_leaves(run: Path) -> None:
    whole = (run / FILE_NAME).read_bytes()
    (run / FILE_NAME).write_bytes(whole[:-20])
    assert play(run) == [3]
    assert (run / FILE_NAME).read_bytes() == whole


def test_lines_of_other_settings_are_not_taken_even_if_the_run_file_is_edited(run: Path) -> None:
    (run / "run.json").write_text((run / "run.json").read_text().replace("8.0", "9.0"))
    with pytest.warns(DataWarning, match="line 1 and 3 more"):
        finished = open_run(run, benchmark(speed_mps=9.0), resume=True)
    assert finished == [{}]


@pytest.mark.parametrize("content", [b"\xff", b"[" * 100_000, b"[1]", b'{"format": NaN}', b"9" * 5000])
def test_a_damaged_run_file_is_one_sentence(run: Path, content: bytes) -> None:
    (run / "run.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.json is damaged; use another --out$"):
        play(run)


def test_a_run_of_an_older_format_is_refused(run: Path) -> None:
    (run / "run.json").write_text(json.dumps({**benchmark(run_format=2).provenance}))
    with pytest.raises(ConfigError, match="holds a run of another version of CrowdGym"):
        play(run)


@often(100)
@given(changes=EDITS)
def test_spoilt_lines_of_episodes_are_left_out_and_the_others_are_as_they_were(
    tmp_path: Path, changes: list[Edit]
) -> None:
    for file in (FILE_NAME, RUN_NAME):
        (tmp_path / file).unlink(missing_ok=True)
    play(tmp_path, resume=False)
    rows, content = read_rows(tmp_path / FILE_NAME), (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(spoilt(content, changes))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        (finished,) = open_run(tmp_path, benchmark(), resume=True)
        assert all(row in rows for row in finished.values())
        played = play(tmp_path)

    assert len(finished) + len(played) == len(rows)
    assert (tmp_path / FILE_NAME).read_bytes() == content


@often(60)
@given(changes=EDITS)
def test_a_spoilt_description_of_a_run(tmp_path: Path, changes: list[Edit]) -> None:
    for file in (FILE_NAME, RUN_NAME):
        (tmp_path / file).unlink(missing_ok=True)
    play(tmp_path, resume=False)
    content = (tmp_path / RUN_NAME).read_bytes()
    (tmp_path / RUN_NAME).write_bytes(spoilt(content, changes))
    try:
        assert play(tmp_path) == []
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017
