"""What a dataset may be called."""

import re

from crowdgym.common.errors import DataError

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def embedded_names() -> tuple[str, ...]:
    """Names of the datasets that are built into CrowdGym: cities, then sensing series."""
    return (*city_names(), *series_names())


def city_names() -> tuple[str, ...]:
    """Names of the cities that are built into CrowdGym."""
    from crowdgym.data.synthetic.cities import CITY_NAMES

    return tuple(CITY_NAMES)


def series_names() -> tuple[str, ...]:
    """Names of the sensing series that are built into CrowdGym."""
    from crowdgym.data.synthetic.series.draw import SERIES_NAMES

    return SERIES_NAMES


def check_name(name: str) -> None:
    """Check that a dataset may be built under this name.

    Raises:
        DataError: it has other characters than a-z, 0-9, _ and -, or belongs to an embedded dataset.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise DataError(
            f"the name {name!r} of a dataset is not valid; expected at most 64 lower-case letters, digits, "
            "'_' and '-', the first a letter or a digit"
        )
    if name in embedded_names():
        kind = "city" if name in city_names() else "sensing series"
        raise DataError(f"the name {name!r} belongs to a {kind} that is built in; choose another name for the dataset")
