"""Where instances of CSC come from. A generator of your own is any object with ``generate``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.data.dataset import Dataset
from crowdgym.envs.core.sampling import (
    NearbyNodes,
    OrderWindow,
    check_num_workers,
    draw_counts,
    draw_lognormal,
    draw_places,
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

    Raises:
        ConfigError: more workers than the network has places, or more tasks than the window has orders.
    """

    def __init__(self, dataset: Dataset, settings: CscSettings) -> None:
        check_num_workers(dataset, settings.num_workers)
        self._dataset = dataset
        self._settings = settings
        self._window = OrderWindow(dataset, settings.window_start_s, settings.window_s, settings.num_tasks)
        self._nearby = NearbyNodes(dataset.network)

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        """See `InstanceGenerator`."""
        settings, dataset = self._settings, self._dataset
        count, workers = settings.num_tasks, settings.num_workers
        created_s, origin = self._window.draw(seeds.tasks, count)
        node = self._around(origin, seeds.tasks)
        workload_s = draw_lognormal(seeds.tasks, settings.workload_mean_s, settings.workload_log_sd, count)
        expected_s = created_s + settings.expected_factor * workload_s
        worker_node = self._around(draw_places(seeds.workers, dataset, workers), seeds.workers)
        wanted = draw_counts(seeds.workers, settings.skills_mean, settings.skills_sd, NUM_SKILLS, workers)
        return CscInstance(
            network=dataset.network,
            worker_node=worker_node,
            worker_skills=draw_subsets(seeds.workers, wanted, NUM_SKILLS),
            task_node=node,
            task_skill=dataset.category[node],
            created_s=created_s,
            expected_s=expected_s,
            deadline_s=later(expected_s + settings.deadline_factor * workload_s, created_s),
            workload_s=workload_s,
            payment=draw_lognormal(seeds.tasks, settings.payment_mean, settings.payment_log_sd, count),
        )

    def _around(self, node: NDArray[np.int32], generator: np.random.Generator) -> NDArray[np.int32]:
        """Where a task or worker is whose order began at ``node``. Without spread nothing is drawn."""
        if self._settings.spread_m == 0:
            return node
        return self._nearby.draw(generator, node, self._settings.spread_m)
