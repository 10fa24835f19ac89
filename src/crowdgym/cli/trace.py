"""``crowdgym trace``: check and show recorded episodes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdgym.cli.shared.traces import GivenFiles, Module, given_files, import_given
from crowdgym.common.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdgym.traces.format import Trace
    from crowdgym.verification.violations import BrokenRule

DIFFERENT, UNREADABLE = 1, 2  # exit codes

app = typer.Typer(
    name="trace", help="Check and show recorded episodes; 'crowdgym view' draws them.", no_args_is_help=True
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Traces, as 'crowdgym run --trace' writes them.")]


@dataclass(frozen=True)
class Judgement:
    """What is said of a trace.

    Attributes:
        faults: one sentence each.
        figures: that the verdict ends with; never those of the trace itself.
    """

    faults: list[str]
    figures: str = ""


@app.command()
def verify(traces: Files, module: Module = None, file: GivenFiles = None) -> None:
    """Play each trace again and compare everything.

    Also checks from first principles that the recorded episode keeps the rules. Exit code 1 if a trace differs or
    breaks a rule, 2 if a trace cannot be played. The figures that are printed are those of the replay.
    """
    from crowdgym.traces import compare, replay
    from crowdgym.verification.traces import broken_rules, has_checker

    import_given(module)
    files = given_files(file)

    def judge(trace: "Trace") -> Judgement:
        played = replay(trace, files)
        mismatch = compare(trace, played)
        if mismatch is not None:
            return Judgement([f"DIFFERS {mismatch}"])
        faults = _broken(broken_rules(trace, files)) if has_checker(trace) else []
        return Judgement(faults, f", {_shown(played.header.metrics)}")

    _judge(traces, judge, "verified")


@app.command()
def check(traces: Files, module: Module = None, file: GivenFiles = None) -> None:
    """Check that each trace keeps the rules.

    The rules are checked from first principles; nothing is played again. Exit code 1 if a trace breaks a rule, 2 if a
    trace cannot be checked.
    """
    from crowdgym.verification.traces import broken_rules

    import_given(module)
    files = given_files(file)
    _judge(traces, lambda trace: Judgement(_broken(broken_rules(trace, files))), "confirmed")


@app.command()
def show(file: Annotated[Path, typer.Argument(metavar="FILE", help="A trace.")]) -> None:
    """Print what a trace says; whether it is true, 'verify' says.

    Also prints how each recorded quantity is compared when the trace is played again.
    """
    from crowdgym.traces import read_trace

    trace = read_trace(file)
    header = trace.header
    typer.echo(f"{header.env} on {header.settings.get('scenario')}, agent {header.agent}")
    typer.echo(f"  seed {header.seed}, instance {header.instance}, {header.steps} steps, {len(header.agents)} agents")
    typer.echo(f"  data of the scenario {header.road_checksum[:16]}")
    for setting, checksum in header.files.items():
        typer.echo(f"  {setting} {header.settings.get(setting)}, {checksum[:16]}")
    if header.options:
        typer.echo(f"  options of reset: {', '.join(f'{name}={value}' for name, value in header.options.items())}")
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
        whose = "the whole" if quantity.of == "whole" else f"every {quantity.of}"
        typer.echo(f"  {name} of {whose}: compared {how}")


def _shown(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.10g}" for name, value in metrics.items())


def _broken(violations: "list[BrokenRule]") -> list[str]:
    return [f"BREAKS A RULE {violation.message}" for violation in violations]


def _judge(files: list[Path], judge: "Callable[[Trace], Judgement]", verdict: str) -> None:
    """Print the faults of each file, or the verdict; end with the exit code that follows."""
    from crowdgym.common.errors import TraceError
    from crowdgym.traces import read_trace

    exit_code = 0
    for file in files:
        try:
            trace = read_trace(file)
            judgement = judge(trace)
        except TraceError as error:  # the other files are still judged
            typer.echo(one_line(f"{file}: error: {error}"), err=True)
            exit_code = UNREADABLE
            continue
        for fault in judgement.faults:
            typer.echo(one_line(f"{file}: {fault}"), err=True)
        if judgement.faults:
            exit_code = max(exit_code, DIFFERENT)
        else:
            typer.echo(one_line(f"{file}: {verdict}, {trace.header.steps} steps{judgement.figures}"))
    if exit_code:
        raise typer.Exit(exit_code)
