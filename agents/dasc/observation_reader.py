"""The state of the subtasks that may be dispatched now, read from observations and infos."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.common.layout import ObservationLayout

Floats = NDArray[np.float64]
_COUNT_ABOUT: Final = 1e-3  # counts are read from 32-bit shares of 15


@dataclass(frozen=True)
class Rules:
    """The constants of an environment, as its ``metadata["rules"]`` has them."""

    speed_mps: float
    penalty_per_s: float
    travel_cost_per_m: float
    step_s: float

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> "Rules":
        """Read the rules that dispatchers need."""
        return cls(**{name: float(metadata["rules"][name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class DispatchState:
    """The n subtasks that may be given a worker now and whose predecessors all have one, in slot order.

    Times are seconds from now, negative in the past; they are clipped at the scale of the observation.

    Attributes:
        agents: names of the subtasks.
        candidates: ids of the nearest able idle workers, by road, nearest first; -1 for none. Shape [n, K].
        distance_m: distance to each candidate; infinite for none. Shape [n, K].
        slack_expected_s: from the finish, if work began now, to the latest finish at which the task is paid in full.
        slack_deadline_s: likewise to the latest finish at which the task is paid at all.
        ready_s: time until all predecessors are finished.
        duration_s: duration of the work.
        expected_s: time until the task's expected time.
        deadline_s: time until its deadline.
        payment: payment of the task without any penalty.
        unassigned: number of subtasks of the task without a worker, including this subtask.
        x_m: metres east of the city's centre.
        y_m: metres north of it.
        skills: the required skills, as flags. Shape [n, skills].
    """

    agents: list[str]
    candidates: NDArray[np.int64]
    distance_m: Floats
    slack_expected_s: Floats
    slack_deadline_s: Floats
    ready_s: Floats
    duration_s: Floats
    expected_s: Floats
    deadline_s: Floats
    payment: Floats
    unassigned: Floats
    x_m: Floats
    y_m: Floats
    skills: Floats

    @property
    def path_s(self) -> Floats:
        """The longest path through the precedence graph from the beginning of a subtask to the end of its task."""
        return np.maximum(self.deadline_s - self.slack_deadline_s, self.duration_s)


class Reader:
    """Reads the dispatch state of one environment.

    Args:
        episode: the episode; its metadata have the layout of observations.
    """

    def __init__(self, episode: Episode) -> None:
        width = int(np.prod(episode.observation_space.shape or (0,)))
        layout = ObservationLayout.from_metadata(episode.metadata, width)
        self._width = width
        self._own = (layout["t_self"], layout["own_task"])
        self._candidates = layout["W_candidates"]
        t_self = layout["t_self"]
        self._skills = [t_self.column(name) for name in t_self.features if name.startswith("skill_")]

    def read(self, observations: Observations, infos: Infos) -> DispatchState:
        """The dispatch state of this epoch."""
        agents = [agent for agent, info in infos.items() if info["action_mask"][1]]
        if not agents:
            return self._of([], np.zeros((0, self._width)), infos)
        seen = np.stack([observations[agent] for agent in agents]).astype(np.float64)  # [n, F]
        ready = self._values(seen, "predecessors_unassigned") < _COUNT_ABOUT
        return self._of([agent for agent, is_ready in zip(agents, ready, strict=True) if is_ready], seen[ready], infos)

    def _of(self, agents: list[str], seen: Floats, infos: Infos) -> DispatchState:
        by_road = self._candidates.column("distance_by_road")
        distance_m = self._candidates.take(seen)[:, :, by_road] * self._candidates.scale("distance_by_road")
        most = distance_m.shape[1]
        candidates = np.array([infos[agent]["candidates"] for agent in agents], np.int64).reshape(-1, most)

        def values(name: str) -> Floats:
            return self._values(seen, name)

        return DispatchState(
            agents=agents,
            candidates=candidates,
            distance_m=np.where(candidates >= 0, distance_m, np.inf),
            slack_expected_s=values("slack_expected"),
            slack_deadline_s=values("slack_deadline"),
            ready_s=values("until_ready"),
            duration_s=values("duration"),
            expected_s=values("until_expected"),
            deadline_s=values("until_deadline"),
            payment=values("share") * values("subtasks").round(),
            unassigned=np.maximum(values("subtasks_unassigned").round(), 1.0),
            x_m=values("x"),
            y_m=values("y"),
            skills=self._own[0].take(seen)[:, 0, self._skills],
        )

    def _values(self, seen: Floats, name: str) -> Floats:
        """A feature of the subtasks or of their tasks, in its unit. Shape [n]."""
        part = next(part for part in self._own if name in part.features)
        values: Floats = part.take(seen)[:, 0, part.column(name)] * part.scale(name)
        return values


class Dispatcher(ABC):
    """A policy that chooses, for all subtasks at once, which are dispatched now and which candidate each asks for.

    If slots only recommend themselves (two actions), every candidate means to recommend: stage 2 assigns the worker.
    """

    _reader: Reader
    _rules: Rules
    _selects: bool

    def reset(self, episode: Episode) -> None:
        """Read the layout of observations, and the rules."""
        self._reader = Reader(episode)
        self._rules = Rules.of(episode.metadata)
        self._selects = int(getattr(episode.action_space, "n", 2)) > 2

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        actions = dict.fromkeys(infos, 0)
        now = self._reader.read(observations, infos)
        if now.agents:
            for row, choice in self.choose(now).items():
                actions[now.agents[row]] = choice + 1 if self._selects else 1
        return actions

    @abstractmethod
    def choose(self, now: DispatchState) -> dict[int, int]:
        """The dispatched subtasks: rows of the dispatch state, each with the number of its candidate, from 0 on."""
