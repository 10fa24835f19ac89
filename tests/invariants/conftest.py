"""Thousands of small networks are made here: their hierarchies stay in memory, and Hypothesis keeps no files."""

from collections.abc import Iterator

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from crowdgym.data.roads import distances
from crowdgym.data.roads.hierarchy import build_hierarchy


@pytest.fixture(scope="module", autouse=True)
def _hierarchies_in_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "kept_hierarchy", build_hierarchy)
        yield


@pytest.fixture(scope="session", autouse=True)
def _hypothesis_at_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    set_hypothesis_home_dir(tmp_path_factory.getbasetemp() / "hypothesis")
