"""What the agent of a worker sees, by hand.

    0 --100 m-- 1 --100 m-- 2 --100 m-- 3          on a circle, as the reference worlds are

Speed 10 m/s, range 400 m, horizon 100 s, service 20 s, pause 15 s, expiry 60 s after creation.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from preference_worlds import FIRST, NEVER, a_task, a_world
from reference.preference_arrays import to_world

from crowdgym.envs.preference.global_state import global_state, state_layout
from crowdgym.envs.preference.kernel.features import TASK_STATE, WORKER_STATE
from crowdgym.envs.preference.kernel.observation import observation_layout
from crowdgym.envs.preference.kernel.simulation import PreferenceSimulation


def start(world: Any, **settings: Any) -> PreferenceSimulation:
    made = to_world(world)
    made_settings = made.settings.model_copy(update={"expiry_mean_s": 60.0, "expiry_spread": 0.0, **settings})
    simulation = PreferenceSimulation(made.instance.network, made_settings, batch=1)
    simulation.reset_copy(0, made.instance)
    return simulation


def seen(simulation: PreferenceSimulation, worker: int, name: str) -> list[dict[str, float]]:
    """The rows of a set, by feature."""
    part = observation_layout(simulation.settings.max_candidates)[name]
    rows: NDArray[np.float32] = part.take(simulation.observations[0, worker])
    return [dict(zip(part.features, row.tolist(), strict=True)) for row in rows]


def test_the_worker_itself() -> None:
    lots = {(0, 1): NEVER}
    simulation = start(a_world([0, 3], [a_task(1), a_task(1, category=2)], lots=lots, range_m=400.0))
    own = seen(simulation, 0, "w_self")[0]
    assert (own["idle"], own["driving"], own["serving"], own["paused"]) == (1, 0, 0, 0)
    assert (own["x"], own["y"], own["elapsed"], own["until_idle"]) == (1.0, 0.0, 0.0, 0.0)  # node 0 is the east end
    assert [own[f"share_{c}"] for c in range(8)] == list(FIRST)
    assert not any(own[f"{name}_{c}"] for name in ("accepted", "declined") for c in range(8))
    simulation.step(np.array([[2, 1]]))  # worker 0 declines task 1 at 0 and is paused until 15
    own = seen(simulation, 0, "w_self")[0]
    assert (own["idle"], own["paused"]) == (0, 1)
    assert own["elapsed"] == pytest.approx(0.05)
    assert own["until_idle"] == pytest.approx(10 / 60)  # of the longest wait: 400 m / 10 m/s + 20 s = 60 s
    assert own["declined_2"] == pytest.approx(0.1)
    other = seen(simulation, 1, "w_self")[0]  # worker 1 accepted task 0 at 0: 200 m, there at 20, idle at 40
    assert (other["driving"], other["accepted_0"]) == (1, pytest.approx(0.1))
    assert other["until_idle"] == pytest.approx(35 / 60)


def test_candidates() -> None:
    tasks = [a_task(2), a_task(1, category=1, expiry_s=40.0), a_task(3, created_s=5.0)]
    simulation = start(a_world([0, 0, 3], tasks, range_m=400.0, max_candidates=3))
    first, second, third = seen(simulation, 0, "T_candidates")
    assert first["present"] == second["present"] == 1
    assert (first["distance"], second["distance"]) == (0.25, 0.5)
    assert first["until_expiry"] == pytest.approx(40 / 60)
    assert first["slack"] == pytest.approx(30 / 60)  # 100 m take 10 s
    assert second["slack"] == pytest.approx(40 / 60)
    assert (first["category_1"], first["category_0"], second["category_0"]) == (1, 0, 1)
    assert (first["history_share"], second["history_share"]) == (0.25, 0.5)
    assert first["rivals"] == second["rivals"] == pytest.approx(3 / 20)
    assert set(third.values()) == {0}
    simulation.step(np.array([[1, 0, 0]]))
    assert all(set(row.values()) == {0} for row in seen(simulation, 0, "T_candidates"))
    assert seen(simulation, 1, "T_candidates")[0]["rivals"] == pytest.approx(2 / 20)  # of task 0: workers 1 and 2


def test_a_place_relative_to_the_worker() -> None:
    # nodes 0 and 1 of 4 on a circle of 1,000 m: (1000, 0) and (0, 1000)
    simulation = start(a_world([0], [a_task(1)], range_m=4000.0))
    row = seen(simulation, 0, "T_candidates")[0]
    assert (row["dx"], row["dy"]) == (pytest.approx(-0.25), pytest.approx(0.25))


def test_colleagues_are_of_the_same_centre_only() -> None:
    # workers 0 to 2 belong to centre 0, 3 to 5 to centre 1
    simulation = start(a_world([0, 1, 2, 0, 0, 0], [a_task(1)], num_centres=2, range_m=4000.0))
    near = seen(simulation, 0, "W_near")
    assert [row["present"] for row in near] == [1, 1, 0, 0, 0]
    assert [row["distance"] for row in near[:2]] == [pytest.approx(np.sqrt(2) / 4), pytest.approx(0.5)]
    assert [row["distance"] for row in seen(simulation, 3, "W_near")[:2]] == [0, 0]
    simulation.step(np.array([[0, 1, 0, 0, 0, 0]]))  # worker 1 is on the spot: it serves until 20
    busy = seen(simulation, 0, "W_near")[0]
    assert (busy["idle"], busy["until_idle"]) == (0, pytest.approx(15 / 420))
    assert seen(simulation, 3, "W_near")[0]["idle"] == 1


def test_the_state_by_hand() -> None:
    lots = {(0, 0): NEVER}
    simulation = start(a_world([0], [a_task(1, category=3), a_task(2, created_s=50.0)], lots=lots, range_m=400.0))
    simulation.step(np.array([[1]]))
    row = global_state(simulation, 0)
    assert row[0] == pytest.approx(0.05)
    worker = dict(zip(WORKER_STATE, row[1 : 1 + len(WORKER_STATE)].tolist(), strict=True))
    assert (worker["paused"], worker["until_idle"]) == (1, pytest.approx(10 / 60))
    tasks = row[1 + len(WORKER_STATE) :].reshape(2, len(TASK_STATE))
    task = dict(zip(TASK_STATE, tasks[0].tolist(), strict=True))
    assert (task["open"], task["declines"], task["category_3"]) == (1, 0.5, 1)
    assert task["until_expiry"] == pytest.approx(55 / 60)
    assert not tasks[1].any()  # not created yet


def test_units_are_those_of_every_feature() -> None:
    simulation = start(a_world([0], [a_task(1)], range_m=400.0))
    units = simulation.scales.units()
    for layout in (observation_layout(10), state_layout(1, 1)):
        for part in layout.in_units(units):
            assert len(part.units) == len(part.scales) == len(part.features)
    assert units["distance"] == ("400 m", 400.0)
    assert units["slack"] == units["until_idle"] == ("60 s", 60.0)
    assert units["declines"] == ("2 offers", 2.0)
