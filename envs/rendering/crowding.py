"""Where movers go on a picture: side by side at one place, around their site, and as one mark where there are many."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.rendering.map import rank_in_group
from crowdgym.envs.rendering.markers import apart_px, polar

FloatArray = NDArray[np.float64]

CROWD: Final = 6  # as many movers of one state at one place, or more, are one mark with their number
SAME_PLACE_PX: Final = 12.0  # what lies in one square of this side is at one place, if it is many
SPREAD_PX: Final = 6.0  # how far those at one and the same place are moved apart
WAY_SPREAD_PX: Final = 3.5  # the same for those on one way
CREW_GAP_PX: Final = 4.5  # from the rim of a site to the middle of the movers around it
CREW_STEP_PX: Final = 7.0  # from mover to mover around a site


@dataclass(frozen=True)
class Crowded:
    """Movers of one state, some of them put together. D marks are drawn.

    Attributes:
        mover: for each mark the first mover that it stands for. Shape [D].
        count: how many it stands for. Shape [D].
        middle_px: where they are, on average. Shape [D, 2].
    """

    mover: NDArray[np.intp]
    count: NDArray[np.intp]
    middle_px: FloatArray


def crowded(chosen: NDArray[np.intp], places_px: FloatArray) -> Crowded:
    """Put movers together where many are at one place.

    Args:
        chosen: the movers. Shape [n].
        places_px: where each is. Shape [n, 2].
    """
    cell = np.floor(places_px / SAME_PLACE_PX)
    _, group, size = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    many = size[group] >= CROWD
    leads = ~many | (rank_in_group(group) == 0)
    middle_px = places_px.copy()
    for axis in (0, 1):
        mean = np.bincount(group, places_px[:, axis], minlength=len(size)) / size
        middle_px[many, axis] = mean[group[many]]
    count = np.where(many, size[group], 1)
    return Crowded(chosen[leads], count[leads].astype(np.intp), middle_px[leads])


def side_by_side(middle_px: FloatArray, count: NDArray[np.intp], step_px: float) -> FloatArray:
    """Move single marks at one place apart; marks that stand for many stay. Shape [D, 2]."""
    single = count == 1
    placed = middle_px.copy()
    placed[single] += apart_px(middle_px[single], step_px)
    return placed


def around_sites(site: NDArray[Any], centres_px: FloatArray, radii_px: FloatArray, enlarged: float) -> FloatArray:
    """Where movers stand around the discs of their sites: side by side above it, in rings. Shape [n, 2].

    Args:
        site: of each mover. Shape [n].
        centres_px: of each site. Shape [S, 2].
        radii_px: of each site's disc. Shape [S].
        enlarged: how much larger than usual marks are.
    """
    step_px = CREW_STEP_PX * enlarged
    radius_px = radii_px[site] + CREW_GAP_PX * enlarged
    rank, ring = rank_in_group(site), np.zeros(len(site), np.intp)
    while True:
        room = (2 * np.pi * radius_px / step_px).astype(np.intp)  # in the ring
        beyond = rank >= room
        if not beyond.any():
            break
        rank[beyond] -= room[beyond]
        ring[beyond] += 1
        radius_px[beyond] += step_px
    _, group, size = np.unique(np.stack([site, ring]), axis=1, return_inverse=True, return_counts=True)
    angle = np.pi / 2 - (rank - (size[group.reshape(-1)] - 1) / 2) * step_px / radius_px
    places_px: FloatArray = centres_px[site] + polar(radius_px, angle)
    return places_px
