"""Examples of the preference model: what a worker did before an event, and the event.

An example holds nothing of its event's future. The most recent event is the last column of every sequence; unused
columns are on the left and hold ``num_places`` or ``num_categories``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crowdgym.agents.learning.centres import CentreRecords, PublicPlaces
from crowdgym.configs.ta_fpl import TaFplSettings

UNKNOWN = -1  # category and place of an event that is yet to come


@dataclass(frozen=True)
class Examples:
    """B examples. M recent events, the last L_c events of each of C categories.

    Attributes:
        worker: number. Shape [B].
        event: number of the event in the worker's history, from 0 on. Shape [B].
        recent_category: shape [B, M].
        recent_place: shape [B, M].
        same_category: places, by category. Shape [B, C, L_c].
        counts: earlier events of the worker in each category. Shape [B, C].
        category: of the event. Shape [B].
        place: of the event. Shape [B].
    """

    worker: Tensor
    event: Tensor
    recent_category: Tensor
    recent_place: Tensor
    same_category: Tensor
    counts: Tensor
    category: Tensor
    place: Tensor

    def __len__(self) -> int:
        return len(self.worker)

    def rows(self, index: Tensor) -> "Examples":
        """Some of the examples."""
        return Examples(**{part.name: getattr(self, part.name)[index] for part in fields(self)})


@dataclass(frozen=True)
class Split:
    """The examples of one centre.

    Attributes:
        training: all events but each worker's first and those of the other two parts.
        validation: of each worker the last events before the held-out ones.
        held_out: of each worker the last events; only measurements read them.
        following: the event after the history of each worker, which is yet to come. In the order of the workers.
    """

    training: Examples
    validation: Examples
    held_out: Examples
    following: Examples

    @classmethod
    def of(cls, records: CentreRecords, places: PublicPlaces, settings: TaFplSettings) -> "Split":
        """Split the records of a centre. A worker's events are left out of the earlier parts where they are few."""
        parts: tuple[list[_Past], ...] = ([], [], [], [])
        for past in _pasts(records, places, settings):
            from_end = past.length - past.event  # 1 for the last event, 0 for the event to come
            if from_end == 0:
                parts[3].append(past)
            elif from_end <= settings.held_out_events:
                parts[2].append(past)
            elif from_end <= settings.held_out_events + settings.validation_events:
                parts[1].append(past)
            elif past.event > 0:
                parts[0].append(past)
        return cls(*(_stacked(part, places, settings) for part in parts))


@dataclass(frozen=True)
class _Past:
    """One example before it is a row of tensors."""

    worker: int
    event: int
    length: int  # of the worker's history
    recent_category: NDArray[np.int64]
    recent_place: NDArray[np.int64]
    same_category: NDArray[np.int64]
    counts: NDArray[np.float32]
    category: int
    place: int


def _pasts(records: CentreRecords, places: PublicPlaces, settings: TaFplSettings) -> Iterator[_Past]:
    """Every event of every worker, and the one to come."""
    for worker in records.workers.tolist():
        own = records.worker == worker
        place, category = records.place[own], records.category[own]
        same = np.full((places.num_categories, settings.in_category), len(places), np.int64)
        counts = np.zeros(places.num_categories, np.float32)
        for event in range(len(place) + 1):
            to_come = event == len(place)
            yield _Past(
                worker=worker,
                event=event,
                length=len(place),
                recent_category=_last(category[:event], settings.recent, places.num_categories),
                recent_place=_last(place[:event], settings.recent, len(places)),
                same_category=same.copy(),
                counts=counts.copy(),
                category=UNKNOWN if to_come else int(category[event]),
                place=UNKNOWN if to_come else int(place[event]),
            )
            if not to_come:
                same[category[event]] = [*same[category[event]], place[event]][1:]
                counts[category[event]] += 1.0


def _last(values: NDArray[np.int64], count: int, filler: int) -> NDArray[np.int64]:
    """The last values, with fillers on the left. Shape [count]."""
    found = np.full(count, filler, np.int64)
    kept = values[-count:]
    found[count - len(kept) :] = kept
    return found


def _stacked(pasts: list[_Past], places: PublicPlaces, settings: TaFplSettings) -> Examples:
    shapes = {
        "recent_category": (settings.recent,),
        "recent_place": (settings.recent,),
        "same_category": (places.num_categories, settings.in_category),
        "counts": (places.num_categories,),
    }
    columns = {}
    for part in fields(Examples):
        rows = np.array([getattr(past, part.name) for past in pasts])
        kind = np.float32 if part.name == "counts" else np.int64
        columns[part.name] = torch.from_numpy(rows.reshape(len(pasts), *shapes.get(part.name, ())).astype(kind))
    return Examples(**columns)
