"""Yelp's open dataset: a file of businesses and files of reviews or tips, a JSON object a line.

A review is taken for a visit. A business has several categories; it counts as the one that most businesses have.
"""

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.orders.raw import Coordinates, ReadReport
from crowdgym.data.text_files import open_bytes, refusing_unreadable

_EXPECTED = "expected a file of Yelp with a JSON object a line"
_NO_PLACE, _UNREADABLE = "business that no file places", "not a review"

YelpCheckins = tuple[
    NDArray[np.str_], NDArray[np.str_], NDArray[np.str_], Coordinates, NDArray[np.int64], Mapping[str, ReadReport]
]


def is_yelp(path: Path) -> bool:
    """Whether a file begins with a JSON object."""
    with refusing_unreadable(path, _EXPECTED), open_bytes(path) as stream:
        return bytes(stream.read(256)).lstrip().startswith(b"{")


def read_yelp(paths: Sequence[Path]) -> YelpCheckins:
    """Users, places, categories, coordinates and times of all visits, and what became of the rows.

    Raises:
        DataError: a line is no JSON, or there are no businesses or no visits.
    """
    businesses: dict[str, Mapping[str, Any]] = {}
    visits: list[tuple[str, Mapping[str, Any]]] = []
    for path in paths:
        for row in _objects(path):
            if "latitude" in row and "business_id" in row:
                businesses[str(row["business_id"])] = row
            else:
                visits.append((path.name, row))
    if not businesses or not visits:
        lacking = "businesses" if not businesses else "reviews"
        raise DataError(f"{', '.join(path.name for path in paths)} hold no {lacking}; expected both files of Yelp")
    return _joined(businesses, visits)


def _joined(businesses: Mapping[str, Mapping[str, Any]], visits: list[tuple[str, Mapping[str, Any]]]) -> YelpCheckins:
    frequency = Counter(kind for row in businesses.values() for kind in _kinds(row))
    kept: list[tuple[str, str, str, float, float, int]] = []
    rows: Counter[str] = Counter()
    lost: dict[str, Counter[str]] = {}
    for file, visit in visits:
        rows[file] += 1
        place = businesses.get(str(visit.get("business_id")))
        time_s = _time_s(visit.get("date"))
        if place is None or time_s is None or not visit.get("user_id"):
            reason = _NO_PLACE if place is None and "business_id" in visit else _UNREADABLE
            lost.setdefault(file, Counter())[reason] += 1
            continue
        kind = max(_kinds(place), key=lambda kind: (frequency[kind], kind), default="")
        where = float(place["longitude"]), float(place["latitude"])
        kept.append((str(visit["user_id"]), str(visit["business_id"]), kind, *where, time_s))
    if not kept:
        raise DataError(f"none of the {len(visits)} reviews is of a business of the files; expected both of Yelp")
    user, place_id, kinds, longitude, latitude, times = zip(*kept, strict=True)
    reports = {}
    for file, count in rows.items():
        unusable = lost.get(file, Counter())
        usable = count - unusable.total()
        reports[file] = ReadReport(rows=count, usable_rows=usable, orders=usable, unusable=dict(unusable))
    return (
        np.array(user, np.str_),
        np.array(place_id, np.str_),
        np.array(kinds, np.str_),
        Coordinates(np.array(longitude), np.array(latitude)),
        np.array(times, np.int64),
        reports,
    )


def _kinds(row: Mapping[str, Any]) -> list[str]:
    return [kind.strip() for kind in (row.get("categories") or "").split(",") if kind.strip()]


def _time_s(text: Any) -> int | None:
    try:
        return int(np.datetime64(str(text).replace(" ", "T"), "s").astype(np.int64))
    except ValueError:
        return None


def _objects(path: Path) -> Iterator[Mapping[str, Any]]:
    with refusing_unreadable(path, _EXPECTED), open_bytes(path) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding="utf-8"), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                raise DataError(f"{path}, line {number}: no JSON object; {_EXPECTED}") from None
            if not isinstance(row, dict):
                raise DataError(f"{path}, line {number}: no JSON object; {_EXPECTED}")
            yield row
