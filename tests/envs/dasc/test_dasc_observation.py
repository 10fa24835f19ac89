"""What a subtask of DASC sees, in numbers. The world is that of `worlds.dasc_worlds`; nodes are 100 m apart."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from worlds.dasc_worlds import Helper, Job, Part, a_world, play

from crowdgym.envs import dasc_v0
from crowdgym.envs.dasc.kernel.observation import observation_layout
from crowdgym.envs.dasc.kernel.simulation import DascSimulation


def rows(simulation: DascSimulation, slot: int, name: str) -> list[dict[str, float]]:
    part = observation_layout(simulation.sizes.candidates)[name]
    values = simulation.observations[0, slot, part.start : part.stop].reshape(part.shape)
    return [dict(zip(part.features, map(float, row), strict=True)) for row in values]


def a_simulation(**settings: Any) -> DascSimulation:
    """0 -> 1 at nodes 1 and 2 for 30 s and 20 s with skills {0} and {0, 1}; another task at 4. w0 at 0, w1 at 4."""
    jobs = [
        Job((Part(1, 30.0), Part(2, 20.0, after=(0,), skills=(0, 1))), expected_s=200.0, deadline_s=400.0),
        Job((Part(4, 10.0),)),
    ]
    helpers = [Helper(0), Helper(4, (0, 1, 2, 3))]
    return a_world(helpers, jobs, range_m=1000.0, empty_slots=1, utility=(0.5, 0.5), **settings).start()


def test_the_subtask_itself() -> None:
    simulation = a_simulation()
    scales = simulation.scales
    (seen,) = rows(simulation, 0, "t_self")
    assert (seen["unassigned"], seen["assignable"], seen["travelling"]) == (1.0, 1.0, 0.0)
    assert (seen["x"], seen["y"]) == pytest.approx((-0.5, 0.0))  # 100 m west of the centre, the city being 400 m wide
    assert seen["duration"] == pytest.approx(30.0 / scales.duration_s)
    assert seen["critical_path"] == pytest.approx(50.0 / scales.duration_s)
    assert seen["slack_expected"] == pytest.approx((180.0 - 30.0) / scales.window_s)
    assert seen["slack_deadline"] == pytest.approx((380.0 - 30.0) / scales.window_s)
    assert (seen["predecessors"], seen["successors"]) == pytest.approx((0.0, 1 / 15))
    assert (seen["skill_0"], seen["skill_1"]) == (1.0, 0.0)
    (after,) = rows(simulation, 1, "t_self")
    assert (after["predecessors"], after["predecessors_unassigned"]) == pytest.approx((1 / 15, 1 / 15))


def test_an_assigned_subtask_knows_when() -> None:
    """Matched at 0: w0 arrives at 10, finishes at 40; w1 arrives at 20 and waits until 40, until 60."""
    simulation = play(a_simulation(), 5.0, [1, 1, 0, 0])
    window_s = simulation.scales.window_s
    first, second = (rows(simulation, slot, "t_self")[0] for slot in (0, 1))
    assert (first["travelling"], first["assignable"], first["unassigned"]) == (1.0, 0.0, 0.0)
    assert (first["until_start"], first["until_finish"]) == pytest.approx((5 / window_s, 35 / window_s))
    assert first["slack_expected"] == pytest.approx((180.0 - 40.0) / window_s)
    assert second["until_ready"] == pytest.approx(35 / window_s)
    assert (second["predecessors_unassigned"], second["predecessors_unfinished"]) == pytest.approx((0.0, 1 / 15))
    play(simulation, 40.0)
    first, second = (rows(simulation, slot, "t_self")[0] for slot in (0, 1))
    assert (first["finished"], second["working"]) == (1.0, 1.0)
    assert second["predecessors_unfinished"] == 0.0


def test_its_task() -> None:
    simulation = a_simulation()
    scales = simulation.scales
    (task,) = rows(simulation, 1, "own_task")
    assert (task["until_expected"], task["until_deadline"]) == pytest.approx(
        (200 / scales.window_s, 400 / scales.window_s)
    )
    assert (task["payment_now"], task["share"]) == pytest.approx((1.0, 45 / scales.payment))
    assert (task["subtasks"], task["subtasks_unassigned"], task["subtasks_finished"]) == pytest.approx(
        (2 / 15, 2 / 15, 0)
    )
    assert task["work_left"] == pytest.approx(50 / scales.duration_s)


def test_its_candidates_in_the_order_of_its_actions() -> None:
    """From 1: w0 100 m west (skill 1 of 1), w1 300 m east (1 of 4)."""
    simulation = a_simulation()
    near, far, none = rows(simulation, 0, "W_candidates")
    u_time = np.exp((0.0 - 200.0) / 200.0) / np.e
    assert list(near.values()) == pytest.approx([1, -0.1, 0, 0.1, 1.0, 0.9, 0.25 * 1.0 + 0.25 * 0.9 + 0.5 * u_time])
    assert list(far.values()) == pytest.approx([1, 0.3, 0, 0.3, 0.25, 0.7, 0.25 * 0.25 + 0.25 * 0.7 + 0.5 * u_time])
    assert not any(none.values())


def test_idle_workers_around_it_able_or_not() -> None:
    """The second subtask, at 2, needs skills 0 and 1; both workers are 200 m away."""
    simulation = a_simulation()
    first, second, *none = rows(simulation, 1, "W_idle")
    assert list(first.values()) == pytest.approx([1, -0.2, 0, 0.2, 0, 0.5])
    assert list(second.values()) == pytest.approx([1, 0.2, 0, 0.2, 1, 1])
    assert not any(value for row in none for value in row.values())


def test_subtasks_around_it_that_may_be_assigned() -> None:
    """From 1: its successor at 2, 100 m away, of the same task, and the one at 4, of another."""
    simulation = a_simulation()
    near, far, *none = rows(simulation, 0, "T_near")
    assert (near["dx"], near["distance"], near["same_task"], near["shared_skills"]) == pytest.approx((0.1, 0.1, 1, 1))
    assert (far["dx"], far["same_task"], far["slack_expected"]) == pytest.approx(
        (0.3, 0.0, min(1.0, 990.0 / simulation.scales.window_s))
    )
    assert not any(value for row in none for value in row.values())


def test_slots_that_are_not_live_see_nothing() -> None:
    simulation = a_simulation()
    assert not simulation.observations[0, 3].any()
    assert simulation.observations[0, :3].any(axis=1).all()
    play(simulation, 400.0)
    assert not simulation.observations[0, :2].any()  # expired


def test_every_feature_has_a_unit() -> None:
    simulation = a_simulation()
    layout = observation_layout(simulation.sizes.candidates).in_units(simulation.scales.units())
    assert layout.width == simulation.observations.shape[2]
    for part in layout:
        assert len(part.units) == len(part.scales) == len(part.features) == len(set(part.features))


def looked_at_anew(simulation: DascSimulation) -> DascSimulation:
    """The same moment, in a simulation that has written no observation before."""
    anew = deepcopy(simulation)
    anew.state.kept.unseen[:] = 1
    anew.observations[:] = 0.25  # whatever was there is written over
    anew._play_on(np.arange(len(anew.epochs)), begins=True)
    return anew


@pytest.mark.parametrize("action_mode", ["recommend", "select"])
def test_what_is_kept_from_epoch_to_epoch_is_what_a_first_look_would_find(action_mode: Any) -> None:
    """Two episodes of random actions, in which tasks come and go, and one that takes the place of another."""
    env = dasc_v0.vector_env(2, scenario="tiny", action_mode=action_mode, horizon_s=1500.0, step_s=20.0, window_s=600.0)
    draw, infos, simulation = np.random.default_rng(0), env.reset(seed=3)[1], env._simulation
    assert isinstance(simulation, DascSimulation)
    seen = 0
    for _ in range(100):
        mask = infos["action_mask"]
        infos = env.step((draw.random(mask.shape) * mask).argmax(axis=1))[4]
        seen += int(simulation.state.output.live.sum())
        assert simulation.observations.tobytes() == looked_at_anew(simulation).observations.tobytes()
    assert seen > 100
