"""The bound on the revenue of DASC against what the environment lets anybody earn."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from worlds.dasc_worlds import Helper, Job, Part, World, a_world

from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.agents.dasc.critical_path import CriticalPath
from crowdgym.agents.dasc.greedy import DascGreedy
from crowdgym.agents.dasc.recommend_all import RecommendAll
from crowdgym.agents.dasc.rolling_horizon import RollingHorizon
from crowdgym.agents.policy import Policy
from crowdgym.envs import dasc_v0
from crowdgym.envs.dasc import bound as bounds
from crowdgym.envs.dasc.bound import revenue_bound
from crowdgym.envs.dasc.kernel.simulation import DascSimulation
from crowdgym.runner import run_episodes

DISPATCHERS: tuple[Callable[[], Policy], ...] = (RandomPolicy, RecommendAll, DascGreedy, CriticalPath, RollingHorizon)
ROUNDING = 1e-9


@pytest.mark.parametrize("settings", [{}, {"num_workers": 4, "num_tasks": 12}, {"dependency": "finished"}])
@pytest.mark.parametrize("mode", ["recommend", "select"])
def test_no_dispatcher_exceeds_it(mode: Any, settings: dict[str, Any]) -> None:
    env = dasc_v0.parallel_env(scenario="tiny", action_mode=mode, step_s=20.0, **settings)
    for seed in range(3):
        earned = []
        for make in DISPATCHERS:
            (episode,) = run_episodes(env, make(), agent="it", episodes=1, seed=seed).episodes
            earned.append(episode.metrics["revenue"])
        assert 0 < max(earned) <= revenue_bound(env.instance, env.settings) * (1 + ROUNDING)


def a_small_world(seed: int) -> World:
    """Two workers and two tasks, of one and two subtasks, on the line; three epochs, 40 s apart; all asks or holds."""
    rng = np.random.default_rng(seed)

    def skills(least: int) -> tuple[int, ...]:
        return tuple(np.flatnonzero(rng.random(2) < 0.5).tolist()) or tuple(range(least))

    def part(*after: int) -> Part:
        return Part(int(rng.integers(5)), float(rng.integers(5, 40)), after, skills(0))

    def job(*parts: Part) -> Job:
        created_s, window_s = float(rng.integers(0, 30)), float(rng.integers(20, 90))
        late_s = created_s + window_s + float(rng.integers(10, 60))
        return Job(parts, created_s, created_s + window_s, late_s, float(rng.integers(5, 20)))

    jobs = sorted([job(part()), job(part(), part(0))], key=lambda entry: entry.created_s)
    helpers = [Helper(int(rng.integers(5)), skills(1)) for _ in range(2)]
    modes: dict[str, Any] = {"action_mode": "select", "max_candidates": 2, "penalty_per_s": 0.1}
    return a_world(helpers, jobs, step_s=40.0, horizon_s=120.0, range_m=350.0, **modes)


def joint_actions(simulation: DascSimulation) -> Iterator[tuple[int, ...]]:
    """Every combination of legal actions."""
    yield from product(*(np.flatnonzero(row).tolist() for row in simulation.state.output.mask[0]))


def best_revenue(world: World) -> float:
    """The most that any sequence of joint actions earns."""
    best = 0.0
    open_sequences: list[list[tuple[int, ...]]] = [[]]
    simulation = world.start()
    while open_sequences:
        sequence = open_sequences.pop()
        simulation.reset_copy(0, world.instance)
        for joint in sequence:
            simulation.step(np.array([joint], np.int64))
        if simulation.is_over()[0]:
            best = max(best, simulation.metrics(0).revenue)
        else:
            open_sequences += [[*sequence, joint] for joint in joint_actions(simulation)]
    return best


def test_exhaustive_search_lies_under_it_and_near_it() -> None:
    """Over worlds in which something could be earned according to the bound: most reach it."""
    shares = []
    for seed in range(25):
        world = a_small_world(seed)
        best, bound = best_revenue(world), revenue_bound(world.instance, world.settings)
        assert best <= bound * (1 + ROUNDING), seed
        if bound > 0:
            shares.append(best / bound)
    assert len(shares) >= 20
    assert np.mean([share > 0.999 for share in shares]) > 0.7
    assert np.mean(shares) > 0.85


def test_it_is_the_same_without_the_short_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    env = dasc_v0.parallel_env(scenario="tiny", num_workers=40, step_s=20.0)
    for seed in range(3):
        env.reset(seed=seed)
        with monkeypatch.context() as patch:
            patch.setattr(bounds, "_one_worker_each", lambda pair: False)
            full = revenue_bound(env.instance, env.settings)
        assert revenue_bound(env.instance, env.settings) == pytest.approx(full, rel=1e-8)
