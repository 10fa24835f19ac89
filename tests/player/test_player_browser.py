"""The player in a real browser: it starts without errors or requests, and shows what the environment says."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from player.episodes import played, recorded

from crowdgym.player.page import write_player
from crowdgym.traces import read_trace

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Opened:
    """A page, what it said on the console, and what it asked the network for."""

    page: Any
    said: list[str]
    asked: list[str]


def wait_until(page: Any, expression: str) -> None:
    """Ask again and again: what waits inside the page would need a script that its policy forbids."""
    for _ in range(1200):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{expression} did not become true")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    folder = tmp_path_factory.mktemp("player")
    traces = [read_trace(recorded(folder, agent)) for agent in ("random", "greedy")]
    write_player(folder / "replay.html", traces)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / "replay.html").as_uri())
        wait_until(page, "window.crowdgymPlayer")
        yield Opened(page, said, asked)
        browser.close()


def test_it_starts_without_errors_and_without_a_network(opened: Opened) -> None:
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "blob:", "data:"))] == []


@pytest.mark.parametrize("epoch", [5, 30, 77])
def test_workers_are_where_the_environment_has_them(opened: Opened, epoch: int) -> None:
    of = played("csc_v0")  # the first of the two traces
    snapshot, network = of.snapshots[epoch], of.env.instance.network
    places = opened.page.evaluate(
        "time => Array.from({length: crowdgymPlayer.runs[0].movers}, (_, i) => crowdgymPlayer.runs[0].place(i, time))",
        snapshot.time_s,
    )
    for place, x_m, y_m in zip(places, snapshot.worker_x_m, snapshot.worker_y_m, strict=True):
        assert place["x"] + network.x_m.min() == pytest.approx(x_m, abs=1.0)
        assert place["y"] + network.y_m.min() == pytest.approx(y_m, abs=1.0)


def test_the_story_of_a_worker_is_that_of_the_scene_and_its_lines_seek(opened: Opened) -> None:
    events = [event for event in played("csc_v0").scene.events if event.mover == 0]
    opened.page.evaluate("crowdgymPlayer.pick(0, {kind: 'mover', number: 0})")
    lines = opened.page.locator(".story .event")
    assert lines.count() == len(events)
    lines.nth(1).click()
    assert opened.page.evaluate("crowdgymPlayer.time") == pytest.approx(events[1].time_s, abs=0.06)


def test_both_panes_show_the_same_moment_and_the_same_part(opened: Opened) -> None:
    opened.page.evaluate("crowdgymPlayer.seek(900)")
    opened.page.locator("canvas").first.hover()
    opened.page.mouse.wheel(0, -400)
    wait_until(opened.page, "crowdgymPlayer.frames > 3")
    assert opened.page.evaluate("crowdgymPlayer.panes.length") == 2
    assert opened.page.evaluate("crowdgymPlayer.panes[0].view === crowdgymPlayer.panes[1].view")
    assert opened.page.locator(".now").text_content() == "0:15:00"


def test_a_click_on_a_task_tells_its_story(opened: Opened) -> None:
    opened.page.evaluate("crowdgymPlayer.seek(600)")
    opened.page.locator(".whole").click()  # all of the city
    at = opened.page.evaluate(
        "(() => {const p = crowdgymPlayer, r = p.runs[0];"
        "const s = [...Array(r.sites).keys()].find(i => r.siteState(i, 600) !== null);"
        "return [s, ...p.view.toPixels(r.siteX[s], r.siteY[s], ...p.panes[0].size)]})()"
    )
    opened.page.locator("canvas").first.click(position={"x": at[1], "y": at[2]})
    assert opened.page.locator(".story h2").text_content().startswith(("Task", "Worker"))


def test_space_plays_and_pauses(opened: Opened) -> None:
    opened.page.evaluate("crowdgymPlayer.seek(0)")
    opened.page.locator("h1").click()
    opened.page.keyboard.press(" ")
    wait_until(opened.page, "crowdgymPlayer.time > 0")
    opened.page.keyboard.press(" ")
    assert opened.page.locator(".play").get_attribute("aria-label") == "Play"


def test_on_a_phone_everything_has_a_place(opened: Opened, tmp_path: Path) -> None:
    opened.page.set_viewport_size({"width": 390, "height": 844})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    opened.page.screenshot(path=str(tmp_path / "phone.png"))
    opened.page.set_viewport_size({"width": 1440, "height": 900})
