"""The strip along the bottom of a picture: every mark, what it is, and how many there are."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.rendering.canvas import (
    FAINT_INK,
    PANEL,
    RULE,
    Badges,
    Box,
    Canvas,
    Discs,
    Lines,
    Rectangle,
    Shapes,
    Text,
    stamped,
)
from crowdgym.envs.rendering.links import CRITICAL_GROWS, HEAD_PX
from crowdgym.envs.rendering.markers import (
    ARROWHEAD,
    BLUE,
    LEGEND_BOX,
    OUTLINE_EDGE,
    OUTLINE_FACE,
    WORKER_PX,
    sample,
)
from crowdgym.envs.rendering.picture import Mark, Moment, Picture

FloatArray = NDArray[np.float64]

HEADING_PX, FIRST_PX, COLUMN_PX = 24.0, 124.0, 168.0
SITES_PX, MOVERS_PX, REST_PX = 92.0, 58.0, 24.0  # baselines of the rows
DISC_PX = 7.0
ARROW_PX = 26.0
LETTER_PX = 8.1  # how wide a letter is, about


class Legend:
    """Rows for sites and for movers with their counts, and one for what else can be seen."""

    def __init__(self, canvas: Canvas, picture: Picture, sizes_px: Mapping[str, FloatArray]) -> None:
        """Put it on a canvas.

        Args:
            canvas: where to.
            picture: the marks.
            sizes_px: what discs of some sizes stand for, and their radii.
        """
        box = LEGEND_BOX
        canvas.add_fixed(Rectangle(box, PANEL))
        canvas.add_fixed(Rectangle(Box(box.left, box.top, box.right, box.top + 1), RULE))
        self._canvas = canvas
        self._sites = self._row(f"{picture.site_word}s".capitalize(), picture.site_marks, SITES_PX)
        self._movers = self._row(f"{picture.mover_word}s".capitalize(), picture.mover_marks, MOVERS_PX)
        self._rest(picture, sizes_px)

    def show(self, moment: Moment) -> None:
        """Set the counts."""
        for counts, states in ((self._sites, moment.site_state), (self._movers, moment.mover_state)):
            for state, text in enumerate(counts):
                text.write(f"{int(np.sum(states == state)):,}")

    def _row(self, heading: str, marks: tuple[Mark, ...], baseline_px: float) -> list[Text]:
        self._canvas.add_fixed(Text(HEADING_PX, baseline_px, heading, bold=True))
        counts = []
        for column, mark in enumerate(marks):
            left_px = FIRST_PX + COLUMN_PX * column
            self._canvas.add_fixed(sample(mark.look, left_px, baseline_px + 5, DISC_PX))
            self._canvas.add_fixed(Text(left_px + 16, baseline_px, mark.name))
            counts.append(self._canvas.add_moving(Text(left_px + 140, baseline_px, bold=True, anchor="right")))
        return counts

    def _rest(self, picture: Picture, sizes_px: Mapping[str, FloatArray]) -> None:
        """Ways, arrows, outlines, badges and sizes, one after the other."""
        canvas, left_px, middle_px = self._canvas, FIRST_PX - 8, REST_PX + 5
        canvas.add_fixed(Text(HEADING_PX, REST_PX, "Also", bold=True))

        def words(text: str, after_px: float) -> float:
            canvas.add_fixed(Text(left_px + after_px, REST_PX, text))
            return left_px + after_px + LETTER_PX * len(text) + 22

        if any(mark.place == "way" for mark in picture.mover_marks):
            canvas.add_fixed(Lines(BLUE, 1.4, 0.6).place(np.array([[[left_px, middle_px], [left_px + 22, middle_px]]])))
            left_px = words("way of a " + picture.mover_word, 28)
        for mark in picture.link_marks:
            left_px = self._arrow(mark, left_px, middle_px, 1.0, mark.name)
        if picture.link_marks:
            left_px = self._arrow(picture.link_marks[0], left_px, middle_px, CRITICAL_GROWS, "critical path")
        if picture.group_word:
            outline = Box(left_px, middle_px - 8, left_px + 24, middle_px + 8)
            canvas.add_fixed(Rectangle(outline, OUTLINE_FACE, OUTLINE_EDGE, 1.0))
            left_px = words(f"one {picture.group_word}", 30)
        crowd = next(mark.look for mark in picture.mover_marks if mark.name == "idle")
        middle = np.array([[left_px + 6, middle_px - 1]])
        canvas.add_fixed(Shapes(crowd.face, crowd.edge, crowd.edge_px).place(stamped(crowd.outline, middle, WORKER_PX)))
        canvas.add_fixed(Badges().place(middle + np.array([3.0, 0.0]), np.array([12])))
        left_px = words(f"12 {picture.mover_word}s", 40)
        for name, radius_px in sizes_px.items():
            centre_px = np.array([[left_px + radius_px[0], middle_px]])
            canvas.add_fixed(Discs("none", FAINT_INK, 1.3).place(centre_px, radius_px))
            left_px = words(name, 2 * radius_px[0] + 6)

    def _arrow(self, mark: Mark, left_px: float, middle_px: float, grows: float, name: str) -> float:
        tip = np.array([[left_px + ARROW_PX, middle_px]])
        line = np.array([[[left_px, middle_px], [left_px + ARROW_PX - 6, middle_px]]])
        self._canvas.add_fixed(Lines(mark.look.edge, mark.look.edge_px * grows).place(line))
        head_px = HEAD_PX * (1.5 if grows > 1 else 1.0)
        heads = stamped(ARROWHEAD, tip - [1.3 * head_px, 0.0], head_px, np.array([[1.0, 0.0]]))
        self._canvas.add_fixed(Shapes(mark.look.edge, "none", 0.0).place(heads))
        self._canvas.add_fixed(Text(left_px + ARROW_PX + 6, REST_PX, name))
        return left_px + ARROW_PX + 6 + LETTER_PX * len(name) + 22
