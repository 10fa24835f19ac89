"""What a dataset gives of tasks and workers besides places and times, for environments that are asked to use it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.stream import SECONDS_PER_DAY
from crowdgym.envs.core.order_windows import ChosenOrders, StreamSettings, window_start_s
from crowdgym.envs.core.sampling import draw_places

# The parts that ``from_data`` names, and where a dataset has them: an array of its orders, or its log of workers.
_ORDER_ARRAYS = {"payments": "payment", "deadlines": "deadline_s", "quantities": "quantity"}
_WORKERS = "workers"


def parts_of(dataset: Dataset) -> tuple[str, ...]:
    """The parts that a dataset gives, by the names of ``from_data``."""
    of_orders = [part for part, array in _ORDER_ARRAYS.items() if getattr(dataset.orders, array) is not None]
    return (*of_orders, *([_WORKERS] if dataset.workers is not None else []))


@dataclass(frozen=True)
class GivenParts:
    """The parts of a dataset that an environment uses.

    Attributes:
        dataset: that gives them.
        used: by the names of ``from_data``.
    """

    dataset: Dataset
    used: frozenset[str]

    @classmethod
    def of(cls, dataset: Dataset, from_data: Literal["all"] | Sequence[str]) -> "GivenParts":
        """Those that the setting names; "all" are those that the dataset gives.

        Raises:
            ConfigError: the dataset does not give one that is named.
        """
        given = parts_of(dataset)
        if from_data == "all":
            return cls(dataset, frozenset(given))
        for part in from_data:
            if part not in given:
                raise ConfigError(
                    f"from_data must name parts that {dataset.name!r} gives ({', '.join(given) or 'it gives none'}), "
                    f"got {part!r}"
                )
        return cls(dataset, frozenset(from_data))

    def payments(self, chosen: ChosenOrders, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        """The fares, in the currency of the data; as ``drawn`` where an order has none, or a fare of 0. Shape [T]."""
        given = self._values("payments", chosen)
        return np.where(given > 0, given, drawn)

    def windows_s(self, chosen: ChosenOrders) -> NDArray[np.float64]:
        """The time from creation to deadline, seconds; NaN where it has to be drawn. Shape [T]."""
        given = self._values("deadlines", chosen)
        return np.where(given > 0, given, np.nan)

    def relative_quantities(self, chosen: ChosenOrders) -> NDArray[np.float64]:
        """How much each order asks for, in means of the dataset; NaN where it has to be drawn. Shape [T]."""
        given = self._values("quantities", chosen)
        if np.isnan(given).all():
            return given
        quantity = self.dataset.orders.quantity
        assert quantity is not None
        return np.where(given > 0, given, np.nan) / float(quantity[quantity > 0].mean())

    def _values(self, part: str, chosen: ChosenOrders) -> NDArray[np.float64]:
        """The values of the chosen orders; NaN throughout where the part is not used. Shape [T]."""
        array = getattr(self.dataset.orders, _ORDER_ARRAYS[part])
        if part not in self.used:
            return np.full(len(chosen.number), np.nan)
        values: NDArray[np.float64] = array[chosen.number]
        return values


class WorkerPlaces:
    """Where workers begin: at the origins of any orders, or where workers of the dataset's log began.

    Of the log those count whose shift holds the beginning of the window; where it has no shifts, all. The days of the
    log are taken together. With replayed orders they are the workers who began last before the window, then those who
    began soonest after it, half a day around it; else they are drawn, none twice.

    Args:
        parts: whether the log is used.
        settings: of the environment.

    Raises:
        ConfigError: fewer workers in the log than ``num_workers``.
    """

    def __init__(self, parts: GivenParts, settings: StreamSettings) -> None:
        self._dataset, self._count = parts.dataset, settings.num_workers
        self._is_replay = settings.orders == "replay"
        self._log: NDArray[np.int32] | None = None  # [L] where the workers of the log began who are at work
        if _WORKERS in parts.used:
            self._log = self._at_work(window_start_s(parts.dataset, settings.window_start_s))

    def draw(self, generator: np.random.Generator) -> NDArray[np.int32]:
        """The nodes of the workers of an episode. Shape [W]."""
        if self._log is None:
            return draw_places(generator, self._dataset, self._count)
        if self._is_replay:
            return self._log[: self._count].copy()
        return self._log[generator.choice(len(self._log), size=self._count, replace=False)]

    def _at_work(self, start_s: float) -> NDArray[np.int32]:
        log = self._dataset.workers
        assert log is not None
        ago_s = (start_s - log.time_s) % SECONDS_PER_DAY  # when each began, before the window
        shift_s = np.full(len(log), np.inf) if log.deadline_s is None else log.deadline_s
        at_work = np.flatnonzero(np.isnan(shift_s) | (ago_s < shift_s))
        if len(at_work) < self._count:
            raise ConfigError(
                f"num_workers must be at most {len(at_work)}, the workers of {self._dataset.name!r} who are at work "
                f"when the window begins, got {self._count}"
            )
        distance_s = np.minimum(ago_s, SECONDS_PER_DAY - ago_s)[at_work]
        is_after = (ago_s > SECONDS_PER_DAY / 2)[at_work]
        return log.origin[at_work[np.lexsort((distance_s, is_after))]]
