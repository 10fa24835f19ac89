"""Sound environments of many kinds: `check_env` must find nothing in any of them."""

from typing import Any, NoReturn

import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction
from pettingzoo.utils import aec_to_parallel, parallel_to_aec
from testing.broken_base import Healthy, Returned


class Strict(Healthy):
    """Refuses a masked action before anything has happened."""

    def step(self, actions: dict[str, Any]) -> Returned:
        for agent in self.agents:
            if not self.mask(agent)[int(actions[agent])]:
                raise InvalidAction(f"{agent} may not take action {actions[agent]} now")
        return super().step(actions)


class MasksOfBool(Healthy):
    def mask(self, agent: str) -> Any:
        return super().mask(agent).astype(bool)


class WithoutMasks(Healthy):
    def info(self, agent: str) -> dict[str, Any]:
        return {}


class WithoutState(Healthy):
    def state(self) -> NoReturn:
        raise NotImplementedError


class WithoutPossibleAgents(Healthy):
    def __init__(self) -> None:
        super().__init__()
        del self.possible_agents


class WithACommonInfo(Healthy):
    """PettingZoo allows an entry that belongs to no agent."""

    def step(self, actions: dict[str, Any]) -> Returned:
        *rest, infos = super().step(actions)
        return *rest, {**infos, "common": {"wind": self.wind}}  # type: ignore[return-value]


class MaskInObservation(Healthy):
    def __init__(self) -> None:
        super().__init__()
        masked = {"observation": self.spaces[0], "action_mask": spaces.Box(0, 1, (3,), np.int8)}
        self.spaces = spaces.Dict(masked), self.spaces[1]

    def observe(self, agent: str) -> Any:
        return {"observation": super().observe(agent), "action_mask": self.mask(agent)}

    def info(self, agent: str) -> dict[str, Any]:
        return {}


class ActionsFromTen(Strict):
    """10 stays, 11 goes left, 12 goes right."""

    def __init__(self) -> None:
        super().__init__()
        self.spaces = self.spaces[0], spaces.Discrete(3, start=10)

    def step(self, actions: dict[str, Any]) -> Returned:
        return super().step({agent: action - 10 for agent, action in actions.items()})


class ActionsOfTwoParts(Healthy):
    """Where to go, and whether to shout, which only "early" may; strict, with the masks one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.spaces = self.spaces[0], spaces.MultiDiscrete([3, 2])

    def parts(self, agent: str) -> Any:
        return super().mask(agent), np.array([1, agent == "early"], np.int8)

    def mask(self, agent: str) -> Any:
        return np.concatenate(self.parts(agent))

    def step(self, actions: dict[str, Any]) -> Returned:
        for agent, (way, shout) in actions.items():
            walking, shouting = self.parts(agent)
            if not (walking[way] and shouting[shout]):
                raise InvalidAction(f"{agent} may not take action {actions[agent]} now")
        return super().step({agent: way for agent, (way, _) in actions.items()})


class MasksInATuple(ActionsOfTwoParts):
    def info(self, agent: str) -> dict[str, Any]:
        return {"action_mask": self.parts(agent)}


class Continuous(WithoutMasks):
    """Walks right if the action is above 0."""

    def __init__(self) -> None:
        super().__init__()
        self.spaces = self.spaces[0], spaces.Box(-1.0, 1.0, (2,), np.float64)

    def step(self, actions: dict[str, Any]) -> Returned:
        return super().step({agent: 1 + int(action[0] > 0) for agent, action in actions.items()})


class ObservationsOfManyKinds(Healthy):
    """The cell as a number, whether it is an end as bits, the wind as a scalar and as a word."""

    def __init__(self) -> None:
        super().__init__()
        kinds = (
            spaces.Discrete(5),
            spaces.MultiBinary(2),
            spaces.Box(0.0, 1.0, (), np.float32),
            spaces.Text(4, charset="01"),
        )
        self.spaces = spaces.Tuple(kinds), self.spaces[1]

    def observe(self, agent: str) -> Any:
        cell = self.cells[agent]
        ends = np.array([cell == 0, cell == 4], np.int8)
        return np.int64(cell), ends, np.float32(self.wind), f"{int(self.wind * 15):04b}"


class JoinsLater(Healthy):
    """ "late" joins at step 2."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        tables = super().reset(seed, options)
        self.agents = ["early", "middle"]
        return tuple({a: table[a] for a in self.agents} for table in tables)  # type: ignore[return-value]

    def step(self, actions: dict[str, Any]) -> Returned:
        observations, rewards, terminations, truncations, infos = super().step(actions)
        if self.time == 2:
            self.agents = [*self.agents, "late"]
            observations["late"], infos["late"] = self.observe("late"), self.info("late")
        return observations, rewards, terminations, truncations, infos


class Endless(WithoutMasks):
    """No agent's episode ever ends."""

    def step(self, actions: dict[str, Any]) -> Returned:
        self.time = 0
        return super().step(actions)


def through_aec() -> Any:
    """PettingZoo's own conversions, there and back."""
    aec = parallel_to_aec(Healthy())
    aec.metadata = {**aec.metadata, "is_parallelizable": True}
    return aec_to_parallel(aec)


HEALTHY = [
    Healthy,
    Strict,
    MasksOfBool,
    WithoutMasks,
    WithoutState,
    WithoutPossibleAgents,
    WithACommonInfo,
    MaskInObservation,
    ActionsFromTen,
    ActionsOfTwoParts,
    MasksInATuple,
    Continuous,
    ObservationsOfManyKinds,
    JoinsLater,
    Endless,
    through_aec,
]

UNMASKED = [WithoutMasks, Continuous, Endless]
