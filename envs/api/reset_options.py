"""The options of ``reset``, every fault named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crowdgym.common.errors import ConfigError
from crowdgym.common.text import shown

# PettingZoo's parallel_api_test resets every environment with options={"options": 1}, which has to pass.
_PETTINGZOO_TEST_OPTION = "options"


@dataclass(frozen=True)
class ResetOptions:
    """What a ``reset`` was asked for.

    Attributes:
        instance: a number in the scenario's benchmark set, or None for the next episode of the seed.
        further: what else was given, by name, checked.
    """

    instance: int | None = None
    further: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, object] | None, checks: Mapping[str, Callable[[object], Any]]) -> "ResetOptions":
        """Check the options of a ``reset``; an option that is None is not given.

        Args:
            options: as the caller gave them.
            checks: for each option besides "instance" the function that checks its value and returns what it means.

        Raises:
            ConfigError: an option of another name, or one whose value cannot be used.
        """
        known = ("instance", *checks)
        if options is not None and not isinstance(options, Mapping):
            raise ConfigError(f"the options of reset must be a dict from name to value, got {shown(options)}")
        given = {name: value for name, value in (options or {}).items() if name != _PETTINGZOO_TEST_OPTION}
        unknown = sorted(map(shown, set(given) - set(known)))
        if unknown:
            raise ConfigError(f"reset has no option {unknown[0]} (known: {', '.join(map(repr, known))})")
        given = {name: value for name, value in given.items() if value is not None}
        instance = _instance(given.pop("instance", None))
        return cls(instance, {name: checks[name](value) for name, value in given.items()})


def _instance(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"the option 'instance' must be a whole number from 0 on, got {shown(value)}")
    return int(value)
