"""B copies of CSC side by side: the arrays, the kernel's calls, and nothing of PettingZoo."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import kernel
from crowdgym.common.references import reference_to
from crowdgym.configs.csc import CscSettings, InfoName
from crowdgym.data.roads import RoadNetwork
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.core.clock import Clock
from crowdgym.envs.core.instance_checks import refuse_other_network, refuse_other_sizes
from crowdgym.envs.core.neighbours import Box
from crowdgym.envs.core.road_graph import RoadArrays
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.kernel.asked import empty_asked, list_gains, list_neighbours
from crowdgym.envs.csc.kernel.candidates import list_candidates, notice_tasks
from crowdgym.envs.csc.kernel.dynamics import play, start_episode, take_actions
from crowdgym.envs.csc.kernel.observation import Rows, Scales, locate_workers, observation_layout, observe
from crowdgym.envs.csc.kernel.state import CscState, Rules, TaskStatus, WorkerStatus, empty_state

CREDITS = ("marginal", "difference")  # parts of `StepOutput` that are worked out only for who reads them
UNDER_WAY = (WorkerStatus.TRAVELLING, WorkerStatus.RELEASED)


@dataclass(frozen=True)
class Metrics:
    """The figures of an episode so far."""

    revenue: float
    completed: int
    expired: int
    travel_m: float
    illegal: int


@kernel
def _begin_epoch(
    state: CscState,
    roads: RoadArrays,
    rules: Rules,
    scales: Scales,
    clock: Clock,
    epochs: NDArray[np.int64],
    observations: Rows,
    copies: NDArray[np.int64],
) -> None:
    """Work out what the workers of some copies see and may do at their present epoch."""
    for b in copies:
        now_s = min(epochs[b] * clock.step_s, clock.horizon_s)
        locate_workers(state, roads, rules, b, now_s)
        notice_tasks(state, b)
        list_candidates(state, rules, roads.unit_m, b)
        observe(state, roads, rules, scales, b, now_s, observations[b])


@kernel
def _play_interval(
    state: CscState,
    roads: RoadArrays,
    rules: Rules,
    clock: Clock,
    epochs: NDArray[np.int64],
    copies: NDArray[np.int64],
    actions: NDArray[np.int64],
) -> None:
    """Apply the joint actions of some copies, and play them forward to their next epoch."""
    for b in copies:
        now_s = min(epochs[b] * clock.step_s, clock.horizon_s)
        until_s = min((epochs[b] + 1) * clock.step_s, clock.horizon_s)
        take_actions(state, roads, rules, b, actions[b], now_s)
        play(state, roads, rules, b, until_s)
        epochs[b] += 1


class CscSimulation:
    """B copies of CSC on one network, each at an epoch of its own.

    Of `CREDITS`, those in ``credited`` are worked out; the others stay 0.

    Attributes:
        state: the structure of arrays that the kernel works on.
        passed: the same as kernels are handed it.
        epochs: the epoch of each copy. Shape [B].
        observations: what every worker sees, written in place by `reset_copy` and `step`. Shape [B, W, F].
        asked: by name, the infos that were asked for (`crowdgym.envs.csc.kernel.asked`).
    """

    def __init__(
        self,
        network: RoadNetwork,
        settings: CscSettings,
        batch: int,
        infos: tuple[InfoName, ...] = (),
        credited: tuple[str, ...] = CREDITS,
    ) -> None:
        self.network = network
        self.settings = settings
        self.clock = Clock(settings.step_s, settings.horizon_s)
        self._last_epoch = self.clock.epochs
        self.rules = Rules(
            settings.speed_mps,
            settings.range_m,
            settings.penalty_per_s,
            settings.horizon_s,
            *(name in credited for name in CREDITS),
        )
        self.scales = _scales(network, settings)
        self._distances = Distances(network)
        self.roads = reference_to(RoadArrays.of(network, self._distances.position))
        self.state: CscState = empty_state(
            batch,
            settings.num_workers,
            settings.num_tasks,
            network.num_nodes,
            settings.max_candidates,
            Box.around(network.x_m, network.y_m),
        )
        self.state.distances.position[:] = self._distances.position
        self.passed = reference_to(self.state)
        self.asked = empty_asked(infos, batch, settings.num_workers, settings.max_candidates)
        self.epochs = np.zeros(batch, np.int64)
        width = observation_layout(settings.max_candidates).width
        self._written = np.zeros((batch, settings.num_workers, width), np.float32)
        self.observations = self._written

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # A copied array can be written to, and kernels would compile anew.
        self.roads = reference_to(RoadArrays.of(self.network, self._distances.position))

    def reset_copy(self, b: int, instance: CscInstance) -> None:
        """Begin ``instance`` in copy ``b``.

        Raises:
            ConfigError: it has other numbers of workers or tasks than the settings, or another road network.
        """
        self._refuse_misfit(instance)
        workers, tasks, distances = self.state.workers, self.state.tasks, self.state.distances
        workers.skill_bits[b] = np.packbits(instance.worker_skills, axis=1, bitorder="little")[:, 0]
        for name in ("created_s", "expected_s", "deadline_s", "workload_s", "payment"):
            getattr(tasks, name)[b] = getattr(instance, name)
        tasks.node[b] = instance.task_node
        tasks.skill[b] = instance.task_skill
        workers.node[b] = instance.worker_node
        self._distances.table_into(instance.task_node, distances.to_tasks[b])
        self.epochs[b] = 0
        start_episode(self.passed, self.roads, b)
        self._begin_epoch(np.array([b]))
        self._hand_over()

    def _refuse_misfit(self, instance: CscInstance) -> None:
        sizes = (
            ("workers", len(instance.worker_node), self.settings.num_workers),
            ("tasks", len(instance.task_node), self.settings.num_tasks),
        )
        refuse_other_sizes(sizes)
        refuse_other_network(instance.network, self.network, self.settings.scenario)

    def use_fresh_observations(self) -> None:
        """Put observations into a new array from now on; the caller may keep and change views of the old one.

        The kernel writes over what it wrote at the epoch before, so the caller never gets the array that the kernel
        writes into.
        """
        self.observations = np.empty_like(self._written)

    def step(self, actions: NDArray[np.int64], copies: NDArray[np.int64] | None = None) -> None:
        """Apply the joint actions, shape [B, W], and play every copy, or those listed, forward to its next epoch.

        The results are in ``state.output`` and ``observations``. Calls for different copies may run at the same time.
        """
        which = np.arange(len(self.epochs)) if copies is None else copies
        _play_interval(self.passed, self.roads, self.rules, self.clock, self.epochs, which, actions)
        self._begin_epoch(which)
        self._hand_over()

    def is_over(self) -> NDArray[np.bool_]:
        """Which copies are at their horizon. Shape [B]."""
        return self.epochs >= self._last_epoch

    def _begin_epoch(self, copies: NDArray[np.int64]) -> None:
        _begin_epoch(self.passed, self.roads, self.rules, self.scales, self.clock, self.epochs, self._written, copies)
        if "gain" in self.asked:
            gain = self.asked["gain"]
            list_gains(self.passed, self.roads, self.rules, self.clock, self.epochs, copies, gain)
        if "neighbours" in self.asked:
            list_neighbours(self.state.neighbour_lists.near_workers, copies, self.asked["neighbours"])

    def _hand_over(self) -> None:
        if self.observations is not self._written:
            np.copyto(self.observations, self._written)

    def now_s(self, b: int) -> float:
        """The time of copy ``b``."""
        return self.clock.time_s(int(self.epochs[b]))

    def metrics(self, b: int) -> Metrics:
        """The figures of copy ``b`` so far."""
        workers, tasks = self.state.workers, self.state.tasks
        under_way = np.isin(workers.status[b], UNDER_WAY)
        gone_m = self.rules.speed_mps * (self.now_s(b) - workers.depart_s[b][under_way])
        gone_m = np.minimum(gone_m, workers.leg_units[b][under_way] * self.network.unit_m)
        return Metrics(
            revenue=float(tasks.paid[b].sum()),
            completed=int((tasks.status[b] == TaskStatus.FINISHED).sum()),
            expired=int((tasks.status[b] == TaskStatus.EXPIRED).sum()),
            travel_m=float(workers.driven_units[b].sum() * self.network.unit_m + gone_m.sum()),
            illegal=int(workers.illegal[b].sum()),
        )


def _scales(network: RoadNetwork, settings: CscSettings) -> Scales:
    west, south, east, north = Box.around(network.x_m, network.y_m)
    return Scales(
        centre_x_m=(west + east) / 2,
        centre_y_m=(south + north) / 2,
        extent_m=max(east - west, north - south, 1.0) / 2,
        reach_m=max(settings.range_m, 1.0),
        time_s=settings.horizon_s,
        work_s=4 * settings.workload_mean_s,
        payment=4 * settings.payment_mean,
    )
