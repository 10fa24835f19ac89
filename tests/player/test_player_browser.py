"""The player in a real browser: it starts without errors or requests, and shows what the environment says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsers import chromium, screenshot
from player.episodes import played, recorded

from crowdgym.player.page import write_player
from crowdgym.traces import read_trace

pytestmark = pytest.mark.browser

MOST_SCRIPT_MS = 10.0  # of a frame, on the main thread
MOST_BYTES = 600_000  # of a file with two episodes of 350 workers and 176 epochs

Open = Callable[[Path], "Opened"]


@dataclass(frozen=True)
class Opened:
    """A page, what it said on the console, and what it asked the network for."""

    page: Any
    said: list[str]
    asked: list[str]

    def pixels_of_site(self, site: int, time: float) -> dict[str, float]:
        """Where a site is on the first canvas."""
        self.page.evaluate(f"crowdgymPlayer.seek({time})")
        x, y = self.page.evaluate(f"(crowdgymPlayer.draw(), crowdgymPlayer.panes[0].centre({site}))")
        return {"x": x, "y": y}


def wait_until(page: Any, expression: str) -> None:
    """Ask again and again: what waits inside the page would need a script that its policy forbids."""
    for _ in range(1200):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{expression} did not become true")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def open_page(browser: Any) -> Open:
    def opened(file: Path) -> Opened:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        wait_until(page, "window.crowdgymPlayer")
        return Opened(page, said, asked)

    return opened


def replay(folder: Path, environment: str, *agents: str, **settings: Any) -> Path:
    target = folder / f"{environment}.html"
    write_player(target, [read_trace(recorded(folder, agent, environment, **settings)) for agent in agents])
    return target


@pytest.fixture(scope="module")
def csc(open_page: Open, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return open_page(replay(tmp_path_factory.mktemp("csc"), "csc_v0", "random", "greedy"))


@pytest.fixture(scope="module")
def dasc(open_page: Open, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return open_page(replay(tmp_path_factory.mktemp("dasc"), "dasc_v0", "random"))


@pytest.mark.parametrize(
    ("environment", "agents", "moment"),
    [
        ("csc_v0", ("random", "greedy"), 900.0),
        ("dasc_v0", ("greedy", "critical-path"), 900.0),
        ("preference_v0", ("greedy", "km"), 900.0),
        ("sensing_v0", ("uns-ta", "random"), 20.8),
    ],
)
def test_it_starts_without_errors_and_without_a_network(
    open_page: Open, tmp_path: Path, environment: str, agents: tuple[str, ...], moment: float
) -> None:
    opened = open_page(replay(tmp_path, environment, *agents))
    page = opened.page
    page.evaluate(f"crowdgymPlayer.seek({moment})")
    page.evaluate("crowdgymPlayer.pick(0, {kind: 'site', number: 0})")
    wait_until(page, "crowdgymPlayer.frames > 1")
    screenshot(page, tmp_path, environment)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("Math.min(...crowdgymPlayer.panes.map(pane => pane.size[1]))") > 100
    screenshot(page, tmp_path, f"{environment}-phone")
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "blob:", "data:"))] == []
    page.close()


@pytest.mark.parametrize("epoch", [5, 30, 77])
def test_workers_are_where_the_environment_has_them(csc: Opened, epoch: int) -> None:
    of = played("csc_v0")  # the first of the two traces
    snapshot, network = of.snapshots[epoch], of.env.instance.network
    places = csc.page.evaluate(
        "time => Array.from({length: crowdgymPlayer.runs[0].movers}, (_, i) => crowdgymPlayer.runs[0].place(i, time))",
        snapshot.time_s,
    )
    for place, x_m, y_m in zip(places, snapshot.worker_x_m, snapshot.worker_y_m, strict=True):
        assert place["x"] + network.x_m.min() == pytest.approx(x_m, abs=1.0)
        assert place["y"] + network.y_m.min() == pytest.approx(y_m, abs=1.0)


@pytest.mark.parametrize("epoch", [5, 30, 77])
def test_marks_of_workers_and_tasks_are_those_of_the_scene(csc: Opened, epoch: int) -> None:
    scene = played("csc_v0").scene
    time = float(scene.time_s[epoch])
    state_of = "(_, i) => crowdgymPlayer.runs[0].siteState(i, time)"
    states = csc.page.evaluate(f"time => Array.from({{length: crowdgymPlayer.runs[0].sites}}, {state_of})", time)
    assert [255 if state is None else state for state in states] == scene.site_state[epoch].tolist()


def test_the_story_of_a_worker_is_that_of_the_scene_and_its_lines_seek(csc: Opened) -> None:
    events = [event for event in played("csc_v0").scene.events if event.mover == 0]
    csc.page.evaluate("crowdgymPlayer.pick(0, {kind: 'mover', number: 0})")
    lines = csc.page.locator(".story .event span")
    told = [event.text.replace("{mover}", "worker 0").replace("{site}", f"task {event.site}") for event in events]
    assert lines.all_text_contents() == told
    lines.nth(1).click()
    assert csc.page.evaluate("crowdgymPlayer.time") == pytest.approx(events[1].time_s, abs=0.06)


def test_both_panes_show_the_same_moment_and_the_same_part(csc: Opened) -> None:
    page = csc.page
    page.evaluate("crowdgymPlayer.seek(900)")
    before = page.evaluate("crowdgymPlayer.view.pixelsPerMetre")
    page.locator("canvas").first.hover()
    page.mouse.wheel(0, -400)
    wait_until(page, f"crowdgymPlayer.view.pixelsPerMetre > {before}")
    assert page.evaluate("crowdgymPlayer.panes.length") == 2
    assert page.evaluate("crowdgymPlayer.panes.every(pane => pane.view === crowdgymPlayer.view)")
    assert page.locator(".now").text_content() == "0:15:00"
    shown = page.locator("figcaption").evaluate_all("all => all.map(one => one.querySelector('b').textContent)")
    revenues = page.evaluate("crowdgymPlayer.runs.map(run => run.series('revenue')[run.epoch(900)])")
    assert [float(text.replace(",", "")) for text in shown] == pytest.approx(revenues, rel=0.01, abs=0.5)
    page.locator("h1").click()
    page.keyboard.press("0")


def test_a_click_on_a_task_tells_its_story(csc: Opened) -> None:
    csc.page.locator(".whole").click()  # all of the city
    site = csc.page.evaluate(
        "[...Array(crowdgymPlayer.runs[0].sites).keys()].find(i => crowdgymPlayer.runs[0].siteState(i, 600) !== null)"
    )
    csc.page.locator("canvas").first.click(position=csc.pixels_of_site(site, 600))
    assert csc.page.locator(".story h2").text_content().startswith(("Task", "Worker"))


def test_keys_play_pause_step_and_close(csc: Opened) -> None:
    page = csc.page
    page.evaluate("crowdgymPlayer.seek(0)")
    page.locator("h1").click()
    page.keyboard.press(" ")
    wait_until(page, "crowdgymPlayer.time > 0")
    page.keyboard.press(" ")
    assert page.locator(".play").get_attribute("aria-label") == "Play"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("crowdgymPlayer.time") == played("csc_v0").scene.time_s[1]
    page.evaluate("crowdgymPlayer.pick(0, {kind: 'mover', number: 0})")
    page.keyboard.press("Escape")
    assert page.locator(".story .event").count() == 0


def test_a_click_on_the_curve_seeks(csc: Opened) -> None:
    curve = csc.page.locator(".u-over").first
    box = curve.bounding_box()
    curve.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    end = float(played("csc_v0").scene.time_s[-1])
    assert csc.page.evaluate("crowdgymPlayer.time") == pytest.approx(end / 2, rel=0.05)


def test_a_click_on_a_subtask_shows_the_chart_of_its_task(dasc: Opened) -> None:
    scene = played("dasc_v0").scene
    site = int(scene.links[0, 1])
    members = [int(number) for number in (scene.site_group == scene.site_group[site]).nonzero()[0]]
    dasc.page.evaluate(f"crowdgymPlayer.pick(0, {{kind: 'site', number: {site}}})")
    rows = dasc.page.locator(".gantt svg text:not(.date)").all_text_contents()
    assert rows == [str(number) for number in members]
    assert dasc.page.locator(".gantt h2").text_content() == f"Task {scene.site_group[site]}: {len(members)} subtasks"


def test_the_script_of_a_frame_takes_less_than_ten_milliseconds_with_350_workers(
    open_page: Open, tmp_path: Path
) -> None:
    """In time of the main thread, which does not depend on what else the machine does; two panes, playing."""
    settings = {"scenario": "haikou-synth", "num_workers": 350, "num_tasks": 350, "horizon_s": 1800.0}
    page = open_page(replay(tmp_path, "csc_v0", "greedy", "turn-nearest", **settings)).page
    protocol = page.context.new_cdp_session(page)
    protocol.send("Performance.enable", {"timeDomain": "threadTicks"})

    def measured() -> tuple[float, int]:
        metrics = {of["name"]: of["value"] for of in protocol.send("Performance.getMetrics")["metrics"]}
        return metrics["ScriptDuration"], page.evaluate("crowdgymPlayer.frames")

    page.evaluate("(crowdgymPlayer.seek(600), crowdgymPlayer.play(true))")
    wait_until(page, "crowdgymPlayer.frames > 20")
    script_s, frames = measured()
    wait_until(page, f"crowdgymPlayer.frames > {frames + 60}")
    after_s, after = measured()
    screenshot(page, tmp_path, "350-workers")
    assert 1000 * (after_s - script_s) / (after - frames) < MOST_SCRIPT_MS
    page.close()


@pytest.mark.slow
def test_two_episodes_of_350_workers_fit_into_six_hundred_kilobytes(tmp_path: Path) -> None:
    settings = {"scenario": "chengdu-synth", "num_workers": 350, "num_tasks": 350}
    file = replay(tmp_path, "csc_v0", "greedy", "turn-nearest", **settings)
    assert file.stat().st_size <= MOST_BYTES
