"""Objects named as ``"module:attribute"``, imported when one is asked for."""

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from crowdgym.common.errors import ConfigError
from crowdgym.common.raised import described, where_raised


def load_entry_point(entry_point: str) -> Any:
    """What ``"module:attribute"`` names. The module is imported as Python would import it from the current folder.

    Raises:
        ConfigError: the text is not of that form, there is no such module, or it has no such attribute; or a module
            that is not CrowdGym's raises something while it is imported.
    """
    module_name, colon, attribute = entry_point.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *attribute.split("."))):
        raise ConfigError(f"{entry_point!r} must be given as module:attribute, the module as in an import")
    found: Any = import_module_from_here(module_name, entry_point)
    for part in attribute.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise ConfigError(f"{entry_point!r} does not exist: the module {module_name!r} has no {attribute!r}")
    return found


def import_module_from_here(module_name: str, named: str) -> ModuleType:
    """Import a module as Python would import it from the current folder.

    Args:
        module_name: with dots.
        named: what the user typed, for the message.

    Raises:
        ConfigError: there is no such module, or a module that is not CrowdGym's raises something while it is imported.
    """
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise ConfigError(f"{named!r} does not exist: {module_name!r} names no module as in an import")
    # For CrowdGym's own modules the current folder is not searched: from then on, files in it could replace libraries.
    is_own = module_name.split(".")[0] == "crowdgym"
    here = os.getcwd() if is_own else search_current_folder()
    try:
        return import_module(module_name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and is_missing(error, module_name):
            raise ConfigError(
                f"{named!r} does not exist: there is no module {error.name!r}, neither in {here} nor installed"
            ) from None
        if is_own:
            raise
        raise ConfigError(
            f"{named!r} cannot be loaded: importing {module_name!r} raised {described(error)} ({where_raised(error)})"
        ) from error


def search_current_folder() -> str:
    """Let imports search the current folder first, as Python does for a script that is run from it; return its path."""
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    return here


def is_missing(error: ModuleNotFoundError, module_name: str) -> bool:
    """Whether the error is about the module itself or a package above it, and not about a module that it imports."""
    return bool(error.name) and f"{module_name}.".startswith(f"{error.name}.")
