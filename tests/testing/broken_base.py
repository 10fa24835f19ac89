"""A small healthy environment, from which the ones that are broken on purpose differ in one fault each.

Three walkers on a line of five cells, in a wind that is drawn anew every step:

    cell   0 1 2 3 4          action 0 stays, 1 goes left, 2 goes right; the mask forbids to leave the line
           e . m . l          an observation is [wind, cell / 4, time / 20], the state [wind, cells / 4]

"early" always starts in cell 0, so that its action 1 is masked at the start. It is terminated at step 4, "middle" is
terminated at step 9 and "late" is truncated at step 12: 13 moments with the reset, so copies are made after step 5.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

LAST_STEP = {"early": 4, "middle": 9, "late": 12}
Returned = tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]


class Healthy(ParallelEnv):
    metadata: ClassVar[dict[str, Any]] = {"name": "healthy_v0", "render_modes": []}
    render_mode = None

    def __init__(self) -> None:
        self.possible_agents = list(LAST_STEP)
        self.agents: list[str] = []
        self.spaces = Box(0.0, 1.0, (3,), np.float32), Discrete(3)
        self.state_space = Box(0.0, 1.0, (4,), np.float32)
        self.time, self.wind, self.cells = 0, 0.0, dict.fromkeys(LAST_STEP, 0)
        self.rng = np.random.default_rng()

    def observation_space(self, agent: str) -> Box:
        return self.spaces[0]

    def action_space(self, agent: str) -> Discrete:
        return self.spaces[1]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        if seed is not None:
            self.seed(seed)
        self.time, self.wind = 0, float(self.rng.random())
        self.cells = {"early": 0, "middle": int(self.rng.integers(5)), "late": int(self.rng.integers(5))}
        self.agents = list(LAST_STEP)
        return {a: self.observe(a) for a in self.agents}, {a: self.info(a) for a in self.agents}

    def step(self, actions: dict[str, Any]) -> Returned:
        self.time += 1
        self.wind = float(self.rng.random())
        acted = self.agents
        for agent in acted:
            self.move(agent, int(actions[agent]))
        terminations = {a: a != "late" and self.time == LAST_STEP[a] for a in acted}
        truncations = {a: a == "late" and self.time == LAST_STEP[a] for a in acted}
        self.agents = [a for a in acted if not terminations[a] and not truncations[a]]
        return (
            {a: self.observe(a) for a in acted},
            {a: self.reward(a) for a in acted},
            terminations,
            truncations,
            {a: self.info(a) for a in acted},
        )

    def seed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def move(self, agent: str, action: int) -> None:
        if self.mask(agent)[action]:
            self.cells[agent] += (0, -1, 1)[action]

    def observe(self, agent: str) -> Any:
        return np.array([self.wind, self.cells[agent] / 4, self.time / 20], np.float32)

    def reward(self, agent: str) -> Any:
        return self.cells[agent] / 4

    def mask(self, agent: str) -> Any:
        return np.array([1, self.cells[agent] > 0, self.cells[agent] < 4], np.int8)

    def info(self, agent: str) -> dict[str, Any]:
        return {"action_mask": self.mask(agent)}

    def state(self) -> NDArray[np.float32]:
        return np.array([self.wind, *(cell / 4 for cell in self.cells.values())], np.float32)


class Broken(NamedTuple):
    """A faulty environment and what the finding must say."""

    factory: Callable[[], Any]
    check: str
    step: int | None
    agent: str | None
    quantity: str


BROKEN: list[Broken] = []


def broken(check: str, step: int | None, agent: str | None, quantity: str) -> Callable[[type], type]:
    def enter(cls: type) -> type:
        BROKEN.append(Broken(cls, check, step, agent, quantity))
        return cls

    return enter
