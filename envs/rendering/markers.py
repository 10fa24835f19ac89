"""How workers, tasks and subtasks are drawn: what the pictures of settings on roads have in common."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.rendering.canvas import PANEL, Box, Discs, Lines, Shapes, stamped
from crowdgym.envs.rendering.map import rank_in_group

FloatArray = NDArray[np.float64]

SIZE_PX = 1000
PANEL_BOX = Box(0, 912, SIZE_PX, SIZE_PX)
GROUND_BOX = Box(0, 127, SIZE_PX, 911)  # what shows the city
LEGEND_BOX = Box(0, 0, SIZE_PX, 126)

# Colours of Okabe and Ito, which people with any of the common colour blindnesses tell apart; shapes differ as well.
VERMILION, ORANGE, GREEN, BLUE, PURPLE = "#d55e00", "#e69f00", "#009e73", "#0072b2", "#cc79a7"
NAVY = "#1b2a4a"
OUTLINE_FACE, OUTLINE_EDGE = "#1b2a4a0d", "#1b2a4a59"  # of a group of sites; the last two digits are the opacity

MARK_PX = 5.5  # half the size of a tick or cross
WORKER_PX = 5.5  # half the size of a worker
CREW_PX = 3.0  # half the size of a worker at its task

GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))

TRIANGLE = np.array([[0.0, 1.1], [0.95, -0.65], [-0.95, -0.65]])
ARROWHEAD = np.array([[1.3, 0.0], [-0.9, 0.85], [-0.45, 0.0], [-0.9, -0.85]])
SQUARE = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
DIAMOND = np.array([[1.1, 0.0], [0.0, 1.1], [-1.1, 0.0], [0.0, -1.1]])
TICK = np.array([[-1.0, 0.1], [-0.3, -0.7], [1.0, 0.9]])
CROSS = np.array([[-0.8, -0.8], [0.8, 0.8], [0.0, 0.0], [-0.8, 0.8], [0.8, -0.8]])
NO_CORNERS = np.empty((0, 2))


@dataclass(frozen=True)
class Look:
    """How workers, tasks or subtasks of one state are drawn."""

    face: str
    edge: str
    edge_px: float
    outline: FloatArray = field(default_factory=lambda: NO_CORNERS)  # a line without a face; none for a disc
    size_px: float = 0.0  # what a 1 in ``outline`` stands for

    @property
    def rim_px(self) -> float:
        """What a disc needs to be larger for its coloured part to be as large as it should: edges are drawn astride."""
        return self.edge_px / 2 * (1 if self.edge == PANEL else -1)


def apart_px(places_m: FloatArray, step_px: float) -> FloatArray:
    """Where those at one and the same place go so that all are seen: a sunflower around the first.

    ``places_m``: shape [n, 2]. Returns shape [n, 2].
    """
    _, place = np.unique(places_m, axis=0, return_inverse=True)
    rank = rank_in_group(place)
    return polar(step_px * np.sqrt(rank), GOLDEN_ANGLE * rank)


def polar(distance: FloatArray, angle: FloatArray) -> FloatArray:
    """Shape [n, 2]."""
    return np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)


def sample(look: Look, x_px: float, y_px: float, radius_px: float) -> Discs | Shapes | Lines:
    """One of the kind, for the legend; a disc has the radius."""
    place_px = np.array([[x_px, y_px]])
    if len(look.outline) == 0:
        return Discs(look.face, look.edge, look.edge_px).place(place_px, np.array([radius_px]))
    outline_px = stamped(look.outline, place_px, max(look.size_px, 4.0))
    if look.face == "none":
        return Lines(look.edge, look.edge_px).place(outline_px)
    return Shapes(look.face, look.edge, look.edge_px).place(outline_px)
