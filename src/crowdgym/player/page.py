"""One HTML file that plays recorded episodes: the bundled player and the packed runs in it."""

import base64
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from gymnasium.error import InvalidAction

from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import TraceError
from crowdgym.common.files import write_bytes
from crowdgym.player.packing import Run, packed
from crowdgym.registration import environment_spec
from crowdgym.traces.format import Trace
from crowdgym.traces.replaying import begin

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


def write_player(target: Path, traces: Sequence[Trace]) -> None:
    """Write the HTML file for one or two traces of the same city.

    Raises:
        TraceError: there are too many, an environment has no scene, a trace cannot be played here, or the
            cities differ.
        UnwritableError: the file cannot be written.
    """
    if not 1 <= len(traces) <= MOST_RUNS:
        raise TraceError(f"the player shows one or two traces, got {len(traces)}")
    played = [_played(trace) for trace in traces]
    networks = [network for network, _ in played]
    if any(network.checksum != networks[0].checksum for network in networks):
        raise TraceError("the player shows traces of one city, but these were recorded on different road networks")
    write_bytes(target, page(packed(networks[0], [run for _, run in played]), played[0][1].title).encode())


def page(replay: bytes, title: str) -> str:
    """The HTML of a packed replay."""
    bundle = files("crowdgym.player") / "bundle"
    return _PAGE.format(
        title=escape(title),
        style=(bundle / "player.css").read_text(encoding="utf-8"),
        replay=base64.b64encode(replay).decode(),
        script=(bundle / "player.js").read_text(encoding="utf-8"),
    )


def _played(trace: Trace) -> tuple[Any, Run]:
    """Play a trace again; returns its road network and its run."""
    header = trace.header
    spec = environment_spec(header.env)
    if spec.scene is None:
        raise TraceError(f"the player does not show {header.env} yet")
    env = begin(trace)
    snapshots = [env.snapshot()]
    for joint in trace.actions:
        if not env.agents:
            break
        try:
            env.step(dict(zip(header.agents, joint.tolist(), strict=True)))
        except InvalidAction as error:
            raise TraceError(f"the trace holds an action that is none: {error}") from None
        snapshots.append(env.snapshot())
    which = f"seed {header.seed}" if header.instance is None else f"instance {header.instance}"
    title = f"{header.env} on {header.settings['scenario']}, {which}"
    return env.instance.network, Run(title, header.agent, load_entry_point(spec.scene)(env, snapshots))
