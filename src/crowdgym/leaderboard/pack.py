"""A pack: the actions of all episodes of a cell, and what they are said to earn. A replay works everything else out.

An ``.npz`` file with two arrays of bytes: ``header``, JSON, and ``actions``, compressed by LZMA, agent by agent. An
episode takes 1 to 3 kB. Reading one executes nothing, and unpacks nothing before its size is known.
"""

import io
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from crowdgym.common.archives import ArchiveLimits, read_archive
from crowdgym.common.errors import DataError, TraceError
from crowdgym.common.files import write_bytes
from crowdgym.common.json_text import parse_json, texts_in
from crowdgym.common.text import shortened
from crowdgym.configs.documents import Checked
from crowdgym.traces.format import Trace

FORMAT: Final = "crowdgym-pack"
FORMAT_VERSION: Final = 1
SUFFIX: Final = ".npz"
LIMITS: Final = ArchiveLimits(file_bytes=2**22, arrays=2, unpacked_bytes=2**22)
MOST_EPISODES: Final = 10_000
MOST_ACTION_BYTES: Final = 2**26  # of all episodes, unpacked
_FILTERS: Final = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 2**20, "lc": 0, "lp": 0, "pb": 0}]
_MEMORY_BYTES: Final = 2**25  # that the decompressor may use

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class PackedEpisode(Checked):
    """An episode of a pack. All of it is a claim until it is played again.

    Attributes:
        seed: of ``reset``.
        steps: number of steps.
        digest: of everything that a trace compares exactly, after the last step; 16 hexadecimal digits.
        metrics: at the end.
    """

    seed: Annotated[int, Field(ge=0, lt=2**63)]
    steps: Count
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    metrics: dict[Annotated[str, Field(max_length=64)], Finite]


class PackHeader(Checked):
    """What a pack says of itself.

    Attributes:
        format: of the file.
        format_version: likewise.
        env: the environment.
        cell: name of the cell.
        settings: all settings of the environment.
        options: of ``reset``.
        data_checksum: of what the scenario is made of.
        agents: their number.
        action_type: of the actions.
        episodes: in the order of the seeds.
    """

    format: Literal["crowdgym-pack"]
    format_version: Literal[1]
    env: Annotated[str, Field(max_length=64)]
    cell: Annotated[str, Field(max_length=200)]
    settings: dict[str, Any]
    options: dict[str, Any]
    data_checksum: Annotated[str, Field(max_length=64)]
    agents: Annotated[int, Field(ge=1, le=100_000)]
    action_type: Literal["int8", "int16", "int32"]
    episodes: Annotated[tuple[PackedEpisode, ...], Field(min_length=1, max_length=MOST_EPISODES, strict=False)]


@dataclass(frozen=True)
class Pack:
    """A pack.

    Attributes:
        header: see `PackHeader`.
        actions: of each episode, shape [L, N].
    """

    header: PackHeader
    actions: tuple[NDArray[np.integer[Any]], ...]


def pack_of(cell: str, traces: Sequence[Trace]) -> Pack:
    """The pack of full traces of one cell, in their order."""
    first = traces[0].header
    episodes = tuple(
        PackedEpisode(
            seed=int(trace.header.seed or 0),
            steps=trace.header.steps,
            digest=last_digest(trace),
            metrics={name: float(value) for name, value in trace.header.metrics.items()},
        )
        for trace in traces
    )
    header = PackHeader(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        env=first.env,
        cell=cell,
        settings=first.settings,
        options=first.options,
        data_checksum=first.road_checksum,
        agents=len(first.agents),
        action_type=traces[0].actions.dtype.name,  # type: ignore[arg-type]  # pydantic checks it
        episodes=episodes,
    )
    return Pack(header, tuple(trace.actions for trace in traces))


def last_digest(trace: Trace) -> str:
    """The digest of a whole episode, in hexadecimal."""
    return f"{int(trace.digests()[-1]):016x}"


def write_pack(path: Path, pack: Pack) -> None:
    """Write a pack, whole or not at all; the same pack gives the same bytes.

    Raises:
        UnwritableError: the file cannot be written.
    """
    kind = np.dtype(pack.header.action_type).newbyteorder("<")
    raw = b"".join(np.ascontiguousarray(actions.T, kind).tobytes() for actions in pack.actions)
    packed = lzma.compress(raw, format=lzma.FORMAT_XZ, filters=_FILTERS)
    buffer = io.BytesIO()
    header = np.frombuffer(pack.header.model_dump_json().encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, header=header, actions=np.frombuffer(packed, np.uint8))
    write_bytes(path, buffer.getvalue())


def read_pack(path: Path) -> Pack:
    """Read a pack.

    Raises:
        TraceError: there is no such file, or it is damaged, larger than ``LIMITS``, or no pack; one sentence.
    """
    try:
        arrays = read_archive(path, LIMITS)
    except FileNotFoundError:
        raise TraceError(f"there is no file {path}") from None
    except DataError as error:
        raise TraceError(f"{path} is no pack: {error}") from None
    if set(arrays) != {"header", "actions"} or any(a.dtype != np.uint8 or a.ndim != 1 for a in arrays.values()):
        raise TraceError(f"{path} is no pack: expected two arrays of bytes, header and actions")
    header = _header(path, arrays["header"].tobytes())
    return Pack(header, _actions(path, header, arrays["actions"].tobytes()))


def _header(path: Path, text: bytes) -> PackHeader:
    try:
        content = parse_json(text)
        strange = next((one for one in texts_in(content) if not one.isprintable()), None)
    except ValueError as error:
        raise TraceError(f"{path} is no pack: its header is no JSON ({error})") from None
    if strange is not None:
        raise TraceError(f"{path} is no pack: its header holds a text that cannot be printed")
    try:
        return PackHeader.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = shortened(".".join(map(str, first["loc"])))
        raise TraceError(f"{path} is no pack: {where} of its header: {first['msg']}") from None


def _actions(path: Path, header: PackHeader, packed: bytes) -> tuple[NDArray[np.integer[Any]], ...]:
    kind = np.dtype(header.action_type).newbyteorder("<")
    sizes = [episode.steps * header.agents for episode in header.episodes]
    expected = sum(sizes) * kind.itemsize
    if expected > MOST_ACTION_BYTES:
        raise TraceError(f"{path} would unpack to {expected:,} bytes of actions, more than {MOST_ACTION_BYTES:,}")
    try:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY_BYTES)
        raw = unpacker.decompress(packed, expected + 1)
        whole = len(raw) == expected and unpacker.eof and not unpacker.unused_data
    except lzma.LZMAError:
        whole = False
    if not whole:
        raise TraceError(f"{path} is damaged: its actions are not those of {len(sizes)} episodes as its header says")
    flat = np.frombuffer(raw, kind).astype(header.action_type)
    ends = np.cumsum(sizes)
    return tuple(
        part.reshape(header.agents, episode.steps).T
        for part, episode in zip(np.split(flat, ends[:-1]), header.episodes, strict=True)
    )
