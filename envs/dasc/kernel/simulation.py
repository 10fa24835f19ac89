"""B copies of DASC side by side: the arrays, the kernel's calls, and nothing of PettingZoo."""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.common.jit import kernel
from crowdgym.common.references import reference_to
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.roads import RoadNetwork
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.core.clock import Clock
from crowdgym.envs.core.instance_checks import refuse_other_network, refuse_other_sizes
from crowdgym.envs.core.neighbours import Box
from crowdgym.envs.core.road_graph import RoadArrays
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.kernel.dynamics import Rules, begin_step, play, start_episode
from crowdgym.envs.dasc.kernel.observation import Rows, Scales, locate_workers, observation_layout, observe
from crowdgym.envs.dasc.kernel.requests import list_candidates, take_actions
from crowdgym.envs.dasc.kernel.state import DascState, Sizes, TaskStatus, WorkerStatus, empty_precedence, empty_state

UNDER_WAY = (WorkerStatus.TRAVELLING, WorkerStatus.RELEASED)
Copies = NDArray[np.int64]
_MAKING_ROOM = Lock()  # copies may be reset by several threads, and room is made for all copies at once


@dataclass(frozen=True)
class Metrics:
    """The figures of an episode so far. Money is in currency; what has no unit in its name is a number of that kind."""

    revenue: float
    travel_cost: float
    profit: float
    completed: int
    expired: int
    assigned: int
    travel_m: float
    illegal: int
    invalid: int
    unmatched: int


@kernel
def _decide(
    state: DascState,
    roads: RoadArrays,
    rules: Rules,
    clock: Clock,
    epochs: NDArray[np.int64],
    actions: NDArray[np.int64],
    copies: Copies,
) -> None:
    """Apply the joint actions of some copies."""
    for b in copies:
        begin_step(state.output, b)
        take_actions(state, roads, rules, b, actions[b], min(epochs[b] * clock.step_s, clock.horizon_s))


@kernel
def _play_on(
    state: DascState,
    roads: RoadArrays,
    rules: Rules,
    scales: Scales,
    clock: Clock,
    epochs: NDArray[np.int64],
    observations: Rows,
    copies: Copies,
    begins: bool,
) -> None:
    """Play some copies forward to their next epoch (not if it ``begins``), and work out what slots see and may do."""
    for b in copies:
        if not begins:
            play(state, roads, rules, b, min((epochs[b] + 1) * clock.step_s, clock.horizon_s))
            epochs[b] += 1
        now_s = min(epochs[b] * clock.step_s, clock.horizon_s)
        locate_workers(state.workers, state.distances, roads, rules.speed_mps, b, now_s)
        list_candidates(state, rules, roads.unit_m, b)
        observe(state, roads, rules, scales, b, now_s, observations[b])


