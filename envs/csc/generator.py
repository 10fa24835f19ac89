"""Where instances of CSC come from. A generator of your own is any object with ``generate``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.data.dataset import Dataset
from crowdgym.envs.core.given_parts import GivenParts, WorkerPlaces
from crowdgym.envs.core.order_windows import ChosenOrders, order_window
from crowdgym.envs.core.sampling import (
    NearbyNodes,
    check_num_workers,
    draw_counts,
    draw_lognormal,
    draw_subsets,
    later,
)
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.instance import NUM_SKILLS, CscInstance


class InstanceGenerator(Protocol):
    """Draws the workers and tasks of an episode."""

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        """Draw an instance; the same seeds give the same instance. Every instance has the same network and sizes."""


class OrderStreamGenerator:
    """Tasks and workers at the places of a dataset's orders (CAFE paper, section 5.1).

    Tasks are orders of a stretch of the day, ``window_s`` long from ``window_start_s`` on, of all days of the stream
    together: where an order was picked up there is a task, created when it was placed, that needs the skill of the
    kind of place it is. Workers start where any order was picked up; the number of a worker's skills is normal,
    rounded and clipped to 1..8. What the paper leaves open (workloads, windows, payments) is drawn as the settings
    say. With ``spread_m`` above 0, tasks and workers are at the road nodes nearest to places drawn around those of the
    orders.

    With ``orders="replay"`` nothing of times and places is drawn: task i is order i of the window of one day. The parts
    that ``from_data`` names are those of the dataset where an order has them: fares are payments; a deadline replaces
    the one drawn, and an expected time that would be later; a quantity is a workload, ``workload_mean_s`` for the mean
    of the dataset; workers begin where those of the dataset's log began.

    Raises:
        ConfigError: more workers than the network has places or the log has workers, more tasks than the window has
            orders, or a part that the dataset does not bring.
        DataError: the days are not written as they should be.
    """

    def __init__(self, dataset: Dataset, settings: CscSettings) -> None:
        check_num_workers(dataset, settings.num_workers)
        self._dataset = dataset
        self._settings = settings
        self._window = order_window(dataset, settings)
        self._parts = GivenParts.of(dataset, settings.from_data)
        self._workers = WorkerPlaces(self._parts, settings)
        self._nearby = NearbyNodes(dataset.network)

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        """See `InstanceGenerator`."""
        settings, dataset = self._settings, self._dataset
        count, workers = settings.num_tasks, settings.num_workers
        chosen = self._window.choose(seeds.tasks)
        node = self._around(chosen.origin, seeds.tasks)
        workload_s = draw_lognormal(seeds.tasks, settings.workload_mean_s, settings.workload_log_sd, count)
        relative = self._parts.relative_quantities(chosen)
        workload_s = np.where(np.isnan(relative), workload_s, settings.workload_mean_s * relative)
        expected_s, deadline_s = self._due(chosen, workload_s)
        payment = draw_lognormal(seeds.tasks, settings.payment_mean, settings.payment_log_sd, count)
        worker_node = self._around(self._workers.draw(seeds.workers), seeds.workers)
        wanted = draw_counts(seeds.workers, settings.skills_mean, settings.skills_sd, NUM_SKILLS, workers)
        return CscInstance(
            network=dataset.network,
            worker_node=worker_node,
            worker_skills=draw_subsets(seeds.workers, wanted, NUM_SKILLS),
            task_node=node,
            task_skill=dataset.category[node],
            created_s=chosen.created_s,
            expected_s=expected_s,
            deadline_s=deadline_s,
            workload_s=workload_s,
            payment=self._parts.payments(chosen, payment),
        )

    def _due(
        self, chosen: ChosenOrders, workload_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected times and deadlines. Shape [T] each."""
        expected_s = chosen.created_s + self._settings.expected_factor * workload_s
        drawn_s = expected_s + self._settings.deadline_factor * workload_s
        given_s = chosen.created_s + self._parts.windows_s(chosen)
        deadline_s = later(np.where(np.isnan(given_s), drawn_s, given_s), chosen.created_s)
        return np.minimum(expected_s, deadline_s), deadline_s

    def _around(self, node: NDArray[np.int32], generator: np.random.Generator) -> NDArray[np.int32]:
        """Where a task or worker is whose order began at ``node``. Without spread nothing is drawn."""
        if self._settings.spread_m == 0:
            return node
        return self._nearby.draw(generator, node, self._settings.spread_m)
