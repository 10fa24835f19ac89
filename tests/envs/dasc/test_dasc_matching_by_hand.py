"""Who gets whom, and what it is worth: stage 2 of DASC in both modes, rewards and terms of utility, by hand.

The world is that of `worlds.dasc_worlds`. With utility (1, 0) only distance counts: u = (R - d) / R.
"""

import math
from typing import Any

import numpy as np
import pytest
from worlds.dasc_worlds import Helper, Job, Part, World, a_world, play

from crowdgym.envs.dasc.kernel.simulation import DascSimulation
from crowdgym.envs.dasc.kernel.state import Outcome
from crowdgym.envs.dasc.reward import REWARDS

DISTANCE_ONLY = (1.0, 0.0)
SKILL_ONLY = (1.0, 1.0)
TIME_ONLY = (0.0, 0.5)


def one(*parts: Part, **others: Any) -> Job:
    return Job(parts, **others)


def after_first_step(world: World, actions: list[int]) -> DascSimulation:
    return play(world.start(), world.settings.step_s, actions)


def matched(simulation: DascSimulation) -> list[int]:
    return [int(w) for w in simulation.state.subtasks.worker[0]]


def outcomes(simulation: DascSimulation) -> list[str]:
    return [Outcome(outcome).name for outcome in simulation.state.output.outcome[0]]


# ---- recommend ----


def test_the_total_utility_counts_not_the_number_of_pairs() -> None:
    """t0 at 0, t1 at 4; w0 at 0 can do both, w1 at 4 only t0. 1.0 alone beats 0.2 + 0.2."""
    jobs = [one(Part(0)), one(Part(4, skills=(1,)))]
    world = a_world([Helper(0, (0, 1)), Helper(4)], jobs, range_m=500.0, utility=DISTANCE_ONLY)
    simulation = after_first_step(world, [1, 1])
    assert matched(simulation) == [0, -1]
    assert outcomes(simulation) == ["MATCHED", "UNMATCHED"]
    assert simulation.metrics(0).unmatched == 1


def test_two_pairs_worth_more_together_beat_the_nearest() -> None:
    """t0 at 1, t1 at 4; w0 at 1, w1 at 0. Nearest first would give 1.0 + 0.2 (w1 to 4), which is the best here; with t1
    out of w1's range w0 has to go there: 0.8 + 0.4."""
    jobs = [one(Part(1)), one(Part(4))]
    wide = a_world([Helper(1), Helper(0)], jobs, range_m=500.0, utility=DISTANCE_ONLY)
    assert matched(after_first_step(wide, [1, 1])) == [0, 1]
    narrow = a_world([Helper(1), Helper(0)], jobs, range_m=390.0, utility=DISTANCE_ONLY)
    assert matched(after_first_step(narrow, [1, 1])) == [0, -1]  # 1.0 beats 0.744 + 0.231
    near = a_world([Helper(2), Helper(0)], [one(Part(1)), one(Part(4))], range_m=390.0, utility=DISTANCE_ONLY)
    assert matched(after_first_step(near, [1, 1])) == [1, 0]  # 0.744 + 0.487


def test_ties_go_to_the_smaller_subtask_and_the_smaller_worker() -> None:
    jobs = [one(Part(2)), one(Part(2))]
    assert matched(after_first_step(a_world([Helper(1), Helper(3), Helper(1)], jobs), [1, 1])) == [0, 1]
    assert matched(after_first_step(a_world([Helper(3)], jobs), [1, 1])) == [0, -1]
    assert matched(after_first_step(a_world([Helper(3)], jobs), [0, 1])) == [-1, 0]


def test_all_able_workers_count_not_only_the_candidates() -> None:
    """One candidate each, the same one; the other worker is used all the same."""
    world = a_world([Helper(2), Helper(4)], [one(Part(2)), one(Part(2))], max_candidates=1)
    simulation = world.start()
    assert simulation.state.output.candidates[0].tolist() == [[0], [0]]
    assert matched(play(simulation, 5.0, [1, 1])) == [0, 1]


def test_a_successor_that_took_the_only_worker_gives_way_to_its_predecessor() -> None:
    """t0 at 4 before t1 at 0, one worker at 0: the first round prefers t1, which cannot stand without t0."""
    world = a_world([Helper(0)], [one(Part(4), Part(0, after=(0,)))], utility=DISTANCE_ONLY)
    simulation = after_first_step(world, [1, 1])
    assert matched(simulation) == [0, -1]
    assert outcomes(simulation) == ["MATCHED", "UNMATCHED"]


def test_a_worker_that_a_successor_had_to_give_back_goes_to_another_task() -> None:
    """t0 needs a skill that only w1 has, who is worth more at t2; t1 at 0 gives w0 back, and t3 at 4 gets it."""
    jobs = [one(Part(0, skills=(1,)), Part(0, after=(0,))), one(Part(4, skills=(1,))), one(Part(4))]
    world = a_world([Helper(0), Helper(4, (0, 1))], jobs, range_m=500.0, utility=DISTANCE_ONLY)
    simulation = after_first_step(world, [1, 1, 1, 1])
    assert matched(simulation) == [-1, -1, 1, 0]
    assert outcomes(simulation) == ["UNMATCHED", "UNMATCHED", "MATCHED", "MATCHED"]


