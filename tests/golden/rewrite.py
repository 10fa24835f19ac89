"""Writes the golden traces anew: ``make golden``. To be run only when a change of the dynamics is meant."""

from pathlib import Path

import numpy as np

import crowdgym
from crowdgym.traces import Trace, TraceRecorder, write_trace

FOLDER = Path(__file__).parent

# Name of the file: environment, keywords, how the actions are drawn.
GOLDEN = {
    "csc_v0-contribution": ("csc_v0", {"scenario": "tiny", "reward": "contribution"}),
    "csc_v0-team": ("csc_v0", {"scenario": "tiny", "reward": "team"}),
    "csc_v0-individual": ("csc_v0", {"scenario": "tiny", "reward": "individual"}),
    # Few, slow workers, many short-lived tasks, coarse epochs: expiries, releases on the way, a last epoch cut short.
    "csc_v0-expiring": (
        "csc_v0",
        {
            "scenario": "tiny",
            "num_tasks": 60,
            "num_workers": 9,
            "deadline_factor": 0.4,
            "step_s": 70.0,
            "speed_mps": 2.0,
        },
    ),
    "sensing_v0-cells": ("sensing_v0", {"num_participants": 8, "horizon_s": 30 * 86_400.0}),
    "sensing_v0-participants": (
        "sensing_v0",
        {
            "num_participants": 3,
            "agents": "participants",
            "attributes": ["PM10", "WS"],
            "inference": "idw",
            "normalisation": "p99",
            "reward": "marginal",
            "cost_weight": 0.01,
            "start_s": 40 * 86_400.0,
            "step_s": 2 * 86_400.0,
            "horizon_s": 60 * 86_400.0,
        },
    ),
}


def record(env_name: str, keywords: dict[str, object]) -> Trace:
    """Play an episode of random actions, one in ten of them any at all."""
    env = TraceRecorder(crowdgym.make(env_name, **keywords), agent="golden")
    rng = np.random.default_rng(0)
    _, infos = env.reset(seed=0)
    while env.agents:
        actions = {}
        for agent, info in infos.items():
            legal = np.flatnonzero(info["action_mask"])
            actions[agent] = int(rng.choice(legal) if rng.random() < 0.9 else rng.integers(len(info["action_mask"])))
        infos = env.step(actions)[4]
    return env.trace()


if __name__ == "__main__":
    for name, (env_name, keywords) in GOLDEN.items():
        write_trace(FOLDER / f"{name}.trace", record(env_name, keywords))
        print(f"wrote {FOLDER.name}/{name}.trace")
