"""``crowdgym trace``: check recorded episodes, and look at them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdgym.cli_errors import clean_errors

if TYPE_CHECKING:
    from crowdgym.testing.csc_records import Violation
    from crowdgym.traces.format import Trace

DIFFERENT = 1

trace_app = typer.Typer(help="Check recorded episodes, and look at them.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Traces, as 'crowdgym run --trace' writes them.")]


@trace_app.command()
@clean_errors()
def verify(files: Files) -> None:
    """Play each trace again, compare everything, and check the outcome from first principles.

    Exit code 1 if one differs or breaks a rule, 2 if one cannot be played.
    """
    from crowdgym.traces import TraceError, compare, read_trace, replay

    different = 0
    broken: TraceError | None = None
    for file in files:
        try:
            trace = read_trace(file)
            mismatch = compare(trace, replay(trace))
        except TraceError as error:  # the other files still get their turn
            typer.echo(f"{file}: error: {error}", err=True)
            broken = error
            continue
        faults = (
            [f"DIFFERS {mismatch}"] if mismatch is not None else [f"BREAKS A RULE {v}" for v in _broken_rules(trace)]
        )
        for fault in faults:
            typer.echo(f"{file}: {fault}", err=True)
        if faults:
            different += 1
        else:
            typer.echo(f"{file}: verified, {trace.header.steps} steps, {_shown(trace.header.metrics)}")
    if broken is not None:
        raise typer.Exit(2)
    if different:
        raise typer.Exit(DIFFERENT)


@trace_app.command()
@clean_errors()
def show(file: Annotated[Path, typer.Argument(metavar="FILE", help="A trace.")]) -> None:
    """Print what a trace is of, what it came to, and how each quantity is compared."""
    from crowdgym.traces import read_trace

    trace = read_trace(file)
    header = trace.header
    typer.echo(f"{header.env} on {header.settings.get('scenario')}, agent {header.agent}")
    typer.echo(f"  seed {header.seed}, instance {header.instance}, {header.steps} steps, {len(header.agents)} agents")
    typer.echo(f"  road network {header.road_checksum[:16]}")
    typer.echo("  written with " + ", ".join(f"{name} {version}" for name, version in header.written_with.items()))
    typer.echo(f"  {_shown(header.metrics)}")
    typer.echo(f"  settings: {', '.join(f'{name}={value}' for name, value in header.settings.items())}")
    for name, quantity in header.quantities.items():
        exact = quantity.relative_tolerance == 0
        how = (
            "exactly"
            if exact
            else f"to {quantity.relative_tolerance:g} of the value or {quantity.absolute_tolerance:g}"
        )
        typer.echo(f"  {name} of every {quantity.of}: compared {how}")


def _shown(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.10g}" for name, value in metrics.items())


def _broken_rules(trace: "Trace") -> "list[Violation]":
    """What the solution checker of the trace's environment finds, where there is one."""
    if trace.header.env != "csc_v0":
        return []
    from crowdgym.testing.csc_trace import broken_rules

    return broken_rules(trace)
