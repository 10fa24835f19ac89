"""The engine for a Ray cluster: the outcomes are those of the engine for local processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'crowdgym[ray]'")

from adding import Sum, outcomes

from crowdgym.common.errors import ConfigError, DataError
from crowdgym.execution.jobs import Outcome
from crowdgym.execution.ray_engine import MOST_LOSSES, RayEngine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine() -> Iterator[RayEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # the jobs are of this folder
        with RayEngine(2) as two:
            yield two


def test_the_outcome_of_a_job(engine: RayEngine) -> None:
    found = outcomes(engine, *map(Sum, range(6)))
    assert {number: outcome.values["sum"] for number, outcome in found.items()} == {n: n + 1 for n in range(6)}


@pytest.mark.parametrize(
    ("deed", "failure"),
    [
        ("fail", "it is no good"),
        ("leave", "it left the program with exit code 'enough'"),
        ("die", "its process ended"),
        ("sleep", "it took longer than the time limit of 2 s"),
    ],
)
def test_a_job_of_a_user_that_fails_does_not_stop_the_others(engine: RayEngine, deed: str, failure: str) -> None:
    found = outcomes(engine, Sum(1), Sum(2, deed, "theirs"), Sum(3), time_limit_s=2.0)
    assert found[2] == Outcome({}, failure, found[2].wall_s)
    assert [found[number].values["sum"] for number in (1, 3)] == [2, 4]


def test_a_job_of_our_own_whose_process_is_lost_is_played_again(engine: RayEngine, tmp_path: Path) -> None:
    found = outcomes(engine, Sum(1), Sum(2, "die", once=tmp_path / "died"), Sum(3))
    assert [found[number].values["sum"] for number in (1, 2, 3)] == [2, 3, 4]


def test_a_job_that_is_lost_every_time_is_an_error(engine: RayEngine) -> None:
    with pytest.raises(RuntimeError, match=f"a job was lost {MOST_LOSSES} times, at last because "):
        outcomes(engine, Sum(1, "die"))


def test_a_fault_of_the_program_is_no_failure(engine: RayEngine) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)a job raised an unexpected error:.*our own fault"):
        outcomes(engine, Sum(1, "break"))


def test_a_job_that_cannot_be_prepared_is_refused(engine: RayEngine) -> None:
    with pytest.raises(ConfigError, match="number must be less"):
        outcomes(engine, Sum(1, "ask too much"))


def test_jobs_of_different_groups_never_share_a_process(engine: RayEngine) -> None:
    jobs = [Sum(number, group=("", "a", "b")[number % 3]) for number in range(9)]
    found = outcomes(engine, *jobs)
    met: dict[object, set[str]] = {}
    for job in jobs:
        met.setdefault(found[job.number].values["process"], set()).add(job.group)
    assert all(len(group) == 1 for group in met.values())


def test_relative_paths_are_those_of_the_engine(
    engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that finds its file does nothing else."""
    monkeypatch.chdir(tmp_path)
    Path("here").touch()
    found = outcomes(engine, *(Sum(number, "fail", group=f"new {number}", once=Path("here")) for number in (1, 2, 3)))
    assert all(outcome.failure is None for outcome in found.values())


def test_a_node_with_other_data_is_refused(engine: RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADDING_DATA", "newer")  # here; the nodes of the cluster were started before
    with pytest.raises(DataError, match=r"the node \S+ has another data \(the same\) than this machine \(newer\)"):
        outcomes(engine, Sum(1))


def test_a_cluster_that_does_not_answer_is_named() -> None:
    with pytest.raises(ConfigError, match=r"there is no Ray cluster at .127\.0\.0\.1:1.: "):
        RayEngine(1, "127.0.0.1:1").__enter__()
