"""B copies of `preference_v0` side by side: the arrays, the kernel's calls, and nothing of PettingZoo."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.common.jit import kernel
from crowdgym.common.references import reference_to
from crowdgym.configs.preference import PreferenceSettings
from crowdgym.data.histories.synthetic import centres_of
from crowdgym.data.roads import RoadNetwork
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.core.clock import Clock
from crowdgym.envs.core.instance_checks import refuse_other_network, refuse_other_sizes
from crowdgym.envs.core.neighbours import Box
from crowdgym.envs.core.road_graph import RoadArrays
from crowdgym.envs.preference.acceptance import willing
from crowdgym.envs.preference.instance import PreferenceInstance
from crowdgym.envs.preference.kernel.candidates import list_candidates
from crowdgym.envs.preference.kernel.dynamics import Rules, play, start_episode, take_actions
from crowdgym.envs.preference.kernel.observation import Rows, Scales, locate_workers, observation_layout, observe
from crowdgym.envs.preference.kernel.state import PreferenceState, Sizes, TaskStatus, WorkerStatus, empty_state


@dataclass(frozen=True)
class Metrics:
    """The metrics of an episode so far; ``docs/preference_dynamics.md`` defines each."""

    offered: int
    accepted: int
    declined: int
    contested: int
    closed: int
    expired: int
    acceptance_rate: float
    preference: float
    travel_m: float
    illegal: int


@kernel
def _begin_epoch(
    state: PreferenceState,
    roads: RoadArrays,
    rules: Rules,
    scales: Scales,
    clock: Clock,
    epochs: NDArray[np.int64],
    observations: Rows,
    copies: NDArray[np.int64],
) -> None:
    """Work out what the agents of some copies see and may do at their present epoch."""
    for b in copies:
        now_s = min(epochs[b] * clock.step_s, clock.horizon_s)
        locate_workers(state, roads, rules, b, now_s)
        list_candidates(state, rules, roads.unit_m, b, now_s)
        observe(state, roads, rules, scales, b, now_s, observations[b])


@kernel
def _play_interval(
    state: PreferenceState,
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
        play(state, b, until_s)
        epochs[b] += 1


class PreferenceSimulation:
    """B copies of `preference_v0` on one network, each at an epoch of its own.

    Attributes:
        state: the structure of arrays that the kernel works on.
        passed: the same as kernels are handed it.
        epochs: the epoch of each copy. Shape [B].
        observations: what every agent sees, written in place by `reset_copy` and `step`. Shape [B, W, F].
    """

    def __init__(self, network: RoadNetwork, settings: PreferenceSettings, batch: int) -> None:
        self.network = network
        self.settings = settings
        self.clock = Clock(settings.step_s, settings.horizon_s)
        self._last_epoch = self.clock.epochs
        self.rules = Rules(
            settings.speed_mps,
            settings.range_m,
            settings.service_s,
            settings.decline_cooldown_s,
            settings.max_offers,
        )
        self.scales = _scales(network, settings)
        self._distances = Distances(network)
        self.roads = reference_to(RoadArrays.of(network, self._distances.position))
        self.state: PreferenceState = empty_state(
            Sizes(
                batch=batch,
                workers=settings.num_workers,
                centres=settings.num_centres,
                tasks=settings.num_tasks,
                nodes=network.num_nodes,
                candidates=settings.max_candidates,
            ),
            Box.around(network.x_m, network.y_m),
        )
        self.state.pairs.position[:] = self._distances.position
        self.passed = reference_to(self.state)
        self.epochs = np.zeros(batch, np.int64)
        width = observation_layout(settings.max_candidates).width
        self._written = np.zeros((batch, settings.num_workers, width), np.float32)
        self.observations = self._written

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # A copied array can be written to, and kernels would compile anew.
        self.roads = reference_to(RoadArrays.of(self.network, self._distances.position))

    def reset_copy(self, b: int, instance: PreferenceInstance) -> None:
        """Begin ``instance`` in copy ``b``.

        Raises:
            ConfigError: it has other sizes or centres than the settings, or another road network.
        """
        self._refuse_misfit(instance)
        workers, tasks, pairs = self.state.workers, self.state.tasks, self.state.pairs
        workers.centre[b] = instance.centre
        workers.node[b] = instance.worker_node
        workers.history_share[b] = instance.history_share
        workers.preference[b] = instance.preference
        tasks.node[b] = instance.task_node
        tasks.category[b] = instance.task_category
        tasks.created_s[b] = instance.created_s
        tasks.expiry_s[b] = instance.expiry_s
        pairs.willing[b] = willing(instance, self.settings)
        self._distances.table_into(instance.task_node, pairs.to_tasks[b])
        self.epochs[b] = 0
        colleagues = self.state.colleagues
        for centre in range(self.settings.num_centres):
            crew = np.flatnonzero(instance.centre == centre)
            colleagues.crews[b, centre, : len(crew)], colleagues.crew_sizes[b, centre] = crew, len(crew)
        start_episode(self.passed, self.roads, b)
        self._begin_epoch(np.array([b]))
        self._hand_over()

    def _refuse_misfit(self, instance: PreferenceInstance) -> None:
        settings = self.settings
        sizes = (
            ("workers", len(instance.worker_node), settings.num_workers),
            ("tasks", len(instance.task_node), settings.num_tasks),
        )
        refuse_other_sizes(sizes)
        expected = centres_of(settings.num_workers, settings.num_centres)
        if (instance.centre != expected).any():
            worker = int(np.flatnonzero(instance.centre != expected)[0])
            raise ConfigError(
                f"centre[{worker}] must be {expected[worker]}, as {settings.num_workers} workers share "
                f"{settings.num_centres} centres in blocks, got {instance.centre[worker]}"
            )
        refuse_other_network(instance.network, self.network, settings.scenario)

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

    def _hand_over(self) -> None:
        if self.observations is not self._written:
            np.copyto(self.observations, self._written)

    def now_s(self, b: int) -> float:
        """The time of copy ``b``."""
        return self.clock.time_s(int(self.epochs[b]))

    def metrics(self, b: int) -> Metrics:
        """The metrics of copy ``b`` at its present epoch."""
        workers, tasks = self.state.workers, self.state.tasks
        driving = workers.status[b] == WorkerStatus.DRIVING
        gone_m = self.rules.speed_mps * (self.now_s(b) - workers.depart_s[b][driving])
        gone_m = np.minimum(gone_m, workers.leg_units[b][driving] * self.network.unit_m)
        accepted, declined = int(workers.accepted[b].sum()), int(workers.declined[b].sum())
        return Metrics(
            offered=accepted + declined,
            accepted=accepted,
            declined=declined,
            contested=int(workers.contested[b].sum()),
            closed=int((tasks.status[b] == TaskStatus.CLOSED).sum()),
            expired=int((tasks.status[b] == TaskStatus.EXPIRED).sum()),
            acceptance_rate=accepted / max(accepted + declined, 1),
            preference=float(tasks.preference[b].sum()) / max(accepted, 1),
            travel_m=float(workers.driven_units[b].sum() * self.network.unit_m + gone_m.sum()),
            illegal=int(workers.illegal[b].sum()),
        )


def _scales(network: RoadNetwork, settings: PreferenceSettings) -> Scales:
    west, south, east, north = Box.around(network.x_m, network.y_m)
    busy_s = settings.range_m / settings.speed_mps + settings.service_s
    reach_m = max(settings.range_m, 1.0)
    wait_s = max(settings.expiry_mean_s * (1.0 + settings.expiry_spread), busy_s, settings.decline_cooldown_s)
    return Scales(
        centre_x_m=(west + east) / 2,
        centre_y_m=(south + north) / 2,
        extent_m=max(east - west, north - south, 1.0) / 2,
        reach_m=reach_m,
        time_s=settings.horizon_s,
        wait_s=wait_s,
        per_m=1.0 / reach_m,
        per_s=1.0 / wait_s,
        max_offers=settings.max_offers,
    )
