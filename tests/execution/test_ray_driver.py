"""What the engine for Ray does in its own process, with a Ray that `fake_ray` stands for."""

import pytest
from adding import Sum, outcomes
from fake_ray import FakeRay

from crowdgym.execution import ray_engine
from crowdgym.execution.jobs import Outcome
from crowdgym.execution.ray_engine import MOST_LOSSES, RayEngine


def cluster(monkeypatch: pytest.MonkeyPatch, **cores: int) -> FakeRay:
    fake = FakeRay(cores)
    monkeypatch.setattr(ray_engine, "_ray", lambda: fake)
    return fake


def sums(found: dict[int, Outcome]) -> dict[int, int]:
    return {number: outcome.values["sum"] for number, outcome in found.items()}


def test_all_cores_of_all_nodes_are_used_but_no_more_seats_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for num_seats, expected in ((None, ["a", "a", "b"]), (2, ["a", "b"])):
        fake = cluster(monkeypatch, a=2, b=1)
        found = outcomes(RayEngine(num_seats), *map(Sum, range(9)))
        assert sums(dict(found)) == {number: number + 1 for number in range(9)}
        assert sorted(actor.node for actor in fake.actors) == expected


def test_one_question_serves_all_seats_that_have_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 640 jobs has two answers. To ask for each of them alone would ask about 64 seats 1,280 times."""
    fake = cluster(monkeypatch, a=64)
    engine = RayEngine()
    outcomes(engine, Sum(0))  # the first job of a node is alone
    fake.asked = 0
    outcomes(engine, *map(Sum, range(640)))
    assert len(fake.actors) == 64
    assert fake.asked <= 2 * 2 * 640


def test_a_seat_that_has_no_answer_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = cluster(monkeypatch, a=4)
    fake.late = 1  # the last of several that are asked has no answer yet
    assert sums(dict(outcomes(RayEngine(), *map(Sum, range(12))))) == {number: number + 1 for number in range(12)}


def test_a_job_whose_actor_dies_is_executed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = cluster(monkeypatch, a=1)
    engine = RayEngine()
    outcomes(engine, Sum(0))
    fake.actors[0].lost = True
    assert sums(dict(outcomes(engine, Sum(1), Sum(2)))) == {1: 2, 2: 3}
    assert len(fake.actors) == 2


def test_a_job_that_is_lost_every_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = cluster(monkeypatch, a=1)
    monkeypatch.setattr(fake, "get", lambda answer: FakeRay.get(FakeRay({}), answer))
    with pytest.raises(RuntimeError, match=f"a job was lost {MOST_LOSSES} times, at last because the actor died"):
        outcomes(RayEngine(), Sum(1))
    assert len(fake.actors) == MOST_LOSSES


def test_a_cluster_without_a_node_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster(monkeypatch)
    with pytest.raises(RuntimeError, match="no node left"):
        outcomes(RayEngine(), Sum(1))
