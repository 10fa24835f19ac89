"""What the pictures of CSC show.

The world, one kilometre a side, and where its corners are on the picture (pixels from the left and from the bottom):

    3 ----- 2     (137, 880) ----- (863, 880)
    |       |          |               |
    0 ----- 1     (137, 154) ----- (863, 154)

The middle of the square, (500, 517), is ground without a street.
"""

import gc
import subprocess
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.csc.kernel.simulation import Metrics
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus
from crowdgym.envs.csc.snapshot import CscSnapshot
from crowdgym.envs.csc.viewer import CscViewer

VERMILION, ORANGE, GREEN = (0xD5, 0x5E, 0x00), (0xE6, 0x9F, 0x00), (0x00, 0x9E, 0x73)
BLUE, PURPLE, NAVY, WHITE = (0x00, 0x72, 0xB2), (0xCC, 0x79, 0xA7), (0x1B, 0x2A, 0x4A), (0xFF, 0xFF, 0xFF)
INK, PAPER = (0x22, 0x26, 0x2B), (0xF8, 0xF6, 0xF1)
GROUND_ROWS = slice(90, 873)  # of a frame: below the panel and above the legend
NOW_S = 3600.0
FEW_MARKS = 1.6  # how much larger workers and tasks are drawn where there are few


def square(side_m: float) -> RoadNetwork:
    corner = np.array([0.0, side_m])
    return RoadNetwork(
        node_ids=np.arange(4),
        x_m=corner[[0, 1, 1, 0]],
        y_m=corner[[0, 0, 1, 1]],
        longitude_deg=110.0 + corner[[0, 1, 1, 0]] / 1e5,
        latitude_deg=20.0 + corner[[0, 0, 1, 1]] / 1e5,
        indptr=np.array([0, 2, 4, 6, 8], np.int32),
        indices=np.array([1, 3, 0, 2, 1, 3, 0, 2], np.int32),
        length=np.full(8, round(side_m / 10), np.int32),
        unit_m=10.0,
        crs="EPSG:32649",
    )


@pytest.fixture(scope="module")
def viewer() -> CscViewer:
    return CscViewer(square(1000.0), "a square")


def world(workers: list[dict[str, Any]] | None = None, tasks: list[dict[str, Any]] | None = None) -> CscSnapshot:
    """A snapshot of workers and tasks, each with what is said of it; 1,800 worker-seconds left unless it is said."""

    def column(rows: list[dict[str, Any]], name: str, default: float, dtype: Any = np.float64) -> NDArray[Any]:
        return np.array([row.get(name, default) for row in rows], dtype)

    workers, tasks = workers or [], tasks or []
    status = column(tasks, "status", TaskStatus.OPEN, np.int8)
    return CscSnapshot(
        time_s=NOW_S,
        metrics=Metrics(revenue=0.0, completed=0, expired=0, travel_m=0.0, illegal=0),
        worker_x_m=column(workers, "x_m", 500.0),
        worker_y_m=column(workers, "y_m", 500.0),
        worker_status=column(workers, "status", WorkerStatus.IDLE, np.int8),
        worker_task=column(workers, "task", -1, np.int32),
        worker_node=column(workers, "node", 0, np.int32),
        worker_goal=column(workers, "goal", 0, np.int32),
        depart_s=column(workers, "depart_s", np.nan),
        arrive_s=column(workers, "arrive_s", np.nan),
        free_s=column(workers, "free_s", 0.0),
        worker_illegal=column(workers, "illegal", 0, np.int32),
        task_x_m=column(tasks, "x_m", 500.0),
        task_y_m=column(tasks, "y_m", 500.0),
        task_status=status,
        work_left_s=column(tasks, "work_left_s", 1800.0),
        workers_present=column(tasks, "present", 0, np.int32),
        workers_en_route=column(tasks, "en_route", 0, np.int32),
        end_s=column(tasks, "end_s", np.nan),
        paid=column(tasks, "paid", 0.0),
    )


def pixel(frame: NDArray[np.uint8], left_px: float, bottom_px: float) -> tuple[int, int, int]:
    red, green, blue = frame[999 - int(bottom_px), int(left_px)].tolist()
    return red, green, blue


