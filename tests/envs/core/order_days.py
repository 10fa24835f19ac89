"""Orders of three days on the roads of 'tiny', and settings that choose among them."""

from dataclasses import dataclass, replace

import numpy as np

from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.days import day_number
from crowdgym.data.orders.stream import SECONDS_PER_DAY, OrderStream
from crowdgym.data.registry import load_dataset

SIX = 18 * 3600


@dataclass(frozen=True)
class Chosen:
    """Settings of a window from 18:00 to 18:30."""

    num_tasks: int = 2
    num_workers: int = 2
    orders: str = "drawn"
    days: str = "all"
    window_start_s: float | str = float(SIX)
    window_s: float = 1800.0


def stream(times_s: list[int], first_node: int = 0, **parts: list[float]) -> OrderStream:
    """Orders at these times; order i begins at node ``first_node`` + i."""
    count = len(times_s)
    return OrderStream(
        time_s=np.array(times_s, np.int64),
        origin=np.arange(count, dtype=np.int32) + first_node,
        destination=np.full(count, -1, np.int32),
        **{name: np.array(values, np.float64) for name, values in parts.items()},
    )


def three_days(*, dated: bool = True, **parts: list[float]) -> Dataset:
    """Orders 0 to 8: three on each of 2017-05-01 to 03, at 18:00, 18:10 and 18:20; and order 9 at 20:00 of the last."""
    times_s = [day * SECONDS_PER_DAY + SIX + minute * 60 for day in range(3) for minute in (0, 10, 20)]
    orders = stream([*times_s, 2 * SECONDS_PER_DAY + 20 * 3600], **parts)
    return replace(
        load_dataset("tiny"), name="mine", orders=orders, first_day=day_number("2017-05-01") if dated else None
    )