class DascSimulation:
    """B copies of DASC on one network, each at an epoch of its own.

    Attributes:
        state: the structure of arrays that the kernel works on.
        passed: the same as kernels are handed it.
        epochs: the epoch of each copy. Shape [B].
        observations: what every slot sees, written in place by `reset_copy` and `step`. Shape [B, S, F].
        matching_s: wall-clock seconds that each copy's decisions have taken (admission, matching, setting out) since
            its reset; no two runs agree on it. Shape [B].
    """

    def __init__(self, network: RoadNetwork, settings: DascSettings, batch: int) -> None:
        self.network = network
        self.settings = settings
        self.clock = Clock(settings.step_s, settings.horizon_s)
        self.rules = Rules(
            settings.speed_mps,
            settings.range_m,
            settings.penalty_per_s,
            settings.travel_cost_per_m,
            settings.unmatched_penalty,
            settings.invalid_penalty,
            selects=settings.action_mode == "select",
            after_finish=settings.dependency == "finished",
        )
        self.scales = _scales(network, settings)
        self._distances = Distances(network)
        self.roads = reference_to(RoadArrays.of(network, self._distances.position))
        self.sizes = Sizes(
            settings.num_workers,
            settings.num_tasks,
            settings.num_slots,
            network.num_nodes,
            settings.max_candidates,
            settings.max_candidates + 1 if self.rules.selects else 2,
        )
        self.state: DascState = empty_state(batch, self.sizes, Box.around(network.x_m, network.y_m))
        self.state.distances.position[:] = self._distances.position
        self.passed = reference_to(self.state)
        self.epochs = np.zeros(batch, np.int64)
        self.matching_s = np.zeros(batch)
        width = observation_layout(settings.max_candidates).width
        self._written = np.zeros((batch, self.sizes.slots, width), np.float32)
        self.observations = self._written

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # A copied array can be written to, and kernels would compile anew.
        self.roads = reference_to(RoadArrays.of(self.network, self._distances.position))

    def reset_copy(self, b: int, instance: DascInstance, utility: tuple[float, float] | None = None) -> None:
        """Begin ``instance`` in copy ``b``, with (α, β) of ``utility``, or of the settings.

        Raises:
            ConfigError: the instance has other numbers of workers or tasks than the settings, too many subtasks, or
                another road network.
        """
        self._refuse_misfit(instance)
        with _MAKING_ROOM:
            self._make_room(len(instance.predecessors))
            self._fill_slots(b, instance)
        workers, tasks = self.state.workers, self.state.tasks
        workers.skill_bits[b] = _bits(instance.worker_skills)
        workers.skill_count[b] = instance.worker_skills.sum(axis=1)
        for name in ("created_s", "expected_s", "deadline_s", "payment"):
            getattr(tasks, name)[b] = getattr(instance, name)
        tasks.first[b] = np.searchsorted(instance.subtask_task, np.arange(self.sizes.tasks + 1))
        distances = self.state.distances
        distances.place_node[b, self.sizes.slots :] = instance.worker_node
        self._distances.table_into(self.state.subtasks.node[b], distances.to_subtasks[b])
        alpha, beta = self.settings.utility if utility is None else utility
        self.state.weights[b] = alpha * beta, alpha * (1 - beta), 1 - alpha
        self.epochs[b] = 0
        self.matching_s[b] = 0.0
        start_episode(self.passed, self.roads, b)
        self._play_on(np.array([b]), begins=True)

    def _fill_slots(self, b: int, instance: DascInstance) -> None:
        """Write the subtasks into their slots; an empty slot is at node 0, of no task and with no predecessors."""
        subtasks, precedence = self.state.subtasks, self.state.precedence
        count, edges = len(instance.subtask_node), len(instance.predecessors)
        subtasks.task[b] = -1
        for array in (subtasks.node, subtasks.skill_bits, subtasks.skill_count, subtasks.duration_s):
            array[b] = 0
        subtasks.task[b, :count] = instance.subtask_task
        subtasks.node[b, :count] = instance.subtask_node
        subtasks.skill_bits[b, :count] = _bits(instance.subtask_skills)
        subtasks.skill_count[b, :count] = instance.subtask_skills.sum(axis=1)
        subtasks.duration_s[b, :count] = instance.duration_s
        precedence.start[b, : count + 1] = instance.predecessor_start
        precedence.start[b, count + 1 :] = edges
        precedence.predecessors[b, :edges] = instance.predecessors

    def _make_room(self, edges: int) -> None:
        """See that ``edges`` precedences fit in every copy."""
        old = self.state.precedence
        if edges > old.predecessors.shape[1]:
            new = empty_precedence(len(self.epochs), self.sizes.slots, 2 * edges)
            new.start[:] = old.start
            new.predecessors[:, : old.predecessors.shape[1]] = old.predecessors
            self.state = self.state._replace(precedence=new)
            self.passed = reference_to(self.state)

    def _refuse_misfit(self, instance: DascInstance) -> None:
        sizes = (
            ("workers", len(instance.worker_node), self.settings.num_workers),
            ("tasks", len(instance.created_s), self.settings.num_tasks),
        )
        refuse_other_sizes(sizes)
        if len(instance.subtask_node) > self.sizes.slots:
            raise ConfigError(
                f"an instance must have at most {self.sizes.slots} subtasks (subtasks_mean times num_tasks), "
                f"got one with {len(instance.subtask_node)}"
            )
        refuse_other_network(instance.network, self.network, self.settings.scenario)

    def use_fresh_observations(self) -> None:
        """Put observations into a new array from now on; the caller may keep and change views of the old one.

        The kernel writes over what it wrote at the epoch before, so the caller never gets the array that the kernel
        writes into.
        """
        self.observations = np.empty_like(self._written)

    def step(self, actions: NDArray[np.int64], copies: Copies | None = None) -> None:
        """Apply the joint actions, shape [B, S], and play every copy, or those listed, forward to its next epoch.

        The results are in ``state.output`` and ``observations``. Calls for different copies may run at the same time.
        """
        which = np.arange(len(self.epochs)) if copies is None else copies
        if not len(which):
            return
        began_s = time.perf_counter()
        _decide(self.passed, self.roads, self.rules, self.clock, self.epochs, actions, which)
        self.matching_s[which] += (time.perf_counter() - began_s) / len(which)
        self._play_on(which, begins=False)

    def is_over(self) -> NDArray[np.bool_]:
        """Which copies are at their horizon. Shape [B]."""
        return self.epochs >= self.clock.epochs

    def _play_on(self, copies: Copies, begins: bool) -> None:
        arrays = (self.passed, self.roads, self.rules, self.scales, self.clock, self.epochs, self._written)
        _play_on(*arrays, copies, begins)
        if self.observations is not self._written:
            np.copyto(self.observations, self._written)

    def now_s(self, b: int) -> float:
        """The time of copy ``b``."""
        return self.clock.time_s(int(self.epochs[b]))

    def metrics(self, b: int) -> Metrics:
        """The figures of copy ``b`` so far."""
        workers, tasks, subtasks = self.state.workers, self.state.tasks, self.state.subtasks
        under_way = np.isin(workers.status[b], UNDER_WAY)
        gone_m = self.rules.speed_mps * (self.now_s(b) - workers.depart_s[b][under_way])
        gone_m = np.minimum(gone_m, workers.leg_units[b][under_way] * self.network.unit_m)
        travel_m = float(workers.driven_units[b].sum() * self.network.unit_m + gone_m.sum())
        revenue, travel_cost = float(tasks.paid[b].sum()), self.rules.travel_cost_per_m * travel_m
        return Metrics(
            revenue=revenue,
            travel_cost=travel_cost,
            profit=revenue - travel_cost,
            completed=int((tasks.status[b] == TaskStatus.FINISHED).sum()),
            expired=int((tasks.status[b] == TaskStatus.EXPIRED).sum()),
            assigned=int((subtasks.worker[b] >= 0).sum()),
            travel_m=travel_m,
            illegal=int(subtasks.illegal[b].sum()),
            invalid=int(subtasks.invalid[b].sum()),
            unmatched=int(subtasks.unmatched[b].sum()),
        )


def _bits(skills: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Sets of skills, shape [..., 10], as numbers: bit k for skill k."""
    return (skills @ (1 << np.arange(skills.shape[1]))).astype(np.uint16)


def _scales(network: RoadNetwork, settings: DascSettings) -> Scales:
    west, south, east, north = Box.around(network.x_m, network.y_m)
    work_s = settings.subtasks_mean * settings.duration_mean_s
    return Scales(
        centre_x_m=(west + east) / 2,
        centre_y_m=(south + north) / 2,
        extent_m=max(east - west, north - south, 1.0) / 2,
        reach_m=max(settings.range_m, 1.0),
        horizon_s=settings.horizon_s,
        window_s=2 * settings.deadline_factor * work_s,
        duration_s=2 * work_s,
        payment=2 * settings.payment_factor * work_s / settings.payment_unit_s,
    )
