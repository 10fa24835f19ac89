"""Chromium for tests marked ``browser``, and the pictures that they keep."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that runs; the test is skipped where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def screenshot(page: Any, folder: Path, name: str) -> None:
    """Keep a picture of a page: in the folder of the variable CROWDGYM_SCREENSHOTS if there is one."""
    page.screenshot(path=str(Path(os.environ.get("CROWDGYM_SCREENSHOTS", folder)) / f"{name}.png"))
