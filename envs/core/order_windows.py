"""Which orders of a dataset become the tasks of an episode: drawn from a stretch of the day, or replayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.configs.streams import OrdersName
from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.days import date_of, parse_zones
from crowdgym.data.orders.stream import SECONDS_PER_DAY

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class ChosenOrders:
    """Orders that become tasks, in the order of their creation.

    Attributes:
        number: of each in the dataset's stream. Shape [T].
        created_s: when each was placed, seconds since the window began. Shape [T].
        origin: the node of each pick-up. Shape [T].
    """

    number: NDArray[np.intp]
    created_s: NDArray[np.float64]
    origin: NDArray[np.int32]


class OrderWindow(Protocol):
    """A stretch of the day, and the days that an episode takes its orders from."""

    def choose(self, generator: np.random.Generator) -> ChosenOrders:
        """The orders of the tasks of an episode."""


class StreamSettings(Protocol):
    """The settings of an environment that say what it takes from a stream of orders; see `crowdgym.configs.streams`."""

    @property
    def num_tasks(self) -> int:
        """Tasks of an episode."""

    @property
    def num_workers(self) -> int:
        """Workers."""

    @property
    def orders(self) -> OrdersName:
        """Whether orders are drawn or replayed."""

    @property
    def days(self) -> str:
        """Days of the orders."""

    @property
    def window_start_s(self) -> float | Literal["busiest"]:
        """When the window begins, seconds since midnight, or the busiest hour."""

    @property
    def window_s(self) -> float:
        """How long the window is, seconds."""


def order_window(dataset: Dataset, settings: StreamSettings) -> OrderWindow:
    """The window that the settings ask for.

    Raises:
        ConfigError: more tasks than the window has orders on some day or zone of days that an episode can have.
        DataError: the days are written in a form that is not known, or are dates where the orders have none.
    """
    return ReplayedOrders(dataset, settings) if settings.orders == "replay" else DrawnOrders(dataset, settings)


class DrawnOrders:
    """Orders of a stretch of the day, drawn from all days of a zone together, none twice.

    Args:
        dataset: whose orders.
        settings: of the window. With several zones of days, each episode draws one, all equally likely.

    Raises:
        ConfigError: more tasks than the window has orders.
        DataError: see `order_window`.
    """

    def __init__(self, dataset: Dataset, settings: StreamSettings) -> None:
        start_s = window_start_s(dataset, settings.window_start_s)
        self._orders, self._num_tasks = dataset.orders, settings.num_tasks
        self._since_start_s = (dataset.orders.time_s - start_s) % SECONDS_PER_DAY
        inside = self._since_start_s < settings.window_s
        day = dataset.orders.time_s // SECONDS_PER_DAY
        self._pools = []
        for zone in _zones(dataset, settings.days):
            pool = np.flatnonzero(inside & (day >= zone.first) & (day <= zone.last))
            _check_num_tasks(dataset, settings, len(pool), zone)
            self._pools.append(pool)

    def choose(self, generator: np.random.Generator) -> ChosenOrders:
        """See `OrderWindow`."""
        pool = _one_of(self._pools, generator)
        drawn = pool[generator.choice(len(pool), size=self._num_tasks, replace=False)]
        drawn = drawn[np.lexsort((drawn, self._since_start_s[drawn]))]
        return ChosenOrders(drawn, self._since_start_s[drawn].astype(np.float64), self._orders.origin[drawn])


class ReplayedOrders:
    """The first orders of one day's window, as they were: task i is order i, at its own time and place.

    Args:
        dataset: whose orders.
        settings: of the window. An episode has one day of all that the zones hold, drawn where there are several.

    Raises:
        ConfigError: the window has fewer orders than tasks on one of these days.
        DataError: see `order_window`.
    """

    def __init__(self, dataset: Dataset, settings: StreamSettings) -> None:
        start_s = window_start_s(dataset, settings.window_start_s)
        self._orders, self._num_tasks = dataset.orders, settings.num_tasks
        self._evenings: list[_Evening] = []
        with_orders = _days_with_orders(dataset)
        for zone in _zones(dataset, settings.days):
            days = with_orders[(with_orders >= zone.first) & (with_orders <= zone.last)].tolist()
            if not days:
                _check_num_tasks(dataset, settings, 0, zone)
            for day in days:
                begin_s = day * SECONDS_PER_DAY + start_s
                first, end = np.searchsorted(dataset.orders.time_s, (begin_s, begin_s + settings.window_s)).tolist()
                _check_num_tasks(dataset, settings, end - first, _Zone(day, day))
                self._evenings.append(_Evening(first, begin_s))

    def choose(self, generator: np.random.Generator) -> ChosenOrders:
        """See `OrderWindow`."""
        first, begin_s = _one_of(self._evenings, generator)
        number = np.arange(first, first + self._num_tasks)
        created_s = (self._orders.time_s[number] - begin_s).astype(np.float64)
        return ChosenOrders(number, created_s, self._orders.origin[number])


class _Evening(NamedTuple):
    """The window of one day."""

    first: int  # the first order in it
    begin_s: float  # seconds since the stream began


def window_start_s(dataset: Dataset, start_s: float | str) -> float:
    """Seconds since midnight at which a window begins; "busiest" is the hour of day with the most orders."""
    if start_s == "busiest":
        return float(np.argmax(dataset.orders.hourly_counts()) * 3600)
    return float(start_s)


class _Zone(NamedTuple):
    """Days that an episode takes its orders from, the first and the last, from 0 on."""

    first: int
    last: int

    def named(self, dataset: Dataset) -> str:
        """In words, as dates where the orders have some."""
        names = [
            str(day + 1) if dataset.first_day is None else date_of(dataset.first_day + day)
            for day in dict.fromkeys(self)
        ]
        return f"{'' if dataset.first_day is not None else 'day '}{'..'.join(names)}"


def _zones(dataset: Dataset, days: str) -> tuple[_Zone, ...]:
    """The zones of days: "all" is one of all days, "each" makes one of every day that has orders."""
    whole = _Zone(0, int(dataset.orders.time_s[-1]) // SECONDS_PER_DAY)
    if days == "all":
        return (whole,)
    if days == "each":
        return tuple(_Zone(day, day) for day in _days_with_orders(dataset).tolist())
    zones = tuple(_Zone(*zone) for zone in parse_zones(days, dataset.first_day, "days"))
    if any(zone.first < whole.first or zone.last > whole.last for zone in zones):
        raise ConfigError(f"days must be within {whole.named(dataset)}, the days of {dataset.name!r}, got {days!r}")
    return zones


def _days_with_orders(dataset: Dataset) -> NDArray[np.int64]:
    return np.unique(dataset.orders.time_s // SECONDS_PER_DAY)


def _check_num_tasks(dataset: Dataset, settings: StreamSettings, most: int, zone: _Zone) -> None:
    if settings.num_tasks > most:
        start_s = window_start_s(dataset, settings.window_start_s)
        is_pool = (settings.orders, settings.days) == ("drawn", "all")
        when = _clock(start_s) if is_pool else f"{_clock(start_s)} of {zone.named(dataset)}"
        advice = "a longer window_s holds more" + ("" if is_pool else ", and so may other days")
        raise ConfigError(
            f"num_tasks must be at most {most}, the orders of {dataset.name!r} in {settings.window_s:g} s from "
            f"{when} on, got {settings.num_tasks}; {advice}"
        )


def _one_of(choices: Sequence[Choice], generator: np.random.Generator) -> Choice:
    """One choice; nothing is drawn where there is only one."""
    return choices[0] if len(choices) == 1 else choices[int(generator.integers(len(choices)))]


def _clock(second_of_day: float) -> str:
    minutes = int(second_of_day // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
