"""Where instances of sensing come from. A generator of your own is any object with ``generate``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.configs.sensing import SensingSettings
from crowdgym.data.sensing import SensingSeries
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.sensing.instance import SensingInstance

_ROUNDING = 1e-9  # of a cycle: how exactly the times in the settings are multiples of it


class InstanceGenerator(Protocol):
    """Draws an episode."""

    def generate(self, seeds: InstanceSeeds) -> SensingInstance:
        """Draw an instance; the same seeds give the same instance. Every instance has the same sizes."""


class SeriesGenerator:
    """The cycles of a series, with the participants in different cells drawn at random (paper, section 5).

    Raises:
        ConfigError: an attribute that the series does not have, more participants than cells, or times that do not fit
            the series.
    """

    def __init__(self, series: SensingSeries, settings: SensingSettings) -> None:
        if settings.num_participants > series.num_cells:
            raise ConfigError(
                f"num_participants must be at most {series.num_cells}, the number of cells in {series.name!r}, "
                f"got {settings.num_participants}"
            )
        columns = [series.attributes.index(name) for name in chosen_attributes(series, settings)]
        cycles = np.array(chosen_cycles(series, settings))
        self._values = np.ascontiguousarray(series.values[cycles][..., columns])
        self._values.setflags(write=False)
        self._participants = settings.num_participants

    def generate(self, seeds: InstanceSeeds) -> SensingInstance:
        """See `InstanceGenerator`."""
        cell = seeds.workers.permutation(self._values.shape[1])[: self._participants]
        return SensingInstance(self._values, cell.astype(np.int32))


def chosen_attributes(series: SensingSeries, settings: SensingSettings) -> tuple[str, ...]:
    """The attributes that the settings name.

    Raises:
        ConfigError: the series does not have one of them.
    """
    if settings.attributes == "all":
        return series.attributes
    for name in settings.attributes:
        if name not in series.attributes:
            raise ConfigError(
                f"attributes must be some of {', '.join(series.attributes)}, those of {series.name!r}, got {name!r}"
            )
    return tuple(settings.attributes)


def scale_of(series: SensingSeries, settings: SensingSettings) -> NDArray[np.float64]:
    """Γ of each chosen attribute, over the whole series. Shape [A].

    Raises:
        ConfigError: one that is not positive.
    """
    scales = []
    for name in chosen_attributes(series, settings):
        values = series.values[..., series.attributes.index(name)]
        known = values[~np.isnan(values)]
        scale = float(np.ptp(known)) if settings.normalisation == "range" else float(np.percentile(known, 99))
        if not scale > 0:
            raise ConfigError(
                f"normalisation {settings.normalisation!r} must be positive for every attribute, "
                f"got {scale:g} for {name!r} of {series.name!r}"
            )
        scales.append(scale)
    return np.array(scales)


def step_s(series: SensingSeries, settings: SensingSettings) -> float:
    """How long a step is."""
    return series.cycle_s if settings.step_s == "series" else float(settings.step_s)


def chosen_cycles(series: SensingSeries, settings: SensingSettings) -> range:
    """The cycles of the series that the settings choose.

    Raises:
        ConfigError: a step is not a whole number of cycles, or the series is over before the horizon.
    """
    every = step_s(series, settings) / series.cycle_s
    if every < 0.5 or abs(every - round(every)) > _ROUNDING * every:
        raise ConfigError(
            f"step_s must be a whole number of cycles, which take {series.cycle_s:g} s in {series.name!r}, "
            f"got {settings.step_s}"
        )
    first = int(settings.start_s / series.cycle_s + _ROUNDING)
    there = range(first, series.num_cycles, round(every))
    if len(there) < 2:
        raise ConfigError(
            f"start_s and step_s must leave at least 2 of the {series.num_cycles} cycles of {series.name!r}, "
            f"got {settings.start_s:g} and {settings.step_s}, which leave {len(there)}"
        )
    if settings.horizon_s == "series":
        return there
    wanted = int(np.ceil(settings.horizon_s / step_s(series, settings) - _ROUNDING))
    if not 2 <= wanted <= len(there):
        raise ConfigError(
            f"horizon_s must take from 2 to {len(there)} steps of {step_s(series, settings):g} s in {series.name!r} "
            f"from start_s on, got {settings.horizon_s:g}"
        )
    return there[:wanted]
