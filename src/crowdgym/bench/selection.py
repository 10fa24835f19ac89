"""Some of a suite: the pieces that have the values that are asked for."""

from collections.abc import Mapping, Sequence

from crowdgym.common.errors import ConfigError
from crowdgym.execution.jobs import Item


def only(items: Sequence[Item], choices: Mapping[str, tuple[str, ...]], suite: str) -> list[Item]:
    """The pieces that have one of the values given for each parameter.

    Args:
        items: at least one.
        choices: values as text, by parameter.
        suite: its name, for messages.

    Raises:
        ConfigError: there is no such parameter, or it never has the value.
    """
    for name, values in choices.items():
        parameters = [item.parameters() for item in items]
        known = {str(of[name]): None for of in parameters if name in of}
        if not known:
            raise ConfigError(f"{suite} has no parameter {name!r} (known: {', '.join(parameters[0])})")
        wrong = next((value for value in values if value not in known), None)
        if wrong is not None:
            raise ConfigError(f"{name} must be one of {', '.join(known)}, got {wrong!r}")
        items = [item for item, of in zip(items, parameters, strict=True) if str(of[name]) in values]
    return list(items)
