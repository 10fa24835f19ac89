"""A stream played as it was: the orders of a dataset at their own times and places, none of them drawn."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import CscSettings
from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.stream import SECONDS_PER_DAY
from crowdgym.envs.core.sampling import check_num_workers, draw_counts, draw_lognormal, draw_places, draw_subsets
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.instance import NUM_SKILLS, CscInstance


class ReplayGenerator:
    """The first ``num_tasks`` orders from ``window_start_s`` on, of the first day of the dataset.

    Task i is order i of that evening: created when it was placed, where it was picked up. Its payment and deadline are
    those of the data where the dataset brings them; what the data does not say is drawn as `OrderStreamGenerator` draws
    it. Workers begin where the dataset's workers began, those nearest in time before the window first, if it has any.

    Args:
        dataset: such as ``load_dataset("haikou@2017-05-03")``.
        settings: sizes, the window, and the distributions of what is drawn.

    Raises:
        ConfigError: more workers than the network has places, fewer orders than ``num_tasks`` in the window,
            or fewer workers in the log than ``num_workers``.

    Example:
        >>> settings = CscSettings.load(scenario="haikou@2017-05-03", window_start_s=18 * 3600.0)
        >>> generator = ReplayGenerator(load_dataset(settings.dataset), settings)
        >>> env = csc_v0.parallel_env(**settings.model_dump(), generator=generator)
    """

    def __init__(self, dataset: Dataset, settings: CscSettings) -> None:
        check_num_workers(dataset, settings.num_workers)
        self._dataset = dataset
        self._settings = settings
        self._start_s = _start_s(dataset, settings.window_start_s)
        orders = dataset.orders
        first = int(np.searchsorted(orders.time_s, self._start_s))
        until = int(np.searchsorted(orders.time_s, self._start_s + settings.window_s))
        if until - first < settings.num_tasks:
            raise ConfigError(
                f"num_tasks must be at most {until - first}, the orders of {dataset.name!r} in {settings.window_s:g} s "
                f"from second {self._start_s:g} of its first day on, got {settings.num_tasks}"
            )
        if dataset.workers is not None and len(dataset.workers) < settings.num_workers:
            raise ConfigError(
                f"num_workers must be at most {len(dataset.workers)}, the workers that {dataset.name!r} brings, got "
                f"{settings.num_workers}"
            )
        self._order = np.arange(first, first + settings.num_tasks)

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        """See `crowdgym.envs.csc.generator.InstanceGenerator`."""
        settings, orders = self._settings, self._dataset.orders
        count, workers = settings.num_tasks, settings.num_workers
        created_s = (orders.time_s[self._order] - self._start_s).astype(np.float64)
        node = orders.origin[self._order]
        workload_s = draw_lognormal(seeds.tasks, settings.workload_mean_s, settings.workload_log_sd, count)
        expected_s = created_s + settings.expected_factor * workload_s
        deadline_s = expected_s + settings.deadline_factor * workload_s
        payment = draw_lognormal(seeds.tasks, settings.payment_mean, settings.payment_log_sd, count)
        if orders.deadline_s is not None:
            given_s = created_s + orders.deadline_s[self._order]
            deadline_s = np.where(np.isfinite(given_s), given_s, deadline_s)
            expected_s = np.minimum(expected_s, deadline_s)
        if orders.payment is not None:
            given = orders.payment[self._order]
            payment = np.where(np.isfinite(given) & (given > 0), given, payment)
        wanted = draw_counts(seeds.workers, settings.skills_mean, settings.skills_sd, NUM_SKILLS, workers)
        return CscInstance(
            network=self._dataset.network,
            worker_node=self._worker_nodes(seeds.workers, workers),
            worker_skills=draw_subsets(seeds.workers, wanted, NUM_SKILLS),
            task_node=node,
            task_skill=self._dataset.category[node],
            created_s=created_s,
            expected_s=expected_s,
            deadline_s=deadline_s,
            workload_s=workload_s,
            payment=payment,
        )

    def _worker_nodes(self, generator: np.random.Generator, count: int) -> NDArray[np.int32]:
        """Where workers begin: those of the log that began last before the window, then those that began after it."""
        workers = self._dataset.workers
        if workers is None:
            return draw_places(generator, self._dataset, count)
        late = workers.time_s % SECONDS_PER_DAY > self._start_s % SECONDS_PER_DAY
        from_start_s = np.abs(workers.time_s % SECONDS_PER_DAY - self._start_s % SECONDS_PER_DAY)
        return workers.origin[np.lexsort((from_start_s, late))[:count]]


def _start_s(dataset: Dataset, start_s: float | str) -> float:
    """When the window begins, in seconds of the first day."""
    if start_s == "busiest":
        return float(np.argmax(dataset.orders.hourly_counts()) * 3600)
    return float(start_s)
