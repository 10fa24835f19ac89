"""Where instances of CSC come from. A generator of your own is any object with ``generate``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.csc import CscSettings
from crowdgym.configs.errors import ConfigError
from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.stream import SECONDS_PER_DAY
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
    rounded and clipped to 1..8. What the paper leaves open (workloads, windows, payments) is drawn as the settings say.

    Raises:
        ConfigError: more workers than the network has places, or more tasks than the window has orders.
    """

    def __init__(self, dataset: Dataset, settings: CscSettings) -> None:
        self._dataset = dataset
        self._settings = settings
        if settings.num_workers > dataset.network.num_nodes:
            raise ConfigError(
                f"num_workers must be at most {dataset.network.num_nodes}, the number of places in {dataset.name!r}, "
                f"got {settings.num_workers}"
            )
        self._start_s = _window_start(dataset, settings)
        since_start_s = (dataset.orders.time_s - self._start_s) % SECONDS_PER_DAY
        self._pool = np.flatnonzero(since_start_s < settings.window_s)  # orders that can become a task
        self._created_s = since_start_s[self._pool]
        if settings.num_tasks > len(self._pool):
            raise ConfigError(
                f"num_tasks must be at most {len(self._pool)}, the orders of {dataset.name!r} in "
                f"{settings.window_s:g} s from {_clock(self._start_s)} on, got {settings.num_tasks}; "
                "a longer window_s holds more"
            )

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        """See `InstanceGenerator`."""
        settings, dataset = self._settings, self._dataset
        count = settings.num_tasks
        drawn = seeds.tasks.choice(len(self._pool), size=count, replace=False)
        drawn = drawn[np.lexsort((drawn, self._created_s[drawn]))]
        created_s = self._created_s[drawn].astype(np.float64)
        node = dataset.orders.origin[self._pool[drawn]]
        workload_s = _lognormal(seeds.tasks, settings.workload_mean_s, settings.workload_log_sd, count)
        expected_s = created_s + settings.expected_factor * workload_s
        return CscInstance(
            network=dataset.network,
            worker_node=dataset.orders.origin[seeds.workers.integers(len(dataset.orders), size=settings.num_workers)],
            worker_skills=_draw_skills(seeds.workers, settings),
            task_node=node,
            task_skill=dataset.category[node],
            created_s=created_s,
            expected_s=expected_s,
            deadline_s=expected_s + settings.deadline_factor * workload_s,
            workload_s=workload_s,
            payment=_lognormal(seeds.tasks, settings.payment_mean, settings.payment_log_sd, count),
        )


def _window_start(dataset: Dataset, settings: CscSettings) -> float:
    if settings.window_start_s == "busiest":
        return float(np.argmax(dataset.orders.hourly_counts()) * 3600)
    return float(settings.window_start_s)


def _clock(second_of_day: float) -> str:
    minutes = int(second_of_day // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _lognormal(generator: np.random.Generator, mean: float, log_sd: float, count: int) -> NDArray[np.float64]:
    """Lognormal numbers of the given mean. Shape [count]."""
    return generator.lognormal(np.log(mean) - log_sd**2 / 2, log_sd, count)


def _draw_skills(generator: np.random.Generator, settings: CscSettings) -> NDArray[np.bool_]:
    """Which skills each worker has. Shape [W, S]."""
    workers = settings.num_workers
    wanted = np.rint(generator.normal(settings.skills_mean, settings.skills_sd, workers)).clip(1, NUM_SKILLS)
    rank = np.argsort(np.argsort(generator.random((workers, NUM_SKILLS)), axis=1, kind="stable"), axis=1)  # [W, S]
    return rank < wanted[:, np.newaxis]
