"""What every choice of a rollout adds to the payments, from observations and actions alone.

The projected payment P(C) of a task is what it is paid if no worker joins its coalition C any more. No worker leaves a
coalition and nothing is random once the choices are made, so P follows from the arrivals of the members, and P of the
last coalition is what the task is paid in the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.observation_reader import SEEN_SHARE
from crowdgym.agents.csc.pau_game import Coalitions, Floats, Game, Ints, join, payoff
from crowdgym.agents.learning.collect import VectorEnvironment
from crowdgym.agents.learning.rollout import Rollout
from crowdgym.agents.learning.trainer import TrainingTask
from crowdgym.common.errors import ConfigError
from crowdgym.common.jit import jit
from crowdgym.common.layout import ObservationLayout, ObservationSet

CANDIDATES: Final = "candidates"  # the info with the ids of the candidates
TURN: Final = "turn"  # the info that says which choice of its step a decision was
_PAYMENT_SCALE: Final = 4.0  # a 1 of "payment_now" stands for that many mean payments


@dataclass(frozen=True)
class Projection:
    """D decisions of a rollout with K candidates each, C copies; payments in currency.

    Attributes:
        others: how many other agents of the copy choose each candidate at the same step, [D, K].
        marginal: P(C ∪ w) − P(C) of the worker that joins; choices of one step count one after the other.
            0 for who holds. [D]. The sum over a copy is its revenue.
        increment: the sum over the candidates of P after minus P before the joint action of the step, [D].
        realised: the sum over the candidates of what each is paid in the end, [D].
        revenue: what all tasks are paid in the end, [C].
    """

    others: Ints
    marginal: Floats
    increment: Floats
    realised: Floats
    revenue: Floats


class Projector:
    """Works out projections; the rules of the world are in the metadata.

    A workload beyond the scale of an observation (four mean workloads) counts as that scale.

    Args:
        metadata: of the environment.
        sets: the sets of the rows in a rollout: those of an observation, perhaps with more features.
    """

    def __init__(self, metadata: Mapping[str, Any], sets: Sequence[ObservationSet]) -> None:
        layout = ObservationLayout.from_metadata(metadata, sets[-1].stop)
        self._units = layout["T_optional"]
        self._optional = ObservationLayout(tuple(sets))["T_optional"]
        rules = metadata["rules"]
        self._step_s, self._horizon_s = float(rules["step_s"]), float(rules["horizon_s"])
        self._speed_mps, self._penalty_per_s = float(rules["speed_mps"]), float(rules["penalty_per_s"])

    @property
    def payment_mean(self) -> float:
        """The mean payment of the scenario, in currency."""
        return self._units.scale("payment_now") / _PAYMENT_SCALE

    def project(self, rollout: Rollout) -> Projection:
        """The projection of a rollout that has kept the info `CANDIDATES`."""
        candidates = rollout.at_decisions(CANDIDATES).astype(np.int64)  # [D, K]
        turn = rollout.decision_infos.get(TURN, rollout.rows)  # at once, choices count in the order of workers
        order = np.lexsort((turn, rollout.steps))
        decisions = len(candidates)
        found = Projection(
            others=np.zeros(candidates.shape, np.int64),
            marginal=np.zeros(decisions),
            increment=np.zeros(decisions),
            realised=np.zeros(decisions),
            revenue=np.zeros(rollout.num_copies),
        )
        for copy in range(rollout.num_copies):
            chosen = order[rollout.copies[order] == copy]
            if len(chosen) == 0:
                continue
            steps = rollout.steps[chosen]
            game = self._game(rollout.observations[chosen], candidates[chosen], steps)
            coalitions = Coalitions.empty(len(game.payment), int(rollout.num_agents[copy]))
            of_copy = _replay(game, coalitions, steps, rollout.actions[chosen] - 1)
            parts = (found.others, found.marginal, found.increment, found.realised)
            for whole, part in zip(parts, of_copy, strict=True):
                whole[chosen] = part
            found.revenue[copy] = coalitions.paid.sum()
        return found

    def _game(self, seen: NDArray[np.float32], candidates: Ints, steps: Ints) -> Game:
        """All decisions of a copy as one game: a player is a decision; times are seconds since the episode began.

        What a task is, is read where it is seen for the first time: then no worker has joined it.
        """
        rows = self._optional.take(seen).astype(np.float64)  # [d, K, features]
        there = candidates >= 0
        ids, first = np.unique(candidates[there], return_index=True)
        task = np.where(there, np.searchsorted(ids, candidates), -1)
        now_s = np.minimum(steps * self._step_s, self._horizon_s)  # [d]
        seen_s = np.broadcast_to(now_s[:, np.newaxis], candidates.shape)[there][first]  # [m]
        of_tasks = rows[there][first]  # [m, features]
        late_s = np.maximum(-self._values(of_tasks, "until_expected"), 0.0)
        kept = 1.0 - self._penalty_per_s * late_s
        paid_now = self._values(of_tasks, "payment_now")
        return Game(
            task=task,
            arrival_s=now_s[:, np.newaxis] + self._values(rows, "distance") / self._speed_mps,
            work_left_s=self._values(of_tasks, "work_left"),
            expected_s=seen_s + self._values(of_tasks, "until_expected"),
            # What is finished after the episode is not paid; at its very end it is.
            deadline_s=np.minimum(
                seen_s + self._values(of_tasks, "until_deadline"), np.nextafter(self._horizon_s, np.inf)
            ),
            payment=np.where(kept > SEEN_SHARE, paid_now / np.maximum(kept, SEEN_SHARE), paid_now),
            penalty_per_s=np.full(len(ids), self._penalty_per_s),
        )

    def _values(self, rows: Floats, name: str) -> Floats:
        """A feature of tasks, in its unit."""
        values: Floats = rows[..., self._optional.column(name)] * self._units.scale(name)
        return values


@jit
def _replay(game: Game, coalitions: Coalitions, steps: Ints, choice: Ints) -> tuple[Ints, Floats, Floats, Floats]:
    """Let the players, one for each decision, join in order. Choices of -1 hold.

    Returns:
        ``others``, ``marginal``, ``increment`` and ``realised`` of `Projection`.
    """
    decisions, options = game.task.shape
    others = np.zeros((decisions, options), np.int64)
    marginal, increment, realised = np.zeros(decisions), np.zeros(decisions), np.zeros(decisions)
    before = coalitions.paid.copy()  # at the beginning of the step
    joined = np.zeros(len(game.payment), np.int64)  # at this step
    begin = 0
    while begin < decisions:
        end = begin
        while end < decisions and steps[end] == steps[begin]:
            option = choice[end]
            if option >= 0:
                task, arrival_s = game.task[end, option], game.arrival_s[end, option]
                marginal[end] = payoff(game, coalitions, task, arrival_s)
                join(game, coalitions, task, end, arrival_s)
                joined[task] += 1
            end += 1
        for decision in range(begin, end):
            for option in range(options):
                task = game.task[decision, option]
                if task >= 0:
                    others[decision, option] = joined[task] - (choice[decision] == option)
                    increment[decision] += coalitions.paid[task] - before[task]
        for decision in range(begin, end):
            if choice[decision] >= 0:
                task = game.task[decision, choice[decision]]
                before[task], joined[task] = coalitions.paid[task], 0
        begin = end
    for decision in range(decisions):
        for option in range(options):
            if game.task[decision, option] >= 0:
                realised[decision] += coalitions.paid[game.task[decision, option]]
    return others, marginal, increment, realised


def csc_projector(task: TrainingTask, env: VectorEnvironment, sets: Sequence[ObservationSet]) -> Projector:
    """The projector of ``csc_v0``. Raises `ConfigError` if the environment is another one."""
    if task.environment != "csc_v0":
        raise ConfigError(f"{task.settings.agent} is for csc_v0 only, got {task.environment}")
    return Projector(env.metadata, sets)