@pytest.mark.parametrize(("utility", "worker"), [(SKILL_ONLY, 0), (DISTANCE_ONLY, 1), ((0.5, 0.9), 0), ((0.5, 0.1), 1)])
def test_alpha_and_beta_decide_which_worker(utility: tuple[float, float], worker: int) -> None:
    """For t0 at 2 with one skill: w0 at 0 has just this one (u_skill 1, u_dist 0.8), w1 at 1 four (0.25, 0.9)."""
    world = a_world([Helper(0), Helper(1, (0, 1, 2, 3))], [one(Part(2))], range_m=1000.0, utility=utility)
    simulation = after_first_step(world, [1])
    assert matched(simulation) == [worker]
    u_skill, u_dist = ((1.0, 0.8), (0.25, 0.9))[worker]
    u_time = math.exp((0.0 - 1000.0) / 1000.0) / math.e
    assert simulation.state.output.match_utility[0, 0] == pytest.approx([u_skill, u_dist, u_time], rel=1e-15)


def test_with_time_only_the_more_urgent_task_gets_the_worker() -> None:
    """At 500 s: t0 has (500 - 600) / 400, t1 (500 - 500) / 1000."""
    jobs = [one(Part(1), expected_s=600.0, deadline_s=1000.0), one(Part(1), expected_s=500.0, deadline_s=1500.0)]
    simulation = play(a_world([Helper(1)], jobs, utility=TIME_ONLY).start(), 500.0)
    play(simulation, 505.0, [1, 1])
    assert matched(simulation) == [-1, 0]
    assert simulation.state.output.match_utility[0, 1, 2] == pytest.approx(1 / math.e, rel=1e-15)


def test_the_utility_of_one_episode_takes_the_place_of_that_of_the_settings() -> None:
    world = a_world([Helper(0), Helper(1, (0, 1, 2, 3))], [one(Part(2))], range_m=1000.0, utility=SKILL_ONLY)
    assert matched(play(world.start(utility=DISTANCE_ONLY), 5.0, [1])) == [1]
    simulation = world.start(utility=DISTANCE_ONLY)
    simulation.reset_copy(0, world.instance)
    assert matched(play(simulation, 5.0, [1])) == [0]


def test_terms_and_outcomes_are_those_of_the_latest_step_only() -> None:
    simulation = after_first_step(a_world([Helper(1)], [one(Part(1))]), [1])
    assert simulation.state.output.match_utility.any()
    play(simulation, 10.0)
    assert not simulation.state.output.match_utility.any()
    assert not simulation.state.output.shaped.any()
    assert outcomes(simulation) == ["HELD"]


# ---- select ----


def test_a_contested_worker_goes_to_the_best_utility() -> None:
    """t0 at 3 and t1 at 1 both ask for w0 at 0, the only one."""
    world = a_world([Helper(0)], [one(Part(3)), one(Part(1))], action_mode="select", utility=DISTANCE_ONLY)
    simulation = after_first_step(world, [1, 1])
    assert matched(simulation) == [-1, 0]
    assert outcomes(simulation) == ["UNMATCHED", "MATCHED"]


def test_a_contest_of_equals_goes_to_the_smaller_subtask() -> None:
    world = a_world([Helper(2)], [one(Part(3)), one(Part(1))], action_mode="select")
    assert matched(after_first_step(world, [1, 1])) == [0, -1]
    assert matched(after_first_step(world, [0, 1])) == [-1, 0]


def test_the_second_candidate_can_be_asked_for() -> None:
    world = a_world([Helper(0), Helper(2)], [one(Part(3)), one(Part(1))], action_mode="select")
    simulation = world.start()
    assert simulation.state.output.candidates[0].tolist() == [[1, 0, -1], [0, 1, -1]]
    assert matched(play(simulation, 5.0, [2, 2])) == [0, 1]


def test_a_successor_that_won_the_contest_gives_way_to_its_predecessor() -> None:
    """t0 at 4 before t1 at 0 both ask for w0 at 0."""
    jobs = [one(Part(4), Part(0, after=(0,)))]
    world = a_world([Helper(0)], jobs, action_mode="select", utility=DISTANCE_ONLY)
    simulation = after_first_step(world, [1, 1])
    assert matched(simulation) == [0, -1]
    assert outcomes(simulation) == ["MATCHED", "UNMATCHED"]


