"""How commands end on bad input, Ctrl-C and SIGTERM: one line on standard error, and an exit code that says so."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from crowdgym.cli.shared.signals import told
from crowdgym.common.errors import CrowdGymError, CrowdGymWarning
from crowdgym.common.extras import missing_package
from crowdgym.common.text import one_line

BAD_INPUT = 2


@contextmanager
def clean_endings() -> Iterator[None]:
    """Turn a `CrowdGymError` into one line ``error: ...`` on standard error and exit code 2.

    So does a package of an extra that is not installed. A `CrowdGymWarning` becomes one line ``warning: ...``, Ctrl-C
    ``interrupted`` and exit code 130, and SIGTERM ``terminated`` and exit code 143. Every other exception is a fault
    of the program and keeps its traceback, also Gymnasium's ``InvalidAction`` and ``ResetNeeded``.

    Raises:
        typer.Exit: instead of a `CrowdGymError` or an interrupt.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", CrowdGymWarning)
        previous = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, CrowdGymWarning):
                typer.echo(f"warning: {one_line(message)}", err=True)
            else:
                previous(message, category, *place, **more)

        warnings.showwarning = show
        try:
            yield
        except CrowdGymError as error:
            typer.echo(f"error: {one_line(error)}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except ModuleNotFoundError as error:
            sentence = missing_package(error)
            if sentence is None:
                raise
            typer.echo(f"error: {sentence}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(told(interrupt)) from None


class CleanGroup(TyperGroup):
    """A group whose commands all have `clean_endings`, for the checks of their options and for their work."""

    def invoke(self, ctx: Any) -> Any:
        """Invoke the command that is named on the command line."""
        with clean_endings():
            return super().invoke(ctx)
