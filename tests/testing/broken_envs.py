"""Environments broken in what they hand out, one fault each; see broken_base for the healthy one."""

from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from testing.broken_base import LAST_STEP, Healthy, Returned, broken

# ---- construction ----


@broken("construction", None, None, "factory()")
class ConstructorRaises(Healthy):
    def __init__(self) -> None:
        raise FileNotFoundError("no map")


@broken("construction", None, None, "factory()")
class NotAnEnvironment:
    agents: ClassVar[list[str]] = []


@broken("construction", None, None, "metadata['name']")
class NoName(Healthy):
    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}


@broken("construction", None, None, "metadata['render_modes']")
class NoRenderModes(Healthy):
    metadata: ClassVar[dict[str, Any]] = {"name": "healthy_v0"}


@broken("construction", None, None, "possible_agents")
class AgentTwice(Healthy):
    def __init__(self) -> None:
        super().__init__()
        self.possible_agents = ["early", "middle", "late", "late"]


@broken("construction", None, "early", "action_space()")
class NewSpaceEachCall(Healthy):
    def action_space(self, agent: str) -> Discrete:
        return Discrete(3)


@broken("construction", None, "late", "observation_space()")
class SpaceRaises(Healthy):
    def observation_space(self, agent: str) -> Box:
        return {"early": self.spaces[0], "middle": self.spaces[0]}[agent]


@broken("construction", None, "early", "observation_space()")
class NotASpace(Healthy):
    def observation_space(self, agent: str) -> Any:
        return (3,)


@broken("construction", None, None, "reset()")
class NoOptions(Healthy):
    def reset(self, seed: int | None = None) -> tuple[dict, dict]:  # type: ignore[override]
        return super().reset(seed)


@broken("construction", None, None, "close()")
class CloseRaises(Healthy):
    def close(self) -> None:
        raise AttributeError("window")


# ---- what reset and step return ----


class Edited(Healthy):
    """Lets a subclass change what a step returns."""

    def step(self, actions: dict[str, Any]) -> Any:
        returned = super().step(actions)
        self.edit(*returned)
        return returned

    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        raise NotImplementedError


@broken("returns", 1, None, "step()")
class ReturnsFour(Healthy):
    def step(self, actions: dict[str, Any]) -> Any:
        observations, rewards, terminations, truncations, infos = super().step(actions)
        return observations, rewards, {a: terminations[a] or truncations[a] for a in terminations}, infos


@broken("returns", 0, None, "reset()")
class OldReset(Healthy):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return super().reset(seed, options)[0]


@broken("returns", 1, None, "rewards")
class RewardsInAList(Healthy):
    def step(self, actions: dict[str, Any]) -> Any:
        observations, rewards, *rest = super().step(actions)
        return observations, list(rewards.values()), *rest


