"""Small episodes for the tests of the player: their environments, snapshots and scenes."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import crowdgym
from crowdgym.common.entry_points import load_entry_point
from crowdgym.envs.rendering.scene import Scene
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes
from crowdgym.traces import TraceRecorder, write_trace

SCENARIOS = {
    "csc_v0": ("tiny", "random"),
    "dasc_v0": ("tiny", "random"),
    "preference_v0": ("preference-tiny", "greedy"),
    "sensing_v0": ("piemonte-synth", "uns-ta"),
}
ON_ROADS = ("csc_v0", "dasc_v0", "preference_v0")


@dataclass(frozen=True)
class Played:
    """An episode that was played."""

    env: Any
    snapshots: tuple[Any, ...]
    scene: Scene


@cache
def played(environment: str, seed: int = 1) -> Played:
    """An episode on a small map, with all that happens in it."""
    scenario, agent = SCENARIOS[environment]
    env = crowdgym.make(environment, scenario=scenario)
    snapshots: list[Any] = []

    def watch(episode: int, steps: Any) -> None:
        snapshots.extend(env.snapshot() for _ in steps)

    run_episodes(env, load_policy(agent, environment), agent=agent, episodes=1, seed=seed, watch=watch)
    scene = load_entry_point(crowdgym.environment_spec(environment).scene)(env, snapshots)
    return Played(env, tuple(snapshots), scene)


def recorded(folder: Path, agent: str, environment: str = "csc_v0", seed: int = 1, **settings: Any) -> Path:
    """The trace of an episode; on the small map of `SCENARIOS` unless settings name another."""
    settings = {"scenario": SCENARIOS[environment][0], **settings}
    env = TraceRecorder(crowdgym.make(environment, **settings), agent)
    run_episodes(env, load_policy(agent, environment), agent=agent, episodes=1, seed=seed)
    target = folder / f"{environment}-{agent}.trace"
    write_trace(target, env.trace())
    return target


def places_m(of: Played, time_s: float) -> NDArray[np.float64]:
    """Where the movers of a scene are at a time, from its legs alone. Shape [N, 2]."""
    scene = of.scene
    nodes_m = np.stack([scene.base.x_m, scene.base.y_m], axis=1)
    found = nodes_m[scene.mover_start].copy()
    for leg, mover in enumerate(scene.legs.mover):
        passed = slice(scene.legs.first[leg], scene.legs.first[leg + 1])
        at_s, way_m = scene.legs.at_s[passed], nodes_m[scene.legs.node[passed]]
        if at_s[0] <= time_s:
            found[mover] = [np.interp(time_s, at_s, way_m[:, axis]) for axis in (0, 1)]
    return found
