"""Where instances of DASC come from. A generator of your own is any object with ``generate``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.dataset import Dataset
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.core.given_parts import GivenParts, WorkerPlaces
from crowdgym.envs.core.order_windows import order_window
from crowdgym.envs.core.sampling import (
    NearbyNodes,
    check_num_workers,
    draw_counts,
    draw_lognormal,
    draw_subsets,
    later,
)
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.instance import NUM_SKILLS, DascInstance
from crowdgym.envs.dasc.shapes import FEWEST_SUBTASKS, MOST_SUBTASKS, SHAPES, Precedence


class DascInstanceGenerator(Protocol):
    """Draws the workers, tasks and subtasks of an episode."""

    def generate(self, seeds: InstanceSeeds) -> DascInstance:
        """Draw an instance; the same seeds give the same instance.

        Every instance has the same network, ``num_workers``, ``num_tasks`` and at most ``num_slots`` subtasks.
        """


class OrderStreamGenerator:
    """Tasks around the places of a dataset's orders; workers at such places.

    A task is an order of a stretch of the day, ``window_s`` long from ``window_start_s`` on, of all days of the stream
    together, created when the order was placed.

    * Tasks have 2 to 15 subtasks and ``num_slots`` together; every way to share these out is equally likely.
    * The precedence of a task has one of the shapes of `crowdgym.envs.dasc.shapes`, drawn by its weight.
    * A subtask lies at the road node nearest to a place drawn around the order's, normal with ``spread_m``.
    * Its duration is lognormal.
    * It asks for a normal number of skills (rounded, at least 1), but for no more than a worker drawn for the purpose
      has: so there are always workers of a kind that can serve it.
    * Expected time, deadline and payment are multiples of the task's base time (`base_time_s`).
    * Workers start where any order was picked up; the number of their skills is normal, rounded, clipped to 1..10.

    With ``orders="replay"`` task i is order i of the window of one day; its subtasks lie around the order's place. The
    parts that ``from_data`` names are those of the dataset where an order has them: a fare is the payment of the task;
    a deadline replaces the one drawn, and moves the expected time in proportion; a quantity multiplies the durations of
    the subtasks, by 1 for the mean of the dataset; workers begin where those of the dataset's log began.

    Raises:
        ConfigError: more workers than the network has places or the log has workers, more tasks than the window has
            orders, a part that the dataset does not bring, or fewer than 2 or more than 15 subtasks a task.
        DataError: the days are not written as they should be.
    """

    def __init__(self, dataset: Dataset, settings: DascSettings) -> None:
        check_num_workers(dataset, settings.num_workers)
        least, most = FEWEST_SUBTASKS * settings.num_tasks, MOST_SUBTASKS * settings.num_tasks
        if not least <= settings.num_slots <= most:
            raise ConfigError(
                f"subtasks_mean must be between {FEWEST_SUBTASKS} and {MOST_SUBTASKS} for tasks to be drawn, "
                f"got {settings.subtasks_mean:g}"
            )
        self._dataset = dataset
        self._settings = settings
        self._window = order_window(dataset, settings)
        self._parts = GivenParts.of(dataset, settings.from_data)
        self._workers = WorkerPlaces(self._parts, settings)
        self._nearby = NearbyNodes(dataset.network)
        self._distances = Distances(dataset.network)

    def generate(self, seeds: InstanceSeeds) -> DascInstance:
        """See `DascInstanceGenerator`."""
        settings = self._settings
        chosen = self._window.choose(seeds.tasks)
        sizes = _draw_sizes(seeds.tasks, settings.num_tasks, settings.num_slots)
        precedence = _draw_precedence(seeds.tasks, sizes, settings)
        task = np.repeat(np.arange(settings.num_tasks, dtype=np.int32), sizes)
        node = self._nearby.draw(seeds.tasks, chosen.origin[task], settings.spread_m)
        duration_s = draw_lognormal(seeds.tasks, settings.duration_mean_s, settings.duration_log_sd, settings.num_slots)
        duration_s = duration_s * np.nan_to_num(self._parts.relative_quantities(chosen), nan=1.0)[task]
        base_s = self._base_times_s(sizes, precedence, node, duration_s)
        given_s = self._parts.windows_s(chosen)
        window_s = np.where(np.isnan(given_s), settings.deadline_factor * base_s, given_s)
        until_expected_s = np.where(
            np.isnan(given_s),
            settings.expected_factor * base_s,
            given_s * settings.expected_factor / settings.deadline_factor,
        )
        expected_s = chosen.created_s + until_expected_s
        return DascInstance(
            network=self._dataset.network,
            worker_node=self._workers.draw(seeds.workers),
            worker_skills=draw_worker_skills(seeds.workers, settings),
            created_s=chosen.created_s,
            expected_s=expected_s,
            deadline_s=later(chosen.created_s + window_s, expected_s),
            payment=self._parts.payments(chosen, settings.payment_factor * base_s / settings.payment_unit_s),
            subtask_task=task,
            subtask_node=node,
            subtask_skills=_draw_subtask_skills(seeds.tasks, settings),
            duration_s=duration_s,
            **precedence_arrays(precedence),
        )

    def _base_times_s(
        self,
        sizes: NDArray[np.int64],
        precedence: list[Precedence],
        node: NDArray[np.int32],
        duration_s: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        settings = self._settings
        between = self._distances.between(node)  # [S, S]
        base_s, first = np.empty(len(sizes)), 0
        for task, before in enumerate(precedence):
            mine = slice(first, first + int(sizes[task]))
            units = between[mine, mine].astype(np.float64)  # [from, to]
            travel_s = units * self._dataset.network.unit_m / settings.speed_mps
            base_s[task] = base_time_s(before, duration_s[mine], travel_s, settings.work_share)
            first = mine.stop
        return base_s


def base_time_s(
    precedence: Precedence, duration_s: NDArray[np.float64], travel_s: NDArray[np.float64], work_share: float
) -> float:
    """The time a task would take by itself: what its expected time, deadline and payment are multiples of.

    It lies between two times. The *critical path* C is the longest way through the precedence graph, by the durations
    of its subtasks and the travel from each to the next: what the task takes when there are workers enough. The *total
    work* T is what one worker takes that does all subtasks in the order of their numbers: all durations and the travel
    from each to the next. C <= T, as a straight way is never longer than one through other places. The base time is
    (1 - work_share) C + work_share T. Both begin at the first subtask: the workers' way there is not in it.

    Args:
        precedence: the predecessors of each of n subtasks.
        duration_s: shape [n].
        travel_s: from each to each. Shape [n, n].
        work_share: weight of the total work, 0 to 1.
    """
    finish_s = np.zeros(len(precedence))
    for i, before in enumerate(precedence):
        finish_s[i] = duration_s[i] + max((finish_s[j] + travel_s[j, i] for j in before), default=0.0)
    work_s = float(duration_s.sum() + np.diagonal(travel_s, offset=1).sum())
    return (1.0 - work_share) * float(finish_s.max()) + work_share * work_s


def precedence_arrays(precedence: list[Precedence]) -> dict[str, NDArray[np.int32]]:
    """The predecessors of all subtasks of all tasks as the two arrays of an instance, by their names."""
    counts = [len(row) for before in precedence for row in before]
    first, numbers = 0, []
    for before in precedence:
        numbers += [first + j for row in before for j in row]
        first += len(before)
    start = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=start[1:])
    return {"predecessor_start": start, "predecessors": np.array(numbers, np.int32)}


def draw_worker_skills(generator: np.random.Generator, settings: DascSettings) -> NDArray[np.bool_]:
    """Which skills each worker has. Shape [W, K]."""
    mean, sd = settings.worker_skills_mean, settings.worker_skills_sd
    return draw_subsets(generator, draw_counts(generator, mean, sd, NUM_SKILLS, settings.num_workers), NUM_SKILLS)


def _draw_subtask_skills(generator: np.random.Generator, settings: DascSettings) -> NDArray[np.bool_]:
    """Which skills each subtask asks for: some of those of a worker drawn like all workers. Shape [S, K]."""
    count = settings.num_slots
    wanted = draw_counts(generator, settings.subtask_skills_mean, settings.subtask_skills_sd, NUM_SKILLS, count)
    had = draw_counts(generator, settings.worker_skills_mean, settings.worker_skills_sd, NUM_SKILLS, count)
    return draw_subsets(generator, np.minimum(wanted, had), NUM_SKILLS)


def _draw_sizes(generator: np.random.Generator, num_tasks: int, num_slots: int) -> NDArray[np.int64]:
    """Sizes 2..15 of all tasks that sum to ``num_slots``. Shape [Q].

    Every way to share out what is beyond 2 a task is equally likely; what is then beyond 15 goes to random others.
    """
    beyond = num_slots - FEWEST_SUBTASKS * num_tasks
    bars = np.sort(generator.choice(beyond + num_tasks - 1, size=num_tasks - 1, replace=False))
    sizes = FEWEST_SUBTASKS + np.diff(bars, prepend=-1, append=beyond + num_tasks - 1) - 1
    for _ in range(int((sizes - MOST_SUBTASKS).clip(min=0).sum())):
        sizes[np.argmax(sizes)] -= 1
        sizes[generator.choice(np.flatnonzero(sizes < MOST_SUBTASKS))] += 1
    return sizes


def _draw_precedence(
    generator: np.random.Generator, sizes: NDArray[np.int64], settings: DascSettings
) -> list[Precedence]:
    weight = np.array([settings.shapes.get(name, 0.0) for name in SHAPES])
    shapes = list(SHAPES.values())
    drawn = generator.choice(len(shapes), size=len(sizes), p=weight / weight.sum())
    return [shapes[shape](int(size), generator) for shape, size in zip(drawn, sizes, strict=True)]
