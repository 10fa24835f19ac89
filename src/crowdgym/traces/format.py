"""The trace file: what is in it, how it is written and read. ``docs/traces.md`` describes it.

A trace is an ``.npz`` archive of plain arrays: reading one never runs code. One array holds the header as JSON, one the
joint actions, and one for each quantity its value after ``reset`` and after every step. What stays the same from one
step to the next is stored as zeros (differences of whole numbers, exclusive-or of the bits of the others), which
compresses to next to nothing.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crowdgym.common.archives import GIB, ArchiveLimits, arrays_in, read_archive
from crowdgym.common.errors import DataError, TraceError
from crowdgym.common.files import write_bytes
from crowdgym.common.json_text import parse_json, texts_in
from crowdgym.common.text import shown

FORMAT: Final = "crowdgym-trace"
FORMAT_VERSION: Final = 1
_QUANTITY = "quantity/"

LIMITS: Final = ArchiveLimits(file_bytes=GIB // 4, arrays=64, unpacked_bytes=GIB)
MOST_HEADER_BYTES: Final = 2**22
MOST_SEED: Final = 2**128 - 1

Number = Annotated[int, Field(ge=0, le=MOST_SEED)]
Digest = Annotated[str, Field(max_length=64)]  # in hexadecimal
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Quantity(BaseModel):
    """One thing that is followed through the episode.

    In a file this is a claim: a replay compares with the tolerances of the code, and refuses a trace with others.

    Attributes:
        of: what its columns are: agents, workers, tasks, cells, participants, or parts of the whole (``labels`` names
            these).
        relative_tolerance: 0 where it is compared exactly, to the last bit.
        absolute_tolerance: the same, near zero.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: Literal["agent", "worker", "task", "cell", "participant", "whole"]
    labels: tuple[str, ...] = ()
    relative_tolerance: Annotated[Finite, Field(ge=0)] = 0.0
    absolute_tolerance: Annotated[Finite, Field(ge=0)] = 0.0


