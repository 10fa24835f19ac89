"""``crowdgym view``: recorded episodes as one HTML file."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from crowdgym.cli.shared.options import output_file

app = typer.Typer()


@app.command()
def view(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACE [TRACE]", help="One trace, or two of the same city side by side.")
    ],
    out: Annotated[Path, output_file("The .html file.", ".html", "--out")] = Path("replay.html"),
    show: Annotated[bool, typer.Option("--open", help="Open the file in a browser.")] = False,
) -> None:
    """Write recorded episodes as one HTML file that plays in any browser, without a network."""
    from crowdgym.player.page import write_player
    from crowdgym.traces import read_trace

    write_player(out, [read_trace(trace) for trace in traces])
    typer.echo(f"wrote {out}")
    if show:
        webbrowser.open(out.resolve().as_uri())
