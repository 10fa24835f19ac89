"""Environments broken in what they do, one fault each; see broken_base for the healthy one."""

import copy
import random
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray
from testing.broken_base import LAST_STEP, Healthy, Returned, broken

# ---- illegal actions ----


@broken("illegal_actions", 1, "early", "step()")
class CrashesOnAMaskedAction(Healthy):
    def move(self, agent: str, action: int) -> None:
        legal = np.flatnonzero(self.mask(agent)).tolist()
        self.cells[agent] += {0: 0, 1: -1, 2: 1}[legal[legal.index(action)] if action in legal else -1]


@broken("illegal_actions", 1, "early", "observation[0]")
class RefusesTooLate(Healthy):
    def move(self, agent: str, action: int) -> None:
        if not self.mask(agent)[action]:
            raise InvalidAction(f"{agent} may not take action {action} now")
        super().move(agent, action)


@broken("illegal_actions", 1, "early", "observation[1]")
class WalksOffTheLine(Healthy):
    def move(self, agent: str, action: int) -> None:
        self.cells[agent] += (0, -1, 1)[action]


# ---- repeats ----


@broken("determinism", 2, "early", "observation[0]")
class RandomFromTheSecondStep(Healthy):
    """PettingZoo's own parallel_seed_test stops after one step."""

    def seed(self, seed: int) -> None:
        super().seed(seed)
        self.entropy = np.random.default_rng()

    def step(self, actions: dict[str, Any]) -> Returned:
        if self.time > 0:
            self.rng = self.entropy
        return super().step(actions)


@broken("determinism", 11, "late", "info['noise']")
class RandomInfoNearTheEnd(Healthy):
    def info(self, agent: str) -> dict[str, Any]:
        return super().info(agent) | ({"noise": np.random.default_rng().random()} if self.time == 11 else {})


@broken("determinism", 5, "late", "reward")
class RandomReward(Healthy):
    def reward(self, agent: str) -> float:
        noise = np.random.default_rng().random() if (agent, self.time) == ("late", 5) else 0.0
        return float(super().reward(agent) + noise)


@broken("determinism", 8, None, "state()[0]")
class RandomState(Healthy):
    def state(self) -> NDArray[np.float32]:
        state = super().state()
        state[0] = np.random.default_rng().random() if self.time == 8 else state[0]
        return state


@broken("determinism", 0, "early", "observation[0]")
class SeedZeroIsNone(Healthy):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        return super().reset(seed or None, options)


@broken("global_random_state", 3, None, "the global state of numpy.random")
class DrawsFromNumpyRandom(Healthy):
    def reward(self, agent: str) -> float:
        noise = float(np.random.random()) if self.time == 3 else 0.0  # noqa: NPY002
        return super().reward(agent) + noise


@broken("global_random_state", 0, None, "the global state of random")
class DrawsFromRandom(Healthy):
    def seed(self, seed: int) -> None:
        super().seed(seed)
        random.random()


@broken("global_random_state", 0, None, "the global state of numpy.random")
class SeedsNumpyRandom(Healthy):
    def seed(self, seed: int) -> None:
        super().seed(seed)
        np.random.seed(seed)  # noqa: NPY002


@broken("global_random_state", None, None, "the global state of numpy.random")
class ConstructorDraws(Healthy):
    def __init__(self) -> None:
        super().__init__()
        self.colour = np.random.random()  # noqa: NPY002


@broken("global_random_state", 0, "early", "observation[0]")
class LooksAtNumpyRandom(Healthy):
    """Draws nothing, but its wind is that of the global seed."""

    def seed(self, seed: int) -> None:
        self.rng = np.random.default_rng([seed, int(np.random.get_state()[1][0])])  # noqa: NPY002


@broken("seeds", None, None, "observations")
class IgnoresTheSeed(Healthy):
    def seed(self, seed: int) -> None:
        super().seed(7)


@broken("repetition", 0, "early", "observation[2]")
class CountsEpisodes(Healthy):
    episodes = 0

    def seed(self, seed: int) -> None:
        super().seed(seed)
        self.episodes = min(self.episodes + 1, 5)

    def observe(self, agent: str) -> Any:
        return super().observe(agent) + np.array([0, 0, (self.episodes - 1) / 20], np.float32)


@broken("instances", 1, "early", "observation[0]")
class SharesTheGeneratorOfItsClass(Healthy):
    shared: ClassVar[dict[str, Any]] = {}

    def seed(self, seed: int) -> None:
        self.shared["rng"] = np.random.default_rng(seed)

    @property
    def rng(self) -> Any:
        return self.shared["rng"]

    @rng.setter
    def rng(self, rng: Any) -> None:
        self.shared["rng"] = rng


