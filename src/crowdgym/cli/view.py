"""``crowdgym view``: recorded episodes to watch, in a browser or as an animation."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from crowdgym.cli.shared.animation import SUFFIXES, AnimationOptions
from crowdgym.cli.shared.grouping import SectionedCommand, grouped
from crowdgym.cli.shared.options import output_file
from crowdgym.cli.shared.traces import GivenFiles, Module, given_files, import_given

app = typer.Typer()

HTML = ".html"


@app.command(cls=SectionedCommand)
@grouped
def view(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACE [TRACE]", help="One trace, or two of the same city side by side.")
    ],
    animation: AnimationOptions,
    out: Annotated[
        Path, output_file("The file: .html for a browser, .gif or .mp4.", (HTML, *SUFFIXES), "--out")
    ] = Path("replay.html"),
    show: Annotated[bool, typer.Option("--open", help="Open the file when it is written.")] = False,
    module: Module = None,
    file: GivenFiles = None,
) -> None:
    """Write recorded episodes as one HTML file, or as an animation.

    The HTML file plays in a browser, without a network. Nothing is decided anew: the actions of the traces are played.
    """
    from crowdgym.player import film
    from crowdgym.player.page import write_player
    from crowdgym.traces import read_trace

    animation.check(out, "--out")
    import_given(module)
    recorded, files = [read_trace(trace) for trace in traces], given_files(file)
    if out.suffix.lower() == HTML:
        write_player(out, recorded, files)
    else:
        frames = film.frames(recorded, files, animation.is_wanted)
        animation.write(out, frames, film.frames_per_second(recorded, files))
    typer.echo(f"wrote {out}")
    if show:
        webbrowser.open(out.resolve().as_uri())
