"""The engine for Slurm through the commands of Slurm, which `fake_slurm` stands for."""

from pathlib import Path
from typing import Any

import pytest

submitit = pytest.importorskip("submitit", reason="submitit is not installed: pip install 'crowdgym[slurm]'")

import fake_slurm  # noqa: E402
from adding import Sum, outcomes  # noqa: E402

from crowdgym.common.errors import ConfigError  # noqa: E402
from crowdgym.execution.slurm_engine import MOST_LOSSES, SlurmEngine, minutes  # noqa: E402

pytestmark = pytest.mark.slow

LINES = {"#SBATCH --array=0-7%2", "#SBATCH --cpus-per-task=1", "#SBATCH --partition=cpu", "#SBATCH --time=60"}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Slurm whose commands are on PATH."""
    folder = tmp_path / "cluster"
    monkeypatch.setenv("PATH", str(fake_slurm.install(folder)), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # the jobs are of this folder
    monkeypatch.setattr(submitit.SlurmJob, "_results_timeout_s", 0)  # a result that is not there will not come
    return folder


def engine(folder: Path, **parameters: str) -> SlurmEngine:
    return SlurmEngine(2, folder / "slurm", {"partition": "cpu", "time": "60", **parameters})


def sums(found: Any) -> dict[int, int]:
    return {number: outcome.values["sum"] for number, outcome in found.items()}


def test_one_array_of_four_slices_for_each_seat(slurm: Path, tmp_path: Path) -> None:
    found = outcomes(engine(tmp_path), *map(Sum, range(16)))
    assert sums(found) == {number: number + 1 for number in range(16)}
    (script,) = fake_slurm.scripts(slurm)
    assert set(script.splitlines()) >= LINES
    assert list(fake_slurm.states(slurm)) == [f"100_{task}" for task in range(8)]


def test_a_slice_whose_node_fails_is_submitted_again(slurm: Path, tmp_path: Path) -> None:
    found = outcomes(engine(tmp_path), Sum(1), Sum(2, "die while preparing", once=tmp_path / "died"))
    assert sums(found) == {1: 2, 2: 3}
    assert len(fake_slurm.scripts(slurm)) == 2
    assert "NODE_FAIL" in fake_slurm.states(slurm).values()


def test_a_slice_whose_node_always_fails_is_an_error(slurm: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=f"a job of Slurm was lost {MOST_LOSSES} times, .*NODE_FAIL"):
        outcomes(engine(tmp_path), Sum(2, "die while preparing"))


@pytest.mark.parametrize("time", ["60", "1"], ids=["its node is given to another", "its time is over"])
def test_a_slice_that_is_told_to_end_goes_on_where_it_was(slurm: Path, tmp_path: Path, time: str) -> None:
    """Slurm sends a signal; submitit asks it to queue the same job again. Job 0 would succeed the second time."""
    before = Sum(0, "fail", once=tmp_path / "failed")
    told = Sum(1, "be told to end", once=tmp_path / "told")
    found = outcomes(engine(tmp_path, time=time), before, told, *map(Sum, range(2, 16)))
    assert found[0].failure == "it is no good"
    assert {number: found[number].values["sum"] for number in range(1, 16)} == {n: n + 1 for n in range(1, 16)}
    assert len(fake_slurm.scripts(slurm)) == 1


def test_a_slice_that_always_needs_more_time_says_so(slurm: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not finished after four time limits; give it more with --engine-arg time="):
        outcomes(engine(tmp_path, time="1"), Sum(2, "be told to end"))


def test_an_error_cancels_the_other_slices(slurm: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="number must be less"):
        outcomes(engine(tmp_path), Sum(1, "ask too much"), *(Sum(number, "sleep") for number in range(2, 9)))
    (refused, *others) = fake_slurm.states(slurm).items()
    assert refused[0] == "100_0"
    assert {state for _, state in others} == {"CANCELLED by 0"}


def test_a_parameter_that_sbatch_does_not_have(slurm: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Slurm does not take .*'colour'"):
        outcomes(engine(tmp_path, colour="red"), Sum(1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("1:30", 2), ("1:30:00", 90), ("2-0", 2880), ("1-12:30", 2190), ("0-1:00:01", 61)],
)
def test_time_limits_of_sbatch_in_minutes(text: str, expected: int) -> None:
    assert minutes(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "-5", "1-"])
def test_no_time_limit(text: str) -> None:
    with pytest.raises(ConfigError, match=f"time must be as sbatch takes it, .*, got '{text}'"):
        minutes(text)