def test_a_successor_of_a_loser_does_not_keep_its_own_worker() -> None:
    """t0 loses w1 to t2; t1, which comes after t0, has asked for w0 without a rival, and holds all the same."""
    jobs = [one(Part(3), Part(0, after=(0,))), one(Part(4))]
    world = a_world([Helper(0), Helper(4)], jobs, action_mode="select", utility=DISTANCE_ONLY)
    simulation = after_first_step(world, [1, 1, 1])
    assert matched(simulation) == [-1, -1, 1]
    assert outcomes(simulation) == ["UNMATCHED", "UNMATCHED", "MATCHED"]


# ---- rewards ----


def rewards(simulation: DascSimulation, name: str) -> list[float]:
    found = np.full((1, simulation.sizes.slots), np.nan)
    REWARDS[name].write(simulation.state.output, found)  # type: ignore[index]
    return [float(value) for value in found[0]]


def the_example() -> DascSimulation:
    """That of docs/dasc_dynamics.md, played to its match at 50 s."""
    job = Job((Part(1, 30.0), Part(1, 20.0, after=(0,))), expected_s=100.0, deadline_s=200.0, payment=10.0)
    world = a_world([Helper(0), Helper(1, (0, 1))], [job], roads=((0, 1, 500),), action_mode="select", empty_slots=1)
    simulation = play(world.start(), 50.0)
    return play(simulation, 55.0, [2, 1, 0])  # by distance w1 is first


def test_the_example_of_the_specification() -> None:
    simulation = the_example()
    assert simulation.state.subtasks.finish_s[0, :2].tolist() == [130.0, 150.0]
    assert rewards(simulation, "shaped") == pytest.approx([4.45, 4.5, 0.0], abs=1e-12)
    assert rewards(simulation, "sparse") == [0.0, 0.0, 0.0]
    play(simulation, 150.0)
    assert rewards(simulation, "sparse") == pytest.approx([4.5, 4.5, 0.0], abs=1e-12)
    assert rewards(simulation, "team") == pytest.approx([4.5, 4.5, 0.0], abs=1e-12)
    assert rewards(simulation, "shaped") == [0.0, 0.0, 0.0]
    assert simulation.metrics(0).revenue == pytest.approx(9.0)
    assert not simulation.state.output.live.any()
    assert simulation.state.output.was_live[0].tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("match_s", "share"),
    [
        (70.0, 45.0),  # finish at 90 = LFT for t_e = 100 - 10
        (75.0, 45.0 - 0.05),
        (165.0, 45.0 - 0.95),
        (170.0, 0.0),  # finish at 190 = LFT for t_d
    ],
)
def test_the_share_falls_after_one_latest_finish_and_ends_at_the_other(match_s: float, share: float) -> None:
    """Two subtasks of 20 s and 10 s; the first is matched in place."""
    job = Job((Part(1, 20.0), Part(1, 10.0, after=(0,))), expected_s=100.0, deadline_s=200.0)
    simulation = play(a_world([Helper(1)], [job]).start(), match_s)
    play(simulation, match_s + 5.0, [1, 0])
    assert rewards(simulation, "shaped") == pytest.approx([share, 0.0], abs=1e-12)


def test_penalties_of_requests_that_come_to_nothing() -> None:
    """t0 is matched, t1 lacks a worker, t3 its predecessor's request; t2 holds."""
    jobs = [one(Part(1)), one(Part(1)), one(Part(1), Part(1, after=(0,)))]
    simulation = after_first_step(a_world([Helper(1)], jobs), [1, 1, 0, 1])
    assert rewards(simulation, "shaped") == [90.0, -0.25, 0.0, -0.5]


def test_the_team_reward_is_for_who_was_live_and_the_shared_reward_for_all() -> None:
    """t0 pays 90 at 20; t1 is live too, t2 not yet."""
    jobs = [one(Part(1)), one(Part(1)), one(Part(1), created_s=500.0)]
    simulation = play(a_world([Helper(1)], jobs).start(), 20.0, [1, 0, 0])
    assert rewards(simulation, "team") == [45.0, 45.0, 0.0]
    assert rewards(simulation, "shared") == [30.0, 30.0, 30.0]
    assert rewards(simulation, "sparse") == [90.0, 0.0, 0.0]


@pytest.mark.parametrize(("reward", "asks", "holds"), [("team", 5.0, 45.0), ("shared", 50.0, 45.0)])
def test_only_with_the_team_reward_a_slot_gains_by_keeping_its_task_open(
    reward: str, asks: float, holds: float
) -> None:
    """t0 pays 10 at 20 s if it asks, t1 pays 90 at 100 s. Each slot gets half, of both or while it is live."""
    slow = {"expected_s": 500.0, "deadline_s": 600.0}
    jobs = [one(Part(1), payment=10.0, **slow), one(Part(1, 100.0), payment=90.0, **slow)]

    def earned(first: int) -> float:
        simulation = play(a_world([Helper(1), Helper(1)], jobs).start(), 5.0, [first, 1])
        total = 0.0
        for until_s in range(10, 110, 5):
            play(simulation, float(until_s))
            total += rewards(simulation, reward)[0]
        return total

    assert (earned(1), earned(0)) == (asks, holds)