@broken("returns", 6, "late", "truncation")
class MissingTruncation(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 6:
            del truncations["late"]


@broken("returns", 0, "middle", "info")
class MissingInfoAtReset(Healthy):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        observations, infos = super().reset(seed, options)
        del infos["middle"]
        return observations, infos


@broken("returns", 2, "stranger", "reward")
class RewardForAStranger(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 2:
            rewards["stranger"] = 0.0


@broken("returns", 3, "middle", "reward")
class NanReward(Healthy):
    def reward(self, agent: str) -> float:
        return float("nan") if (agent, self.time) == ("middle", 3) else super().reward(agent)


@broken("returns", 1, "early", "reward")
class ArrayReward(Healthy):
    def reward(self, agent: str) -> Any:
        return np.array([super().reward(agent)])


@broken("returns", 1, "early", "termination")
class IntegerEnds(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        for agent in terminations:
            terminations[agent] = int(terminations[agent])


@broken("returns", 2, "late", "info")
class InfoIsNone(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 2:
            infos["late"] = None


@broken("returns", 3, "newcomer", "agents")
class NotAPossibleAgent(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 3:
            self.agents = [*self.agents, "newcomer"]
            self.cells["newcomer"] = 2
            observations["newcomer"], infos["newcomer"] = self.observe("newcomer"), self.info("newcomer")
        elif self.time == 4:
            self.agents = [a for a in self.agents if a != "newcomer"]
            del self.cells["newcomer"]
            terminations["newcomer"] = True

    def step(self, actions: dict[str, Any]) -> Any:
        LAST_STEP.setdefault("newcomer", 4)
        try:
            return super().step(actions)
        finally:
            del LAST_STEP["newcomer"]


@broken("returns", 0, None, "agents")
class NoAgents(Healthy):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        super().reset(seed, options)
        self.agents = []
        return {}, {}


# ---- ends ----


@broken("ends", 6, "early", "reward")
class RewardForADeadAgent(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 6:
            rewards["early"] = 1.0


@broken("ends", 4, "early", "agents")
class DeadAgentStays(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 4:
            self.agents = ["early", *self.agents]
        elif self.time == 5:
            self.agents = [a for a in self.agents if a != "early"]
            terminations["early"] = True


@broken("ends", 7, "early", "agents")
class DeadAgentReturns(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 7:
            self.agents = ["early", *self.agents]
            observations["early"], infos["early"] = self.observe("early"), self.info("early")
        elif self.time == 8:
            self.agents = [a for a in self.agents if a != "early"]
            terminations["early"] = True


@broken("ends", 5, "late", "agents")
class VanishesWithoutAnEnd(Edited):
    def edit(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> None:
        if self.time == 5:
            self.agents = [a for a in self.agents if a != "late"]


@broken("ends", 4, None, "possible_agents")
class AgentsArePossibleAgents(Healthy):
    """The familiar ``self.agents = self.possible_agents`` without a copy, and a removal in place."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        returned = super().reset(seed, options)
        self.possible_agents = self.agents
        return returned

    def step(self, actions: dict[str, Any]) -> Returned:
        agents = self.agents
        self.agents = list(agents)
        returned = super().step(actions)
        agents[:] = self.agents
        self.agents = agents
        return returned


# ---- spaces ----


class Observing(Healthy):
    """Lets a subclass replace one observation: that of ``WHO`` at step ``WHEN``."""

    WHO, WHEN = "middle", 7

    def observe(self, agent: str) -> Any:
        row = super().observe(agent)
        return self.wrong(row) if (agent, self.time) == (self.WHO, self.WHEN) else row

    def wrong(self, row: Any) -> Any:
        raise NotImplementedError


@broken("spaces", 7, "middle", "observation[1]")
class OutOfBounds(Observing):
    def wrong(self, row: Any) -> Any:
        row[1] = 1.5
        return row


@broken("spaces", 9, "middle", "observation[2]")
class NanInTheLastObservation(Observing):
    WHEN = 9

    def wrong(self, row: Any) -> Any:
        row[2] = np.nan
        return row


@broken("spaces", 0, "late", "observation.dtype")
class WrongDtypeAtReset(Observing):
    WHO, WHEN = "late", 0

    def wrong(self, row: Any) -> Any:
        return row.astype(np.float64)


@broken("spaces", 7, "middle", "observation.shape")
class WrongShape(Observing):
    def wrong(self, row: Any) -> Any:
        return row[:2]


@broken("spaces", 7, "middle", "observation")
class ObservationIsAList(Observing):
    def wrong(self, row: Any) -> Any:
        return row.tolist()


@broken("spaces", 3, None, "state()[0]")
class StateOutOfBounds(Healthy):
    def state(self) -> NDArray[np.float32]:
        return super().state() - np.float32(self.time == 3) * np.array([2, 0, 0, 0], np.float32)


# ---- masks ----


class Masking(Healthy):
    """Lets a subclass replace the mask of "late" at step 3."""

    def info(self, agent: str) -> dict[str, Any]:
        info = super().info(agent)
        if (agent, self.time) == ("late", 3):
            info["action_mask"] = self.wrong(info["action_mask"])
        return info

    def wrong(self, mask: Any) -> Any:
        raise NotImplementedError


@broken("masks", 3, "late", "info['action_mask']")
class NothingLegal(Masking):
    def wrong(self, mask: Any) -> Any:
        return np.zeros_like(mask)


@broken("masks", 3, "late", "info['action_mask'].dtype")
class MaskOfFloats(Masking):
    def wrong(self, mask: Any) -> Any:
        return mask.astype(np.float32)


@broken("masks", 3, "late", "info['action_mask'].shape")
class MaskTooLong(Masking):
    def wrong(self, mask: Any) -> Any:
        return np.ones(4, np.int8)


@broken("masks", 3, "late", "info['action_mask'][2]")
class MaskHoldsATwo(Masking):
    def wrong(self, mask: Any) -> Any:
        return np.array([1, 1, 2], np.int8)


@broken("masks", 3, "late", "info['action_mask']")
class MaskIsAList(Masking):
    def wrong(self, mask: Any) -> Any:
        return mask.tolist()


@broken("masks", 3, "late", "info['action_mask']")
class MaskGoesMissing(Masking):
    def wrong(self, mask: Any) -> Any:
        return None


# ---- stepping ----


@broken("stepping", 3, None, "step()")
class LegalActionRaises(Healthy):
    def move(self, agent: str, action: int) -> None:
        if (agent, self.time) == ("late", 3):
            raise KeyError("late")
        super().move(agent, action)


@broken("stepping", 0, None, "reset()")
class ResetRaises(Healthy):
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        raise ValueError("no instance")


@broken("stepping", 2, None, "state()")
class StateRaises(Healthy):
    def state(self) -> NDArray[np.float32]:
        if self.time == 2:
            raise ZeroDivisionError
        return super().state()
