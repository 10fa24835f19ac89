"""The command line. Each module of this package that has an ``app`` brings commands; this file only collects them."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

import typer

import crowdgym
import crowdgym.cli
from crowdgym.cli.shared.endings import CleanGroup


def main() -> None:
    """Run the command line; `crowdgym.cli.start` calls this."""
    app(prog_name="crowdgym")


def command_line() -> typer.Typer:
    """The whole command line, from the modules of this package."""
    # Plain text in place of boxes, so that a message is one line wherever it ends up.
    whole = typer.Typer(
        name="crowdgym",
        cls=CleanGroup,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog="Begin with 'crowdgym demo'. 'crowdgym COMMAND --help' explains a command.",
    )
    whole.callback()(_root)
    for part in _parts():
        whole.add_typer(part)
    return whole


def _parts() -> Iterator[typer.Typer]:
    """The ``app`` of each module of `crowdgym.cli` that has one, by the order of the modules' names."""
    for name in sorted(module.name for module in iter_modules(crowdgym.cli.__path__) if module.name != "main"):
        part = getattr(import_module(f"crowdgym.cli.{name}"), "app", None)
        if isinstance(part, typer.Typer):
            yield part


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crowdgym {crowdgym.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Spatial crowdsourcing environments: run policies, record them, and build datasets."""


app = command_line()
