"""Exceptions of code that is not CrowdGym's, in a few words."""

import sysconfig
import traceback

_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


def where_raised(error: BaseException) -> str:
    """The innermost line of an exception's traceback that is not in a library, as "FILE, line N"."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((*_LIBRARIES, "<"))] or frames
    return f"{own[-1].filename}, line {own[-1].lineno}"


def described(error: BaseException) -> str:
    """An exception in a few words, on one line."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
