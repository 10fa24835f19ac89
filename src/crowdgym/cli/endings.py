"""How commands end on bad input and on Ctrl-C: one line on standard error, and an exit code that says so."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from crowdgym.common.errors import DataWarning

BAD_INPUT = 2
INTERRUPTED = 130  # what a shell expects of a program that was stopped with Ctrl-C


@contextmanager
def clean_endings() -> Iterator[None]:
    """Turn CrowdGym's refusals into one line ``error: ...`` on standard error and exit code 2.

    Its warnings become one line ``warning: ...`` each, and Ctrl-C becomes ``interrupted`` and exit code 130. A refusal
    is a `ValueError` of a class that CrowdGym defines, such as `crowdgym.common.errors.DataError`; anything else is a
    fault of the program and keeps its traceback. Also works as a decorator.

    Raises:
        typer.Exit: instead of a refusal or an interrupt.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        previous = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if _is_ours(category):
                typer.echo(f"warning: {_one_line(message)}", err=True)
            else:
                previous(message, category, *place, **more)

        warnings.showwarning = show
        try:
            yield
        except ValueError as error:
            if not _is_ours(type(error)):
                raise
            typer.echo(f"error: {_one_line(error)}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None


def _is_ours(kind: type[BaseException]) -> bool:
    return kind.__module__.startswith("crowdgym.")


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
