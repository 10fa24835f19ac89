"""The synthetic cities, each built once and shared through the session's cache."""

from collections.abc import Callable

import pytest

from crowdgym.data.dataset import Dataset
from crowdgym.data.registry import load_dataset


@pytest.fixture(scope="session")
def city() -> Callable[[str], Dataset]:
    return load_dataset
