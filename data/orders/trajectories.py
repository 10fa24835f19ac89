"""GPS points put together to orders: the first point of an order is its pick-up, the last its drop-off."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.orders.raw import ONE_POINT, Coordinates, RawOrders

# A pause of more than this between two points of one id makes two orders: ids may be given anew each day or file.
LONGEST_PAUSE_S = 3 * 3600
# So many orders in parts are kept before parts of the same order are put together.
MAX_PARTS = 1_000_000


class TrajectoryCollector:
    """Collects points in pieces and keeps of each order only the first and the last."""

    def __init__(self) -> None:
        self._parts: list[Any] = []  # data frames with one row for each order in a piece
        self._num_parts = 0
        self._num_points = 0

    def add(self, file: int, key: NDArray[np.uint64], time_s: NDArray[np.int64], place: Coordinates) -> None:
        """Take points; those of an order need not come together, nor in the order of time.

        Args:
            file: number of the file they come from.
            key: hash of the order id of each point. Shape [R].
            time_s: local seconds since 1970. Shape [R].
            place: where. Length R.
        """
        import pandas as pd

        if not len(key):
            return
        row = np.arange(self._num_points, self._num_points + len(key))
        self._num_points += len(key)
        frame = pd.DataFrame({"key": key, "file": file, "row": row, "points": 1})
        for end in ("first", "last"):
            frame[f"{end}_s"] = time_s
            frame[f"{end}_row"] = row
            frame[f"{end}_longitude"] = place.longitude_deg
            frame[f"{end}_latitude"] = place.latitude_deg
        self._parts.append(_ends(frame))
        self._num_parts += len(self._parts[-1])
        if self._num_parts > MAX_PARTS:
            self._parts = [_ends(pd.concat(self._parts, ignore_index=True))]
            self._num_parts = len(self._parts[0])

    def finish(self) -> Iterator[tuple[int, RawOrders, Counter[str]]]:
        """Yield the orders by the file in which they begin, and how many have no drop-off and why."""
        import pandas as pd

        if not self._parts:
            return
        frame = _ends(pd.concat(self._parts, ignore_index=True)).sort_values("row")
        for file, orders in frame.groupby("file"):
            single = orders["points"].to_numpy() == 1
            destination = Coordinates(
                np.where(single, np.nan, orders["last_longitude"]), np.where(single, np.nan, orders["last_latitude"])
            )
            raw = RawOrders(
                time_s=orders["first_s"].to_numpy(np.int64),
                origin=Coordinates(orders["first_longitude"].to_numpy(), orders["first_latitude"].to_numpy()),
                destination=destination,
                key=orders["key"].to_numpy(np.uint64),
            )
            yield int(file), raw, Counter({ONE_POINT: int(single.sum())} if single.any() else {})


def _ends(frame: Any) -> Any:
    """One row for each order: its earliest and its latest point, ties by their place in the source."""
    frame = frame.sort_values(["key", "first_s", "first_row"], ignore_index=True)
    latest_s = frame.groupby("key")["last_s"].cummax().shift(fill_value=0)
    begins = (frame["key"] != frame["key"].shift()) | (frame["first_s"] - latest_s > LONGEST_PAUSE_S)
    frame["order"] = begins.cumsum()
    firsts = frame[begins.to_numpy()].set_index("order")
    lasts = frame.sort_values(["order", "last_s", "last_row"]).drop_duplicates("order", keep="last").set_index("order")
    together = frame.groupby("order").agg(row=("row", "min"), points=("points", "sum"))
    begin = ["key", "file", "first_s", "first_row", "first_longitude", "first_latitude"]
    end = ["last_s", "last_row", "last_longitude", "last_latitude"]
    return together.join(firsts[begin]).join(lasts[end]).reset_index(drop=True)
