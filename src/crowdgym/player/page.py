"""One HTML file that plays recorded episodes: the bundled player and the packed runs in it."""

import base64
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Final

from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import TraceError
from crowdgym.common.files import write_bytes
from crowdgym.player.packing import Run, packed
from crowdgym.registration import environment_spec
from crowdgym.traces.format import Trace
from crowdgym.traces.replaying import NO_FILES, Files, begin, steps

MOST_RUNS: Final = 2

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="player"></div>
<script id="replay" type="application/octet-stream">{replay}</script>
<script>{script}</script>
</body>
</html>
"""


def check_together(traces: Sequence[Trace]) -> None:
    """Check that traces can be shown side by side.

    Raises:
        TraceError: there are too many, or their environments or cities differ.
    """
    if not 1 <= len(traces) <= MOST_RUNS:
        raise TraceError(f"the player shows one or two traces, got {len(traces)}")
    first = traces[0].header
    if any((trace.header.env, trace.header.road_checksum) != (first.env, first.road_checksum) for trace in traces):
        raise TraceError("the player shows traces of one environment and city, but these are of different ones")


def write_player(target: Path, traces: Sequence[Trace], given: Files = NO_FILES) -> None:
    """Write the HTML file for one or two traces of the same city.

    Args:
        target: the file.
        traces: one, or two side by side.
        given: for each setting that names a file, the file to be read.

    Raises:
        TraceError: as `check_together`; an environment has no scene, or a trace cannot be played here.
        UnwritableError: the file cannot be written.
    """
    check_together(traces)
    played = [_played(trace, given) for trace in traces]
    write_bytes(target, page(packed(played), played[0].title).encode())


def page(replay: bytes, title: str) -> str:
    """The HTML of a packed replay."""
    bundle = files("crowdgym.player") / "bundle"
    return _PAGE.format(
        title=escape(title),
        style=(bundle / "player.css").read_text(encoding="utf-8"),
        replay=base64.b64encode(replay).decode(),
        script=(bundle / "player.js").read_text(encoding="utf-8"),
    )


def _played(trace: Trace, given: Files) -> Run:
    """Play a trace again."""
    header = trace.header
    spec = environment_spec(header.env)
    if spec.scene is None:
        raise TraceError(f"the player does not show {header.env} yet")
    env = begin(trace, given)
    snapshots = [env.snapshot(), *(env.snapshot() for _ in steps(trace, env))]
    which = f"seed {header.seed}" if header.instance is None else f"instance {header.instance}"
    title = f"{header.env} on {header.settings['scenario']}, {which}"
    return Run(title, header.agent, load_entry_point(spec.scene)(env, snapshots))
