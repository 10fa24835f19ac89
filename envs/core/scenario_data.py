"""The data behind a scenario."""

from collections.abc import Callable
from typing import TypeVar

from crowdgym.common.errors import UnknownDatasetError
from crowdgym.configs.loading import Settings, presets

Data = TypeVar("Data")


def data_of(settings: Settings, load: Callable[[str], Data]) -> Data:
    """Load the dataset that the scenario of the settings plays on.

    Raises:
        UnknownDatasetError: there is no such scenario or dataset; lists the environment's presets and the datasets.
        DataError: the dataset cannot be loaded.
    """
    try:
        return load(settings.dataset)
    except UnknownDatasetError as error:
        own = [preset.name for preset in presets() if settings.environment in preset.settings]
        raise UnknownDatasetError(settings.scenario, tuple(dict.fromkeys((*own, *error.known)))) from None