class TraceHeader(BaseModel):
    """The data to replay the episode, and its final metrics. All of it is a claim until a replay confirms it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["crowdgym-trace"]
    format_version: Literal[1]
    env: str  # with its version: csc_v0
    settings: dict[str, Any]
    seed: Number | None
    instance: Number | None
    options: dict[str, Any] = {}  # of reset, besides the instance; left out of the file if there are none
    road_checksum: Digest  # of the road network, or of what else the scenario is made of
    files: dict[str, Digest] = {}  # by setting, the SHA-256 of the file that it names; left out if there are none
    agent: str  # who acted; for people
    written_with: dict[str, str]  # versions, for people
    steps: int = Field(ge=0)
    agents: tuple[str, ...]
    quantities: dict[str, Quantity]
    metrics: dict[str, Finite]

    def to_json(self) -> str:
        """As it is in the file."""
        return self.model_dump_json(exclude={name for name in ("options", "files") if not getattr(self, name)})


@dataclass(frozen=True)
class Trace:
    """One episode. L steps, N agents.

    Attributes:
        header: see `TraceHeader`.
        actions: the joint action of each step. Shape [L, N], int8, int16 or int32, whatever holds all actions.
        values: for each quantity of the header its columns after ``reset`` and after every step. Shape [L + 1, C].
    """

    header: TraceHeader
    actions: NDArray[np.integer[Any]]
    values: dict[str, NDArray[Any]]

    def digests(self) -> NDArray[np.uint64]:
        """A digest of everything that is compared exactly, after ``reset`` and after every step. Shape [L + 1].

        Each one covers all before it, so two traces part where their digests do.
        """
        exact = [name for name in sorted(self.values) if self.header.quantities[name].relative_tolerance == 0]
        running = hashlib.sha256(f"{self.header.env} {self.header.settings}".encode())
        digests = np.zeros(self.header.steps + 1, np.uint64)
        for step in range(self.header.steps + 1):
            for name in exact:
                running.update(np.ascontiguousarray(self.values[name][step]).tobytes())
            digests[step] = np.frombuffer(running.digest()[:8], "<u8")[0]
        return digests


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    write_bytes(path, trace_to_bytes(trace))


def trace_to_bytes(trace: Trace) -> bytes:
    """The content of a trace's file; the same trace gives the same bytes."""
    header = trace.header.to_json().encode()
    arrays: dict[str, NDArray[Any]] = {
        "header": np.frombuffer(header, np.uint8),
        "actions": trace.actions,
        "digests": trace.digests(),
    }
    arrays |= {_QUANTITY + name: _fold(value) for name, value in trace.values.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_trace(path: str | Path) -> Trace:
    """Read a trace. Never runs code.

    Raises:
        TraceError: ``path`` is no path; there is no such file; or it is damaged, truncated, larger than ``LIMITS``, of
            another kind or of another format version.
    """
    try:
        path = Path(path)
    except TypeError:
        raise TraceError(f"the path of a trace must be text or a Path, got {shown(path)}") from None
    return _trace_of(_read_archive(path), path)


def trace_from_bytes(content: bytes, name: str) -> Trace:
    """A trace from the bytes of its file, which messages call ``name``. Raises `TraceError`; see `read_trace`."""
    try:
        arrays = arrays_in(io.BytesIO(content), name, LIMITS)
    except DataError as error:
        raise TraceError(f"{name} is no whole trace: {error}") from None
    return _trace_of(arrays, name)


def _trace_of(arrays: dict[str, NDArray[Any]], path: str | Path) -> Trace:
    header = _read_header(path, arrays)
    named = {"header", "actions", "digests", *(_QUANTITY + name for name in header.quantities)}
    stranger = next((name for name in arrays if name not in named), None)
    if stranger is not None:
        raise TraceError(f"{path} is damaged: its header does not name the array {stranger!r}")
    values = {name: _unfold(arrays.get(_QUANTITY + name)) for name in header.quantities}
    shapes = {"actions": (header.steps, len(header.agents)), "digests": (header.steps + 1,)}
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape or arrays[name].dtype.kind not in "iu":
            raise TraceError(f"{path} is damaged: it lacks whole numbers {name!r} of shape {shape}")
    for name, value in values.items():
        if value is None or value.ndim != 2 or len(value) != header.steps + 1:
            raise TraceError(f"{path} is damaged: it lacks {name!r} for its {header.steps} steps")
    trace = Trace(header, arrays["actions"], {name: value for name, value in values.items() if value is not None})
    if not np.array_equal(trace.digests(), arrays["digests"]):
        raise TraceError(f"{path} is damaged: what it holds does not match its own digests")
    return trace


def _read_archive(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return read_archive(path, LIMITS)
    except FileNotFoundError:
        raise TraceError(f"there is no file {path}") from None
    except DataError as error:
        raise TraceError(f"{path} is no whole trace: {error}") from None


def _read_header(path: str | Path, arrays: dict[str, NDArray[Any]]) -> TraceHeader:
    if "header" not in arrays:
        raise TraceError(f"{path} is no trace: an archive without a header")
    text = arrays["header"]
    if text.dtype != np.uint8 or text.ndim != 1 or len(text) > MOST_HEADER_BYTES:
        raise TraceError(f"{path} is no trace: its header is no text of at most {MOST_HEADER_BYTES:,} bytes")
    try:
        content = parse_json(text.tobytes())
        strange = next((one for one in texts_in(content) if not one.isprintable()), None)
    except ValueError as error:
        raise TraceError(f"{path} is no trace: its header is not JSON ({error})") from None
    if not isinstance(content, dict):
        raise TraceError(f"{path} is no trace: its header is not JSON with names and values")
    kind, version = content.get("format"), content.get("format_version")
    if kind != FORMAT:
        raise TraceError(f"{path} is no trace: its format is {shown(kind)}, expected {FORMAT!r}")
    if version != FORMAT_VERSION:
        raise TraceError(f"{path} has format version {shown(version)}; this CrowdGym reads version {FORMAT_VERSION}")
    if strange is not None:
        raise TraceError(f"{path} is damaged: a text of its header cannot be printed: {shown(strange)}")
    try:
        return TraceHeader.model_validate_json(text.tobytes(), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:80]
        raise TraceError(f"{path} is damaged: {place} of its header is wrong ({first['msg']})") from None


def _fold(value: NDArray[Any]) -> NDArray[Any]:
    """Each row as what changed since the one before."""
    if value.dtype.kind == "f":
        bits = np.ascontiguousarray(value, np.float64).view(np.uint64)
        folded = bits.copy()
        folded[1:] ^= bits[:-1]
        return folded
    folded = np.ascontiguousarray(value).copy()
    folded[1:] -= value[:-1]  # wraps around like the cumulative sum that undoes it
    return folded


def _unfold(folded: NDArray[Any] | None) -> NDArray[Any] | None:
    """The inverse of `_fold`; unsigned 64-bit numbers are the bits of floats."""
    if folded is None or folded.ndim != 2:
        return None
    if folded.dtype == np.uint64:
        return np.bitwise_xor.accumulate(folded, axis=0).view(np.float64)
    if folded.dtype.kind != "i":
        return None
    return np.cumsum(folded, axis=0, dtype=folded.dtype)
