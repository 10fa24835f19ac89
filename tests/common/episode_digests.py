"""Digests of short episodes: all that environments give out, under random actions and policies with compiled loops.

Run as a program with the name of an environment, it prints its digests as JSON.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

import crowdgym
from crowdgym.policies import load_policy
from crowdgym.registration import environment_spec
from crowdgym.runner import run_episodes

SHORT: Mapping[str, Any] = {"horizon_s": 900.0, "step_s": 30.0}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "csc_v0": {"scenario": "tiny", "num_workers": 24, "num_tasks": 40, "window_s": 600.0, **SHORT},
    "dasc_v0": {"scenario": "tiny", "reward": "shaped", "num_tasks": 10, **SHORT},
    "preference_v0": {"scenario": "preference-tiny", "horizon_s": 600.0},
    "sensing_v0": {"num_participants": 5},
}
POLICIES = {
    "csc_v0": ("pau", "turn-gain", "lookahead"),
    "dasc_v0": ("rolling-horizon", "task-schedule"),
    "preference_v0": ("km-answers",),
    "sensing_v0": ("qco-ta",),
}


class Digest:
    """Of values of any kind: arrays, numbers, and dicts, tuples and lists of such."""

    def __init__(self) -> None:
        self._found = hashlib.sha256()

    def add(self, value: Any) -> None:
        if isinstance(value, Mapping):
            for name, part in value.items():
                self._found.update(str(name).encode())
                self.add(part)
        elif isinstance(value, tuple | list):
            for part in value:
                self.add(part)
        else:
            self._found.update(np.asarray(value).tobytes())

    def __str__(self) -> str:
        return self._found.hexdigest()


class Noted:
    """An environment that adds all that it is given and gives out to a digest."""

    def __init__(self, env: Any) -> None:
        self._env, self.digest = env, Digest()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, **keywords: Any) -> Any:
        return self._noted(self._env.reset(**keywords))

    def step(self, actions: Mapping[str, Any]) -> Any:
        self.digest.add(actions)
        return self._noted(self._env.step(actions))

    def _noted(self, outputs: Any) -> Any:
        self.digest.add(outputs)
        return outputs


def digests_of(environment: str) -> dict[str, str]:
    """The digests of an environment: of the vector interface under random legal actions, and by policy."""
    found = {"vector": str(_vector_digest(environment))}
    for agent in POLICIES[environment]:
        env = Noted(crowdgym.make(environment, **SETTINGS[environment]))
        run_episodes(env, load_policy(agent, environment, env.settings.scenario), agent=agent, episodes=1, seed=4)
        found[agent] = str(env.digest)
    return found


def _vector_digest(environment: str) -> Digest:
    digest, generator = Digest(), np.random.default_rng(7)
    name = environment_spec(environment).registered_name
    env: Any = gymnasium.make_vec(name, num_envs=2, autoreset_mode="Disabled", **SETTINGS[environment])
    observations, infos = env.reset(seed=4)
    digest.add((observations, infos))
    ended = False
    while not ended:
        lots = generator.random(infos["action_mask"].shape)
        observations, rewards, terminated, truncated, infos = env.step(
            np.where(infos["action_mask"], lots, -1.0).argmax(axis=1)
        )
        digest.add((observations, rewards, terminated, truncated, infos))
        ended = bool(truncated.any() or terminated.any())
    return digest


if __name__ == "__main__":
    print(json.dumps(digests_of(sys.argv[1])))
