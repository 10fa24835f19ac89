"""What pictures and players show of sensing: its marks, and a whole episode."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.ground import Ground
from crowdgym.data.registry import load_series
from crowdgym.data.sensing import SensingSeries
from crowdgym.envs.core.scenario_data import data_of
from crowdgym.envs.rendering.canvas import FAINT_INK, INK, PANEL
from crowdgym.envs.rendering.legs import Legs
from crowdgym.envs.rendering.markers import BLUE, NAVY, TRIANGLE, Look
from crowdgym.envs.rendering.picture import NO_MOVER, Mark, Picture, States, states_of
from crowdgym.envs.rendering.scene import BaseMap, Event, Scene, in_order
from crowdgym.envs.sensing.snapshot import SensingSnapshot

FloatArray = NDArray[np.float64]

DISC: Final = 0.87  # the share of the largest disc's area that a cell has
MOVES_FOR: Final = 0.4  # of a cycle: how long players show a move
PARTICIPANT_PX: Final = 5.0
MARGIN_SHARE: Final = 0.07  # of the region's size, around the cells where no outline is known

# From light to dark, told apart without colours too; each up to a normalised error, added over attributes.
ERROR_CLASSES: tuple[tuple[float, str], ...] = (
    (0.05, "#fee8c8"),
    (0.1, "#fdbb84"),
    (0.2, "#ef6548"),
    (0.4, "#b30000"),
    (np.inf, "#4d0010"),
)


def _error_marks() -> tuple[Mark, ...]:
    marks, lower = [], 0.0
    for limit, colour in ERROR_CLASSES:
        name = f"{lower:g} to {limit:g}" if np.isfinite(limit) else f"over {lower:g}"
        meaning = f"What is inferred there is off by {name} (normalised, added over attributes)."
        marks.append(Mark(name, meaning, Look(colour, INK, 0.6)))
        lower = limit
    return tuple(marks)


PICTURE = Picture(
    mover_word="participant",
    site_word="cell",
    sites_heading="Cells, by error",
    mover_marks=(Mark("participant", "Measures in its cell.", Look(NAVY, PANEL, 0.8, TRIANGLE, PARTICIPANT_PX)),),
    site_marks=(
        *_error_marks(),
        Mark("no truth known", "The series has no value there.", Look("none", FAINT_INK, 1.2)),
        Mark("sensed", "A participant measures there.", Look(PANEL, BLUE, 2.4)),
    ),
    figures=(("cycle", 120.0), ("error", 110.0), ("cost, km", 120.0)),
    usual_marks=34,
    time="cycles",
    trails=True,
)


def error_class(cell_error: FloatArray) -> NDArray[np.intp]:
    """Into which of `ERROR_CLASSES` each error falls; a bound belongs to the class below it. Shape as given."""
    return np.searchsorted([limit for limit, _ in ERROR_CLASSES[:-1]], cell_error, side="left")


def cell_states(snapshot: SensingSnapshot) -> States:
    """The number of each cell's mark. Shape [X]."""
    sensed = snapshot.crowd > 0
    unknown = np.isnan(snapshot.cell_error) & ~sensed
    kind = error_class(snapshot.cell_error)
    inferred = {number: ~sensed & ~unknown & (kind == number) for number in range(len(ERROR_CLASSES))}
    return states_of({**inferred, "unknown": unknown, "sensed": sensed})


def region_outline_km(series: SensingSeries) -> FloatArray:
    """The outline of the series, or a hull around its cells with a margin. Shape [n, 2]."""
    if len(series.outline_km) >= 3:
        return series.outline_km
    from shapely import MultiPoint

    places = np.stack([series.x_km, series.y_km], axis=1)
    margin_km = max(MARGIN_SHARE * float(np.ptp(places, axis=0).max()), 1e-6)
    hull = MultiPoint(places).convex_hull.buffer(margin_km)
    return np.asarray(hull.exterior.coords, np.float64)


def scene(env: Any, snapshots: Sequence[SensingSnapshot]) -> Scene:
    """The scene of an episode, with cycles for time.

    Args:
        env: the parallel environment that played it.
        snapshots: one after ``reset`` and one after every step.
    """
    series = data_of(env.settings, load_series)
    x_m, y_m = series.x_km * 1000, series.y_km * 1000
    state = np.stack([cell_states(snapshot) for snapshot in snapshots])  # [K + 1, X]
    no_streets = np.zeros((0, 2), np.int64), np.zeros(0, np.uint8)
    return Scene(
        picture=PICTURE,
        base=BaseMap(x_m, y_m, *no_streets, Ground(land=(region_outline_km(series) * 1000,))),
        time_s=np.arange(len(snapshots), dtype=np.float64),
        mover_state=np.zeros((len(snapshots), len(snapshots[0].participant_cell)), np.uint8),
        mover_start=snapshots[0].participant_cell.astype(np.int64),
        legs=_moves(snapshots),
        site_state=state,
        site_size=np.full(state.shape, DISC),
        site_x_m=x_m,
        site_y_m=y_m,
        site_end_s=np.full(series.num_cells, np.nan),
        series={
            "error": np.array([snapshot.metrics.error for snapshot in snapshots]),
            "cost, km": np.array([snapshot.metrics.cost_km for snapshot in snapshots]),
        },
        curves=("error", "cost, km"),
        events=in_order(_events(snapshots)),
        links=np.zeros((0, 2), np.int64),
        link_state=np.zeros((len(snapshots), 0), np.uint8),
        link_is_critical=np.zeros(0, np.bool_),
        site_group=np.full(series.num_cells, -1),
        site_names=series.cells,
    )


def _moves(snapshots: Sequence[SensingSnapshot]) -> Legs:
    """Straight ways from cell to cell, at the end of the cycle before."""
    cells = np.stack([snapshot.participant_cell for snapshot in snapshots]).astype(np.int64)  # [K + 1, P]
    cycle, mover = np.nonzero(cells[1:] != cells[:-1])
    ends = np.stack([cells[cycle, mover], cells[cycle + 1, mover]], axis=1)  # [L, 2]
    at = np.stack([cycle + 1 - MOVES_FOR, cycle + 1], axis=1)
    return Legs(mover, ends[:, 1], np.arange(0, 2 * len(cycle) + 1, 2), ends.ravel(), at.ravel())


def _events(snapshots: Sequence[SensingSnapshot]) -> list[Event]:
    """Who came and went where."""
    events = [
        Event(0.0, mover, cell, "{mover} begins in {site}")
        for mover, cell in enumerate(snapshots[0].participant_cell.tolist())
    ]
    for before, now in pairwise(snapshots):
        for mover in np.flatnonzero(now.participant_cell != before.participant_cell).tolist():
            left, entered = int(before.participant_cell[mover]), int(now.participant_cell[mover])
            travelled = f"{now.travel_km[mover]:,.1f} km"
            events.append(Event(float(now.cycle), NO_MOVER, left, f"participant {mover} leaves {{site}}"))
            events.append(Event(float(now.cycle), mover, entered, f"{{mover}} arrives in {{site}} after {travelled}"))
    return events
