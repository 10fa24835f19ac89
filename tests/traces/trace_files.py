"""Trace files that are not as they should be: an honest one, with one thing changed."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from golden.rewrite import FOLDER

from crowdgym.traces import Trace, TraceHeader, read_trace, write_trace

HONEST = FOLDER / "csc_v0-contribution.trace"

Header = dict[str, Any]


def forged(target: Path, change_header: Callable[[Header], object] = lambda _: None, **values: Any) -> Path:
    """A copy of an honest trace with another header and other values, whose digests are right.

    Args:
        target: where it is written.
        change_header: changes the header, as JSON, in place.
        **values: by the name of a quantity, or "actions", a function that returns the changed array.
    """
    honest = read_trace(HONEST)
    header = json.loads(honest.header.to_json())
    change_header(header)
    arrays = {name: value.copy() for name, value in honest.values.items() if name in header["quantities"]}
    actions = values.pop("actions", lambda actions: actions)(honest.actions.copy())
    arrays |= {name: change(honest.values.get(name, honest.values["paid"]).copy()) for name, change in values.items()}
    made = TraceHeader.model_validate_json(json.dumps(header), strict=True)
    write_trace(target, Trace(made, actions, arrays))
    return target


def damaged(target: Path, **members: bytes | None) -> Path:
    """A copy of an honest trace with other bytes as some of its arrays, by name; None leaves one out."""
    with zipfile.ZipFile(HONEST) as archive:
        content: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    content |= {f"{name}.npy": member for name, member in members.items()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in content.items():
            if member is not None:
                archive.writestr(name, member)
    return target


def npy(array: Any) -> bytes:
    """An array as a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def text(content: bytes | str) -> bytes:
    """A text as the header of a trace holds one."""
    return npy(np.frombuffer(content if isinstance(content, bytes) else content.encode(), np.uint8))


def with_header(change: Callable[[Header], object]) -> bytes:
    """The honest header with a change, as JSON that Python writes: NaN and the like included."""
    header = json.loads(read_trace(HONEST).header.to_json())
    change(header)
    return text(json.dumps(header))


def claiming(descr: str, shape: str) -> bytes:
    """A ``.npy`` file whose header claims a type and a shape, with nothing behind it."""
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()
