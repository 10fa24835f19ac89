"""The site in a real browser: no errors, no requests, tables that sort and filter, links that lead somewhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import chromium, screenshot
from leaderboard.tiny_board import NAME, know_the_tiny_board

from crowdgym.leaderboard import boards
from crowdgym.leaderboard.site import build_site

pytestmark = pytest.mark.browser


class Visit:
    """A page of the site, what the browser said, and what it asked for."""

    def __init__(self, browser: Any, site: Path, *, javascript: bool = True) -> None:
        self.site, self.said, self.asked = site, list[str](), list[str]()
        self.page = browser.new_context(java_script_enabled=javascript).new_page()
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("requestfailed", lambda request: self.said.append(f"failed: {request.url}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, name: str) -> None:
        self.page.goto((self.site / name).as_uri())

    def names(self) -> list[str]:
        """The entries in the first table of a board, from the top."""
        return [str(name) for name in self.page.locator("table").first.locator("tbody a").all_text_contents()]


@pytest.fixture(scope="module")
def site(honest_entries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        know_the_tiny_board(patch)
        folder = tmp_path_factory.mktemp("browser") / "site"
        build_site(honest_entries, folder)
    boards.find_board.cache_clear()
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def test_every_link_is_followed_without_an_error_or_a_request_to_a_network(browser: Any, site: Path) -> None:
    visit = Visit(browser, site)
    waiting, seen = [(site / "index.html").as_uri()], set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        if address.endswith((".csv", ".json")):
            assert Path(address.removeprefix("file://")).is_file()
            continue
        visit.page.goto(address)
        links = visit.page.locator("a").evaluate_all("links => links.map(link => link.href.split('#')[0])")
        waiting += [link for link in links if link.startswith("file:")]
    assert visit.said == []
    assert [address for address in visit.asked if not address.startswith(("file:", "data:", "blob:"))] == []
    pages = {Path(address.removeprefix("file://")) for address in seen if address.endswith(".html")}
    assert pages == set(site.rglob("*.html"))


def test_a_click_on_a_heading_sorts(browser: Any, site: Path) -> None:
    visit = Visit(browser, site)
    visit.open(f"{NAME}/index.html")
    assert visit.names()[-1] == "hold"  # as the server wrote it: by rank
    heading = visit.page.locator("table").first.locator("th", has_text="revenue")
    heading.click()
    visit.page.locator("th[aria-sort=ascending]").first.wait_for()
    assert visit.names()[0] == "hold"
    heading.click()
    visit.page.locator("th[aria-sort=descending]").first.wait_for()
    assert visit.names()[-1] == "hold"


def test_a_search_and_a_choice_filter(browser: Any, site: Path) -> None:
    visit = Visit(browser, site)
    visit.open(f"{NAME}/index.html")
    visit.page.locator("input[type=search]").first.fill("greedy")
    assert visit.names() == ["greedy"]
    visit.page.locator("input[type=search]").first.fill("")
    assert len(visit.names()) == 3
    choice = visit.page.locator("select")  # of the kind; all are decentralised, so there is nothing else to choose
    choice.select_option("other")
    assert visit.names() == ["hold"]
    choice.select_option("")
    assert len(visit.names()) == 3


def test_without_javascript_the_same_lines_are_there(browser: Any, site: Path) -> None:
    visit = Visit(browser, site, javascript=False)
    visit.open(f"{NAME}/index.html")
    assert sorted(visit.names()) == ["greedy", "hold", "random"]
    assert visit.page.locator("img").first.is_visible()


@pytest.mark.parametrize(("device", "width", "height"), [("screen", 1440, 900), ("phone", 390, 844)])
def test_no_page_is_wider_than_the_screen(
    browser: Any, site: Path, tmp_path: Path, device: str, width: int, height: int
) -> None:
    visit = Visit(browser, site)
    visit.page.set_viewport_size({"width": width, "height": height})
    pages = ("index.html", f"{NAME}/index.html", f"{NAME}/greedy.html", f"{NAME}/compare/greedy--hold.html")
    for number, name in enumerate(pages):
        visit.open(name)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        screenshot(visit.page, tmp_path, f"leaderboard-{number}-{device}")


@pytest.mark.parametrize("width", [1440, 1000, 390])
def test_the_first_page_shows_its_tables_whole(browser: Any, site: Path, width: int) -> None:
    visit = Visit(browser, site)
    visit.page.set_viewport_size({"width": width, "height": 900})
    visit.open("index.html")
    hidden = "tables => tables.map(table => table.scrollWidth - table.clientWidth)"
    assert visit.page.locator(".table").evaluate_all(hidden) == [0]
