"""Writes the golden traces anew: ``make golden``. To be run only when a change of the dynamics is meant."""

from pathlib import Path
from typing import Any

import numpy as np

import crowdgym
from crowdgym.traces import Trace, TraceRecorder, write_trace

FOLDER = Path(__file__).parent

SHORT: dict[str, Any] = {"scenario": "tiny", "step_s": 20.0, "horizon_s": 1800.0}

# Name of the file: environment, keywords, options of reset if there are any.
GOLDEN: dict[str, tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], dict[str, Any]]] = {
    "csc_v0-contribution": ("csc_v0", {"scenario": "tiny", "reward": "contribution"}),
    "csc_v0-team": ("csc_v0", {"scenario": "tiny", "reward": "team"}),
    "csc_v0-individual": ("csc_v0", {"scenario": "tiny", "reward": "individual"}),
    "csc_v0-marginal": ("csc_v0", {"scenario": "tiny", "reward": "marginal"}),
    "csc_v0-difference": ("csc_v0", {"scenario": "tiny", "reward": "difference"}),
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
    "dasc_v0-recommend": ("dasc_v0", {**SHORT, "reward": "sparse"}),
    "dasc_v0-recommend-finished": (
        "dasc_v0",
        {**SHORT, "dependency": "finished", "reward": "team"},
        {"utility": (0.9, 0.3)},
    ),
    "dasc_v0-shared": ("dasc_v0", {**SHORT, "reward": "shared"}),
    "dasc_v0-select": ("dasc_v0", {**SHORT, "action_mode": "select", "reward": "shaped"}),
    "dasc_v0-select-finished": ("dasc_v0", {**SHORT, "action_mode": "select", "dependency": "finished"}),
    "preference_v0-accepted": ("preference_v0", {"scenario": "preference-tiny"}),
    "preference_v0-preference": ("preference_v0", {"scenario": "preference-tiny", "reward": "preference"}),
    # Every offer is accepted, one offer a task, slow workers, epochs that do not divide the horizon.
    "preference_v0-always": (
        "preference_v0",
        {
            "scenario": "preference-tiny",
            "acceptance": "always",
            "reward": "team",
            "max_offers": 1,
            "speed_mps": 2.0,
            "step_s": 47.0,
        },
    ),
    # Few candidates, many workers and tasks, short pauses: contests, and tasks that several workers decline.
    "preference_v0-crowded": (
        "preference_v0",
        {
            "scenario": "preference-tiny",
            "num_workers": 30,
            "num_centres": 4,
            "num_tasks": 90,
            "max_candidates": 3,
            "max_offers": 4,
            "decline_cooldown_s": 20.0,
            "acceptance_exponent": 2.0,
        },
    ),
    # Few, slow workers and little time, epochs that do not divide the horizon: expiries in every state, releases.
    "dasc_v0-failing": (
        "dasc_v0",
        {
            **SHORT,
            "num_workers": 7,
            "num_tasks": 9,
            "speed_mps": 2.0,
            "expected_factor": 0.6,
            "deadline_factor": 1.1,
            "step_s": 17.0,
            "reward": "shaped",
        },
    ),
}


def record(env_name: str, keywords: dict[str, Any], options: dict[str, Any] | None = None) -> Trace:
    """Play an episode of random actions, one in ten of them any at all."""
    env = TraceRecorder(crowdgym.make(env_name, **keywords), agent="golden")
    rng = np.random.default_rng(0)
    _, infos = env.reset(seed=0, options=options)
    while env.agents:
        actions = {}
        for agent, info in infos.items():
            legal = np.flatnonzero(info["action_mask"])
            actions[agent] = int(rng.choice(legal) if rng.random() < 0.9 else rng.integers(len(info["action_mask"])))
        infos = env.step(actions)[4]
    return env.trace()


if __name__ == "__main__":
    for name, recipe in GOLDEN.items():
        write_trace(FOLDER / f"{name}.trace", record(*recipe))
        print(f"wrote {FOLDER.name}/{name}.trace")
