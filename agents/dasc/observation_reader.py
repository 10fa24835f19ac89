"""The state of the subtasks that may be dispatched now, read from observations and infos."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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
        slots: the numbers of the subtasks among all agents. Shape [n].
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

    slots: NDArray[np.int64]
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
        metadata: metadata of the environment; they have the layout of observations.
        width: F, the length of an observation.
    """

    def __init__(self, metadata: Mapping[str, Any], width: int) -> None:
        layout = ObservationLayout.from_metadata(metadata, width)
        self._own = (layout["t_self"], layout["own_task"])
        self._candidates = layout["W_candidates"]
        t_self = layout["t_self"]
        self._skills = [t_self.column(name) for name in t_self.features if name.startswith("skill_")]

    def read(self, slots: NDArray[np.int64], rows: NDArray[np.float32], candidates: NDArray[Any]) -> DispatchState:
        """The dispatch state of this epoch.

        Args:
            slots: the agents that may ask for a worker, in order. Shape [m].
            rows: their observations. Shape [m, F].
            candidates: their infos ``candidates``. Shape [m, K].
        """
        ready = self._values(rows.astype(np.float64), "predecessors_unassigned") < _COUNT_ABOUT
        seen = rows[ready].astype(np.float64)
        able = candidates[ready].astype(np.int64)
        by_road = self._candidates.column("distance_by_road")
        distance_m = self._candidates.take(seen)[:, :, by_road] * self._candidates.scale("distance_by_road")

        def values(name: str) -> Floats:
            return self._values(seen, name)

        return DispatchState(
            slots=slots[ready],
            candidates=able,
            distance_m=np.where(able >= 0, distance_m, np.inf),
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
    _agents: Sequence[str]
    _selects: bool

    def reset(self, episode: Episode) -> None:
        """Read the layout of observations, and the rules."""
        self._reader = Reader(episode.metadata, int(np.prod(episode.observation_space.shape or (0,))))
        self._rules = Rules.of(episode.metadata)
        self._agents = episode.agents
        self._selects = int(getattr(episode.action_space, "n", 2)) > 2

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        actions = dict.fromkeys(infos, 0)
        asking = [slot for slot, agent in enumerate(self._agents) if infos[agent]["action_mask"][1]]
        if not asking:
            return actions
        rows = np.stack([observations[self._agents[slot]] for slot in asking])
        candidates = np.stack([infos[self._agents[slot]]["candidates"] for slot in asking])
        now = self._reader.read(np.array(asking), rows, candidates)
        if len(now.slots):
            for row, choice in self.choose(now).items():
                actions[self._agents[now.slots[row]]] = choice + 1 if self._selects else 1
        return actions

    @abstractmethod
    def choose(self, now: DispatchState) -> dict[int, int]:
        """The dispatched subtasks: rows of the dispatch state, each with the number of its candidate, from 0 on."""
