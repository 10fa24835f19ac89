"""Plays a recorded episode again, and trusts nothing that the trace says.

The environment, its settings and its seed are those of the trace. The list of quantities, their tolerances, the names
of metrics and the sizes of everything are those of the code. No file is opened and no module imported because a trace
names it: files come from the caller, and are compared with the checksums in the trace.
"""

import hashlib
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.error import InvalidAction

import crowdgym
from crowdgym.common.errors import TraceError
from crowdgym.common.text import shortened
from crowdgym.registration import environment_names, environment_spec
from crowdgym.traces.comparison import compare_lists
from crowdgym.traces.format import Trace, TraceHeader
from crowdgym.traces.recording import TraceRecorder

Files = Mapping[str, Path]  # by the name of a setting, the file that stands for the one that a trace names

NO_FILES: Files = {}
MOST_FILE_BYTES = 2**30


def replay(trace: Trace, files: Files = NO_FILES) -> Trace:
    """Play the actions of a trace again, from its settings and seed, and record the episode.

    Args:
        trace: what is played.
        files: for each setting that names a file, the file to be read.

    Raises:
        TraceError: its environment, scenario, road network or a file is not available here; it does not hold what a
            trace of its environment holds; or its episode is not played to the end.
    """
    env = begin(trace, files)
    recorder = TraceRecorder(env, trace.header.agent)
    recorder.reset(**_reset_arguments(trace.header))
    for _ in steps(trace, recorder):
        pass
    if env.agents:
        raise TraceError(f"the trace ends after {trace.header.steps} steps, but its episode goes on")
    played = recorder.trace()
    # A path is only the name of a file, which its checksum identifies.
    names = {name: trace.header.settings.get(name) for name in played.header.files}
    settings = {**played.header.settings, **names}
    return replace(played, header=played.header.model_copy(update={"settings": settings}))


def steps(trace: Trace, env: Any) -> Iterator[int]:
    """Play the actions of a trace until they or the episode end; yields the number of each step that was played.

    Raises:
        TraceError: an action is none.
    """
    for number, joint in enumerate(trace.actions):
        if not env.agents:
            break
        try:
            env.step(dict(zip(trace.header.agents, joint.tolist(), strict=True)))
        except InvalidAction as error:
            raise TraceError(f"the trace holds an action that is none: {error}") from None
        yield number


def begin(trace: Trace, files: Files = NO_FILES, render_mode: str | None = None) -> Any:
    """The environment of a trace at the begin of its episode. The trace holds what one of this environment holds.

    Raises:
        TraceError: as `replay`, apart from what happens while it is played.
    """
    header = trace.header
    env = _made(header, files, render_mode)
    if tuple(env.possible_agents) != header.agents:
        raise TraceError(
            f"the trace has {len(header.agents)} agents, {header.env} with its settings {env.max_num_agents}: "
            "expected the same"
        )
    recorder = TraceRecorder(env, header.agent)
    try:
        recorder.reset(**_reset_arguments(header))
    except (ValueError, ArithmeticError, MemoryError) as error:
        raise TraceError(f"the episode of the trace cannot begin: {shortened(error)}") from error
    _check_data(header, env)
    _check_actions(trace, env)
    differing = compare_lists(trace, recorder.trace())
    if differing is not None:
        raise TraceError(f"the trace does not hold what one of {header.env} holds: {differing}")
    return env


def _reset_arguments(header: TraceHeader) -> dict[str, Any]:
    """The arguments of ``reset`` that begin the episode of a trace."""
    if header.seed is None and header.instance is None:
        raise TraceError("the trace has neither a seed nor an instance: expected one of them")
    if "instance" in header.options:
        raise TraceError("the trace has an instance among its options: expected it as the instance of its header")
    instance = {} if header.instance is None else {"instance": header.instance}
    return {"seed": header.seed, "options": {**header.options, **instance}}


def _made(header: TraceHeader, files: Files, render_mode: str | None) -> Any:
    if header.env not in environment_names():
        known = ", ".join(environment_names())
        raise TraceError(
            f"the environment of the trace cannot be made here: {shortened(header.env)!r} is not in {known}"
        )
    spec = environment_spec(header.env)
    known_settings = spec.settings_class().model_fields
    unknown = next((name for name in header.settings if name not in known_settings), None)
    if unknown is not None:
        raise TraceError(f"the trace has the setting {shortened(unknown)!r}, which {header.env} does not have")
    given = {name: str(_checked_file(header, name, files)) for name in _named_files(header, spec.file_settings)}
    try:
        return crowdgym.make(header.env, **{**header.settings, **given, "strict": False}, render_mode=render_mode)
    except (ValueError, ArithmeticError, MemoryError) as error:
        raise TraceError(f"the environment of the trace cannot be made here: {error}") from error


def _named_files(header: TraceHeader, file_settings: tuple[str, ...]) -> list[str]:
    """The settings of a trace that name files; each has a checksum, and nothing else has."""
    named = [name for name in file_settings if header.settings.get(name) is not None]
    lacking = next((name for name in named if name not in header.files), None)
    if lacking is not None:
        raise TraceError(f"the trace has the setting {lacking}, but no checksum of that file")
    stranger = next((name for name in header.files if name not in named), None)
    if stranger is not None:
        raise TraceError(f"the trace has a checksum for {shortened(stranger)!r}, which is no setting that names a file")
    return named


def _checked_file(header: TraceHeader, setting: str, files: Files) -> Path:
    """The file that the caller gives for a setting, with the checksum that the trace has."""
    checksum = header.files[setting]
    if setting not in files:
        raise TraceError(
            f"the trace was recorded with a file as its {setting}, with the checksum {checksum[:12]}…: give that file "
            f"with --file {setting}=PATH"
        )
    file = files[setting].expanduser()
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_FILE_BYTES:
            raise TraceError(f"{file}, given as {setting}, must be a plain file of at most {MOST_FILE_BYTES:,} bytes")
        here = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise TraceError(f"{file}, given as {setting} of the trace, cannot be read: {error.strerror}") from None
    if here != checksum:
        raise TraceError(
            f"the trace was recorded with another {setting} than {file} is: "
            f"checksum {checksum[:12]}…, here {here[:12]}…"
        )
    return file.absolute()


def _check_data(header: TraceHeader, env: Any) -> None:
    checksum = env.provenance.data_checksum
    if checksum != header.road_checksum:
        raise TraceError(
            f"the trace was recorded on {env.provenance.other_data} than {header.settings.get('scenario')!r} is here: "
            f"checksum {header.road_checksum[:12]}…, here {checksum[:12]}…"
        )


def _check_actions(trace: Trace, env: Any) -> None:
    most = int(env.action_space(env.possible_agents[0]).n) - 1
    outside = np.argwhere((trace.actions < 0) | (trace.actions > most))
    if len(outside):
        step, agent = outside[0].tolist()
        raise TraceError(
            f"step {step + 1}, {trace.header.agents[agent]}: the action must be from 0 to {most}, "
            f"got {trace.actions[step, agent]}"
        )
