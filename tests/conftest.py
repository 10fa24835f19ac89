"""What all tests share: a cache folder of their own, and the way to the real data beside the checkout."""

import logging
import math
import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

# The same examples every time, and no clock: a slow machine is no fault.
hypothesis.settings.register_profile("crowdgym", deadline=None, derandomize=True)
hypothesis.settings.load_profile("crowdgym")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the person's own cache out of the tests; all workers of a parallel run share one."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    os.environ["CROWDGYM_DATA"] = str(base / "crowdgym-cache")


@pytest.fixture(scope="session", autouse=True)
def _compiles_in_silence() -> None:
    """What a command says on standard error does not depend on machine code that is there already, nor on the time."""
    logging.getLogger("crowdgym").setLevel(logging.ERROR)
    from crowdgym.cli.shared import progress

    progress.LINE_EVERY_S = math.inf


@pytest.fixture(scope="session", autouse=True)
def _wide_output() -> None:
    """What a command prints does not depend on the terminal that the tests are started in."""
    os.environ.pop("COLUMNS", None)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return the way to a real file, or skip the test with the reason."""

    def find(relative: str) -> Path:
        path = SHARED_DATA / relative
        if not path.exists():
            pytest.skip(f"the real data are not beside this checkout ({relative} is missing)")
        return path

    return find