# ---- sharing ----


@broken("fresh_dicts", 0, "middle", "info")
class OneInfoForAll(Healthy):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        observations, infos = super().reset(seed, options)
        shared = {"action_mask": np.array([1, 0, 0], np.int8)}
        return observations, dict.fromkeys(infos, shared)


@broken("fresh_dicts", 1, None, "observations")
class SameDictEachStep(Healthy):
    def __init__(self) -> None:
        super().__init__()
        self.table: dict[str, Any] = {}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        return self.refilled(*super().reset(seed, options))

    def step(self, actions: dict[str, Any]) -> Any:
        return self.refilled(*super().step(actions))

    def refilled(self, observations: dict[str, Any], *rest: Any) -> Any:
        self.table.clear()
        self.table.update(observations)
        return self.table, *rest


@broken("kept_values", 0, "early", "observation[0]")
class SameArrayEachStep(Healthy):
    NUMBER = 1

    def __init__(self) -> None:
        super().__init__()
        self.rows = {a: [np.zeros(3, np.float32) for _ in range(self.NUMBER)] for a in LAST_STEP}

    def observe(self, agent: str) -> Any:
        row = self.rows[agent][self.time % self.NUMBER]
        row[:] = super().observe(agent)
        return row


@broken("kept_values", 0, "early", "observation[0]")
class TwoArraysInTurns(SameArrayEachStep):
    NUMBER = 2


@broken("kept_values", 0, "early", "observation[0]")
class SameArraysEachEpisode(SameArrayEachStep):
    NUMBER = 20


@broken("kept_values", 0, None, "state()[0]")
class SameStateEachStep(Healthy):
    def __init__(self) -> None:
        super().__init__()
        self.whole = np.zeros(4, np.float32)

    def state(self) -> NDArray[np.float32]:
        self.whole[:] = super().state()
        return self.whole


@broken("kept_values", 1, None, "actions['early']")
class EatsTheActions(Healthy):
    def step(self, actions: dict[str, Any]) -> Returned:
        returned = super().step(actions)
        actions.clear()
        return returned


@broken("caller_writes", 1, "early", "observation[0]")
class HandsOutItsMemory(Healthy):
    """A smoothed wind, remembered in the very array that was handed out."""

    def __init__(self) -> None:
        super().__init__()
        self.memory: dict[str, Any] = {}

    def observe(self, agent: str) -> Any:
        row = super().observe(agent)
        if self.time > 0:
            row[0] = (row[0] + self.memory[agent][0]) / 2
        self.memory[agent] = row
        return row


@broken("caller_writes", 2, "early", "reward")
class RemembersTheCallersActions(Healthy):
    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, Any] = {}

    def step(self, actions: dict[str, Any]) -> Returned:
        if self.time == 0:
            self.last = {}
        returned = super().step(actions)
        self.last = actions
        return returned

    def reward(self, agent: str) -> float:
        return float(1 + self.last[agent]) if agent in self.last else 0.0


@broken("deepcopy", 5, None, "a copy of RefusesDeepCopies")
class RefusesDeepCopies(Healthy):
    def __deepcopy__(self, memo: dict[int, Any]) -> "RefusesDeepCopies":
        raise TypeError("cannot copy a window")


@broken("deepcopy", 6, "middle", "observation[0]")
class CopySharesTheGenerator(Healthy):
    def __deepcopy__(self, memo: dict[int, Any]) -> "CopySharesTheGenerator":
        twin = copy.copy(self)
        twin.cells = dict(self.cells)
        return twin


@broken("deepcopy", 6, None, "step()")
class CopyIsNew(Healthy):
    def __deepcopy__(self, memo: dict[int, Any]) -> "CopyIsNew":
        return type(self)()

    def step(self, actions: dict[str, Any]) -> Returned:
        if not self.agents:
            raise RuntimeError("call reset first")
        return super().step(actions)


@broken("pickle", 5, None, "a copy of HoldsALambda")
class HoldsALambda(Healthy):
    def __init__(self) -> None:
        super().__init__()
        self.scale = lambda x: 2 * x


@broken("pickle", 6, "middle", "observation[0]")
class PickleForgetsTheGenerator(Healthy):
    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "rng": np.random.default_rng(0)}

    def __deepcopy__(self, memo: dict[int, Any]) -> "PickleForgetsTheGenerator":
        twin = type(self).__new__(type(self))
        twin.__dict__.update(copy.deepcopy(vars(self), memo))
        return twin