def area(frame: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    """How many pixels of the ground have exactly this colour."""
    return int((frame[GROUND_ROWS] == colour).all(axis=2).sum())


def test_a_frame_is_a_thousand_pixels_a_side_in_three_colours(viewer: CscViewer) -> None:
    frame = viewer.draw(world())
    assert frame.shape == (1000, 1000, 3)
    assert frame.dtype == np.uint8


def test_places_are_where_the_view_says(viewer: CscViewer) -> None:
    view = viewer.view(world())
    corners_px = view.pixels(np.array([0.0, 1000.0]), np.array([0.0, 1000.0]))
    np.testing.assert_allclose(corners_px, [[137.0, 154.0], [863.0, 880.0]])


def test_a_street_is_darker_than_the_ground_beside_it(viewer: CscViewer) -> None:
    frame = viewer.draw(world()).astype(int)
    street, beside = pixel(frame, 500, 154), pixel(frame, 500, 180)
    assert all(on < off - 10 for on, off in zip(street, beside, strict=True))


@pytest.mark.parametrize(
    ("status", "colour"),
    [(WorkerStatus.IDLE, WHITE), (WorkerStatus.TRAVELLING, BLUE), (WorkerStatus.RELEASED, PURPLE)],
)
def test_a_worker_is_drawn_where_it_is_in_the_colour_of_its_status(
    viewer: CscViewer, status: WorkerStatus, colour: tuple[int, int, int]
) -> None:
    frame = viewer.draw(world([{"status": status, "goal": 2}]))
    assert pixel(frame, 500, 517) == colour
    assert area(frame, colour) > 20
    assert area(viewer.draw(world()), colour) == 0


def test_a_line_leads_from_a_travelling_worker_to_its_goal(viewer: CscViewer) -> None:
    here = {"x_m": 500.0, "y_m": 500.0, "goal": 2}
    half_way = (500 + 863) // 2, (517 + 880) // 2
    travelling = viewer.draw(world([here | {"status": WorkerStatus.TRAVELLING}]))
    idle = viewer.draw(world([here | {"status": WorkerStatus.IDLE}]))
    red, _, blue = pixel(travelling, *half_way)
    assert blue > red + 50
    red, _, blue = pixel(idle, *half_way)
    assert blue <= red


def test_an_arrowhead_points_to_the_goal(viewer: CscViewer) -> None:
    east = viewer.draw(world([{"status": WorkerStatus.TRAVELLING, "x_m": 500.0, "y_m": 0.0, "goal": 1}]))
    west = viewer.draw(world([{"status": WorkerStatus.TRAVELLING, "x_m": 500.0, "y_m": 0.0, "goal": 0}]))
    tip_px = 5.5 * FEW_MARKS * 1.3 - 6
    assert pixel(east, 500 + tip_px, 154) == BLUE
    assert pixel(west, 500 - tip_px, 154) == BLUE
    assert pixel(east, 500 - tip_px, 154) != BLUE


def test_workers_of_a_task_stand_side_by_side_above_its_disc(viewer: CscViewer) -> None:
    task = {"present": 2, "work_left_s": 7200.0}
    crew = [{"status": WorkerStatus.WORKING, "task": 0}] * 2
    frame = viewer.draw(world(crew, [task]))
    ring_px = (15.0 + 4.5) * FEW_MARKS
    half_angle = 7.0 * FEW_MARKS / ring_px / 2
    for side in (-1, 1):
        place = 500 + side * ring_px * np.sin(half_angle), 517 + ring_px * np.cos(half_angle)
        assert pixel(frame, *place) == NAVY
    assert pixel(frame, 500, 517) == GREEN


def test_five_at_one_task_do_not_overlap_and_six_are_one_mark_with_their_number(viewer: CscViewer) -> None:
    def drawn(count: int) -> tuple[int, int]:
        crew = [{"status": WorkerStatus.WORKING, "task": 0}] * count
        frame = viewer.draw(world(crew, [{"present": count}]))
        return area(frame, NAVY), area(frame, INK)

    (one, _), (five, no_badge), (six, badge) = drawn(1), drawn(5), drawn(6)
    assert five == pytest.approx(5 * one, rel=0.15)
    assert six == pytest.approx(1.5**2 * one, rel=0.3)
    assert badge > no_badge + 50


def test_six_idle_workers_at_one_place_are_one_mark_with_their_number(viewer: CscViewer) -> None:
    badge = area(viewer.draw(world([{}] * 6)), INK) - area(viewer.draw(world([{}] * 5)), INK)
    assert badge > 50


def test_workers_at_one_place_are_drawn_apart(viewer: CscViewer) -> None:
    one = viewer.draw(world([{"status": WorkerStatus.RELEASED}]))
    three = viewer.draw(world([{"status": WorkerStatus.RELEASED}] * 3))
    assert area(three, PURPLE) > 2 * area(one, PURPLE)


@pytest.mark.parametrize(
    ("crew", "middle", "has", "lacks"),
    [
        ({}, VERMILION, VERMILION, (ORANGE, GREEN)),
        ({"en_route": 2}, WHITE, ORANGE, (VERMILION, GREEN)),
        ({"present": 1, "en_route": 2}, GREEN, GREEN, (VERMILION, ORANGE)),
    ],
    ids=["unclaimed", "claimed", "in progress"],
)
def test_an_open_task_is_a_disc_in_the_colour_of_its_state(
    viewer: CscViewer,
    crew: dict[str, int],
    middle: tuple[int, int, int],
    has: tuple[int, int, int],
    lacks: tuple[tuple[int, int, int], ...],
) -> None:
    frame = viewer.draw(world(tasks=[crew]))
    assert pixel(frame, 500, 517) == middle
    assert area(frame, has) > 100
    assert [area(frame, colour) for colour in lacks] == [0, 0]


def test_the_area_of_a_disc_is_in_proportion_to_the_work_left(viewer: CscViewer) -> None:
    small, large = (area(viewer.draw(world(tasks=[{"work_left_s": work}])), VERMILION) for work in (1800.0, 7200.0))
    assert large == pytest.approx(4 * small, rel=0.1)


def test_a_task_that_does_not_exist_yet_is_not_drawn(viewer: CscViewer) -> None:
    frame = viewer.draw(world(tasks=[{"status": TaskStatus.PENDING}]))
    np.testing.assert_array_equal(frame, viewer.draw(world(tasks=[{"status": TaskStatus.PENDING, "x_m": 0.0}])))


@pytest.mark.parametrize("status", [TaskStatus.FINISHED, TaskStatus.EXPIRED])
def test_a_task_that_has_ended_is_a_mark_that_fades_and_no_disc(viewer: CscViewer, status: TaskStatus) -> None:
    nothing = viewer.draw(world())[GROUND_ROWS].astype(int)

    def differs(ended_ago_s: float) -> tuple[int, int]:
        """By how much the ground differs from an empty one: pixels, and the largest difference."""
        frame = viewer.draw(world(tasks=[{"status": status, "end_s": NOW_S - ended_ago_s}]))
        assert area(frame, VERMILION) == 0
        difference = np.abs(frame[GROUND_ROWS] - nothing).max(axis=2)
        return int((difference > 0).sum()), int(difference.max())

    fresh, older, oldest = differs(0.0), differs(400.0), differs(600.0)
    assert 0 < fresh[0] < 250  # a stroke; the disc of such a task would have about 450 pixels
    assert 0 < older[1] < fresh[1]
    assert oldest == (0, 0)


def test_panel_and_legend_tell_the_figures(viewer: CscViewer) -> None:
    empty = viewer.draw(world())
    earning = viewer.draw(replace(world(), metrics=Metrics(1234.0, 0, 0, 0.0, 0)))
    one_idle = viewer.draw(world([{}]))
    assert (earning[:88] != empty[:88]).any()
    np.testing.assert_array_equal(earning[88:], empty[88:])
    assert (one_idle[874:] != empty[874:]).any()


def test_equal_snapshots_give_equal_bytes_whatever_was_drawn_before(viewer: CscViewer) -> None:
    snapshot = world([{"status": WorkerStatus.TRAVELLING, "goal": 3}, {}], [{"en_route": 1, "x_m": 0.0, "y_m": 1000.0}])
    first = viewer.draw(snapshot)
    kept = first.copy()
    viewer.draw(world([{"status": WorkerStatus.RELEASED}], [{}, {}]))
    np.testing.assert_array_equal(viewer.draw(snapshot), kept)
    np.testing.assert_array_equal(CscViewer(square(1000.0), "a square").draw(snapshot), kept)
    np.testing.assert_array_equal(first, kept)  # what was handed out stays as it was


WEST_AND_SOUTH = [{"x_m": 0.0, "y_m": 0.0}, {"x_m": 4000.0, "y_m": 0.0}, {"x_m": 0.0, "y_m": 4000.0}]
EAST_AND_SOUTH = [{"x_m": 0.0, "y_m": 0.0}, {"x_m": 4000.0, "y_m": 0.0}, {"x_m": 4000.0, "y_m": 4000.0}]


@pytest.mark.parametrize(
    ("tasks", "inset_left_px"), [(WEST_AND_SOUTH, 774), (EAST_AND_SOUTH, 16)], ids=["right corner", "left corner"]
)
def test_of_a_wide_city_the_part_with_the_tasks_is_shown_and_an_inset_where_none_are(
    tasks: list[dict[str, Any]], inset_left_px: int
) -> None:
    """Tasks within 4 km of the south-west corner of a square of 60 km; a worker in the north-east corner."""
    viewer = CscViewer(square(60_000.0), "a wide square")
    near, far = world(tasks=tasks), world([{"x_m": 60_000.0, "y_m": 60_000.0}], tasks)
    view, frame = viewer.view(near), viewer.draw(near)
    assert view.pixels_per_m > 10 * viewer.view(world()).pixels_per_m
    for task in tasks:
        assert pixel(frame, *view.pixels(np.array(task["x_m"]), np.array(task["y_m"]))) == VERMILION
    assert pixel(frame, inset_left_px + 50, 830) == PAPER
    dot = inset_left_px + 10 + 190, 895 - 10
    assert pixel(frame, *dot) != BLUE
    assert pixel(viewer.draw(far), *dot) == BLUE


def test_a_city_on_one_line_can_be_drawn() -> None:
    flat = replace(square(1000.0), y_m=np.zeros(4), x_m=np.array([0.0, 100.0, 200.0, 300.0]))
    assert CscViewer(flat, "a line").draw(world([{}], [{}])).shape == (1000, 1000, 3)


def test_drawing_leaves_neither_figures_nor_pyplot_nor_another_backend_behind() -> None:
    program = """
import sys
from crowdgym.envs.csc.viewer import CscViewer
assert "matplotlib" not in sys.modules, "imported too early"
import matplotlib
before = dict.__getitem__(matplotlib.rcParams, "backend")
sys.path[:0] = {path!r}
from test_csc_viewer import square, world
CscViewer(square(1000.0), "a square").draw(world())
assert "matplotlib.pyplot" not in sys.modules
assert dict.__getitem__(matplotlib.rcParams, "backend") is before
"""
    subprocess.run(
        [sys.executable, "-c", program.format(path=[str(__file__).rsplit("/", 1)[0]])], check=True, timeout=120
    )


def test_a_viewer_keeps_one_figure_however_often_the_view_changes() -> None:
    from matplotlib.figure import Figure

    def figures() -> int:
        gc.collect()
        # Not isinstance, which asks things for their class: some of torch's answer with a warning.
        return sum(issubclass(type(thing), Figure) for thing in gc.get_objects())

    before = figures()
    viewer = CscViewer(square(60_000.0), "a wide square")
    for middle_m in (10_000.0, 30_000.0, 50_000.0):
        viewer.draw(world(tasks=[{"x_m": middle_m, "y_m": middle_m}]))
    assert figures() == before + 1
    del viewer
    assert figures() == before


@pytest.fixture
def _pyplot_as_it_was() -> Any:
    from matplotlib import pyplot

    backend = pyplot.get_backend()
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


@pytest.mark.usefixtures("_pyplot_as_it_was")
def test_without_a_display_show_warns_once_and_the_program_goes_on(viewer: CscViewer) -> None:
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    frame = viewer.draw(world())
    with pytest.warns(UserWarning, match=r'render_mode="human" cannot open a window .*use render_mode="rgb_array"'):
        viewer.show(frame)
    viewer.show(frame)  # a second warning would be an error
    assert pyplot.get_fignums() == []
    viewer.close()


@pytest.mark.usefixtures("_pyplot_as_it_was")
def test_a_window_shows_the_latest_frame_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import pyplot
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    class Manager(FigureManagerBase):
        def show(self) -> None: ...

    class Canvas(FigureCanvasAgg):
        required_interactive_framework = "headless"  # takes itself for a window where there is no display
        manager_class = Manager

    backend = ModuleType("a_backend_with_windows")
    backend.FigureCanvas, backend.FigureManager = Canvas, Manager  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, backend.__name__, backend)
    monkeypatch.setattr("matplotlib.cbook._get_running_interactive_framework", lambda: "headless")
    pyplot.switch_backend(f"module://{backend.__name__}")

    viewer = CscViewer(square(1000.0), "a square", frames_per_second=1000.0)
    for tasks in ([], [{}]):
        frame = viewer.draw(world(tasks=tasks))
        viewer.show(frame)
        (number,) = pyplot.get_fignums()
        shown = pyplot.figure(number).axes[0].images[0].get_array()
        np.testing.assert_array_equal(np.asarray(shown), frame)
    viewer.close()
    assert pyplot.get_fignums() == []


def test_a_rate_of_no_frames_is_refused() -> None:
    with pytest.raises(ConfigError, match="frames_per_second is 0; expected more than 0"):
        CscViewer(square(1000.0), "a square", frames_per_second=0)
