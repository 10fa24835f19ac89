"""The engine for Slurm, with processes of this machine in the place of Slurm's: submitit runs both in the same way."""

from pathlib import Path

import pytest

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'crowdgym[slurm]'")

from adding import Sum, outcomes

from crowdgym.common.errors import ConfigError, DataError
from crowdgym.execution.jobs import Outcome
from crowdgym.execution.slurm_engine import MOST_LOSSES, SlurmEngine

pytestmark = pytest.mark.slow


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SlurmEngine:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # the jobs are of this folder
    return SlurmEngine(2, tmp_path / "slurm", cluster="local")


def test_the_outcomes_of_jobs_and_failures(engine: SlurmEngine) -> None:
    found = outcomes(engine, Sum(1), Sum(2, "fail", "theirs"), Sum(3, "die", "theirs"), *map(Sum, range(4, 10)))
    assert found[2] == Outcome({}, "it is no good", found[2].wall_s)
    assert found[3] == Outcome({}, "its process exited with code 7", found[3].wall_s)
    assert {n: found[n].values["sum"] for n in (1, *range(4, 10))} == {n: n + 1 for n in (1, *range(4, 10))}


def test_a_job_that_cannot_be_prepared_is_refused(engine: SlurmEngine) -> None:
    with pytest.raises(ConfigError, match="number must be less"):
        outcomes(engine, Sum(1, "ask too much"))


def test_a_fault_of_the_program_is_no_failure(engine: SlurmEngine) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)a job raised an unexpected error:.*our own fault"):
        outcomes(engine, Sum(1, "break"))


def test_a_slice_that_is_lost_every_time_is_an_error(engine: SlurmEngine) -> None:
    """The preparation ends the process that Slurm has started, as a machine that is switched off would."""
    with pytest.raises(RuntimeError, match=f"a job of Slurm was lost {MOST_LOSSES} times, at last because "):
        outcomes(engine, Sum(1, "die while preparing"))


def test_a_machine_with_other_data_is_refused(engine: SlurmEngine) -> None:
    with pytest.raises(DataError, match=r"the machine \S+ has another data \(newer\) than this machine \(the same\)"):
        outcomes(engine, Sum(1, "have other data"))


def test_without_slurm_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no Slurm on this machine: "):
        outcomes(SlurmEngine(2, tmp_path), Sum(1))
