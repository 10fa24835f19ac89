"""Check-ins put on the nodes of a road network: filtered, with few kinds of places, and with an account of the rest."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.data.histories.checkins.checkins import Checkins
from crowdgym.data.histories.checkins.read import RawCheckins
from crowdgym.data.orders.raw import Coordinates
from crowdgym.data.orders.snapper import NOWHERE, Snapper
from crowdgym.data.pois import MOST_CATEGORIES, PointsOfInterest

LEAST_OF_USER, LEAST_OF_PLACE = 10, 5  # events; users and places with fewer are left out
OTHER = "other"


@dataclass(frozen=True)
class CheckinReport:
    """What became of check-ins.

    Attributes:
        read: check-ins that were read.
        too_far: check-ins farther from every node than allowed.
        rare: check-ins of users with fewer than ten or at places with fewer than five, in turn until none is left.
        kept: the rest.
        users: that are left.
        places: that are left.
        other_categories: kinds of places in the source that were put together as "other".
    """

    read: int
    too_far: int
    rare: int
    kept: int
    users: int
    places: int
    other_categories: int

    @property
    def sentence(self) -> str:
        """The report in words."""
        parts = [f"kept {self.kept:,} of {self.read:,}, of {self.users:,} users at {self.places:,} places"]
        if self.too_far or self.rare:
            parts.append(f"left out {self.too_far:,} too far from every node, {self.rare:,} of rare users or places")
        if self.other_categories:
            parts.append(f"{self.other_categories} kinds of places are put together as {OTHER!r}")
        return "; ".join(parts)


@dataclass(frozen=True)
class PlacedCheckins:
    """Check-ins on nodes, which still lack the categories of their places where the source gives none.

    Attributes:
        rows: the check-ins that are kept, of their source.
        node: of each. Shape [M].
        report: what became of all.
    """

    rows: RawCheckins
    node: NDArray[np.int32]
    report: CheckinReport


def place_checkins(raw: RawCheckins, snapper: Snapper) -> PlacedCheckins:
    """Snap check-ins to nodes, and leave out rare users and places.

    Raises:
        DataError: nothing is left.
    """
    snapped = snapper.snapped(raw.where)
    near = snapped.node != NOWHERE
    rows, node = raw.rows(near), snapped.node[near]
    kept = often(rows)
    if not kept.any():
        raise DataError(
            f"of {len(raw)} check-ins {int(near.sum())} are within {snapper.max_snap_m:g} m of a road node, and none "
            f"of them is of a user with {LEAST_OF_USER} at places with {LEAST_OF_PLACE}; expected check-ins of the city"
        )
    rows, node = rows.rows(kept), node[kept]
    num_kinds = len(set(rows.category.tolist()) - {""})
    report = CheckinReport(
        read=len(raw),
        too_far=int((~near).sum()),
        rare=int((~kept).sum()),
        kept=len(rows),
        users=len(np.unique(rows.user)),
        places=len(np.unique(rows.place)),
        other_categories=num_kinds - (MOST_CATEGORIES - 1) if num_kinds > MOST_CATEGORIES else 0,
    )
    return PlacedCheckins(rows, node, report)


def often(raw: RawCheckins) -> NDArray[np.bool_]:
    """Where users have ten check-ins and places five, counted again as long as one is left out. Shape [M]."""
    _, user = np.unique(raw.user, return_inverse=True)
    _, place = np.unique(raw.place, return_inverse=True)
    kept = np.ones(len(raw), np.bool_)
    while True:
        of_user, of_place = (np.bincount(ids, kept, minlength=len(raw)) for ids in (user, place))
        still = kept & (of_user[user] >= LEAST_OF_USER) & (of_place[place] >= LEAST_OF_PLACE)
        if (still == kept).all():
            return kept
        kept = still


def with_roots(raw: RawCheckins, names: Mapping[str, str]) -> RawCheckins:
    """The check-ins with the roots of their categories; a category without a root stays as it is."""
    different, number = np.unique(raw.category, return_inverse=True)
    roots = np.array([names.get(str(name), str(name)) for name in different], np.str_)
    return RawCheckins(raw.user, raw.place, roots[number], raw.where, raw.time_s)


def points_of(placed: PlacedCheckins) -> PointsOfInterest | None:
    """The places as points of interest, of at most eight kinds; None where check-ins have no categories.

    Where there are more, the seven with most check-ins stay, and the rest is "other".
    """
    given = placed.rows.category != ""
    if not given.any():
        return None
    counts = Counter(placed.rows.category[given].tolist())
    ordered = sorted(counts, key=lambda kind: (-counts[kind], kind))
    names = ordered if len(ordered) <= MOST_CATEGORIES else [*ordered[: MOST_CATEGORIES - 1], OTHER]
    _, first = np.unique(placed.rows.place, return_index=True)
    at = first[placed.rows.category[first] != ""]
    category = np.array([_index(names, kind) for kind in placed.rows.category[at].tolist()], np.int8)
    where: Coordinates = placed.rows.where[at]
    return PointsOfInterest(where, category, tuple(names), 0)


def checkins_of(placed: PlacedCheckins, node_category: NDArray[np.int8], names: tuple[str, ...]) -> Checkins:
    """Numbered check-ins, by user and time.

    Args:
        placed: check-ins on nodes.
        node_category: of each node, for places whose source gives none.
        names: of the categories.
    """
    rows = placed.rows
    _, user = np.unique(rows.user, return_inverse=True)
    _, first, place = np.unique(rows.place, return_index=True, return_inverse=True)
    kinds = rows.category[first].tolist()
    node = placed.node[first]
    own = [_index(names, kind) if kind else int(node_category[at]) for kind, at in zip(kinds, node, strict=True)]
    order = np.lexsort((rows.time_s, user))
    return Checkins(
        place_node=node,
        place_category=np.array(own, np.int8),
        user=user[order].astype(np.int32),
        place=place[order].astype(np.int32),
        time_s=(rows.time_s[order] - rows.time_s.min()).astype(np.float64),
    )


def _index(names: "tuple[str, ...] | list[str]", kind: str) -> int:
    return names.index(kind) if kind in names else len(names) - 1
