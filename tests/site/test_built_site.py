"""The site that ``make docs`` has built: every link arrives, and pages open in a browser without an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from browsers import chromium

SITE = Path(__file__).resolve().parents[2] / "out" / "docs"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="the site is not built: run 'make docs'"),
]


class Page(HTMLParser):
    """The links of a page, and the anchors that a link may name."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if (tag, name) in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")) and value:
                self.links.add(value)


@cache
def page(file: Path) -> Page:
    return Page(file)


def leads_nowhere(file: Path, link: str) -> bool:
    """Whether a link of a page does not lead to a file of the site and an anchor in it. The web is not asked."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_file():
        return True
    return bool(parts.fragment) and target.suffix == ".html" and unquote(parts.fragment) not in page(target).anchors


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *words: object) -> None: ...


@contextmanager
def served() -> Iterator[str]:
    """The address of the site, served on this machine: the search reads pages, which a browser refuses for files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_link_leads_to_a_page_and_an_anchor_of_it() -> None:
    files = sorted(SITE.rglob("*.html"))
    broken = [(file.name, link) for file in files for link in page(file).links if leads_nowhere(file, link)]

    assert len(files) > 60
    assert broken == []


@pytest.mark.browser
def test_pages_open_in_a_browser_without_an_error_and_the_search_finds_an_environment() -> None:
    with served() as address, chromium() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        said: list[str] = []
        asked: list[str] = []
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))

        opened.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # a browser asks for it of itself

        opened.goto(f"{address}/index.html")
        opened.get_by_role("link", name="dasc_v0", exact=True).first.click()
        assert opened.title().startswith("dasc_v0")
        assert opened.locator("img").first.evaluate("image => image.naturalWidth") == 1000
        opened.goto(f"{address}/search.html?q=preference_v0")
        opened.locator("ul.search li a").first.wait_for()

    assert said == []
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
