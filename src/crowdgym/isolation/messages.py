"""What goes between the runner and the process of a policy: bytes, of which none is ever unpickled.

A message is one byte of kind, eight bytes of length (little-endian), and the content. The runner reads with a deadline
and a limit of size, whatever the other side sends.
"""

import json
import math
import operator
import socket
import struct
import time
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RESET: Final = b"r"  # runner: an episode begins; the seed of the policy, and the instance if it may know it
FRAME: Final = b"n"  # runner: agents, spaces and metadata of an environment, from now on; not answered
LAYOUT: Final = b"l"  # runner: the layout of all moments from now on, which come in messages; not answered
SHARED_LAYOUT: Final = b"L"  # runner: the same; the moments come in shared memory, whose descriptor follows elsewhere
ACT: Final = b"m"  # runner: a moment, as a block of bytes, or nothing if it is in shared memory
ACTIONS: Final = b"a"  # the policy: a whole number for every agent, as int64 in the order of the agents
ODD_ACTIONS: Final = b"o"  # the policy: any other actions, as JSON
KEEPS: Final = b"k"  # the policy: it holds arrays of the shared memory, which must not be used again
STATE: Final = b"s"  # the policy asks for the global state; the runner sends it (`pack_arrays`)
START_AGENT: Final = b"p"  # runner: start a process for the agent of this name; its connection follows elsewhere
HOW_ENDED: Final = b"e"  # runner: how did the process of the agent of this number end? The answer is its exit code
DONE: Final = b"d"  # the policy: it is made, or has been told of the episode
REFUSED: Final = b"x"  # the policy cannot be made; the content is a sentence
FAULT: Final = b"f"  # the policy: it did something wrong; the content is the sentence after the policy's name

_HEAD: Final = struct.Struct("<cQ")
_SHORT: Final = 2**16  # bytes of a message that is sent at once
_SEED: Final = struct.Struct("<Q")
_SIZE: Final = struct.Struct("<I")


class Message(NamedTuple):
    """One message."""

    kind: bytes
    content: bytearray


class TooLongError(Exception):
    """A message is longer than the reader accepts. The argument is its length in bytes."""


@dataclass(frozen=True)
class Line:
    """One end of the connection."""

    socket: socket.socket

    def send(self, kind: bytes, *parts: bytes | memoryview, deadline: float | None = None) -> None:
        """Send a message whose content is in parts.

        Raises:
            TimeoutError: the other side does not read before ``deadline``, a time of `time.monotonic`.
            OSError: the other side has closed the connection.
        """
        length = sum(memoryview(part).nbytes for part in parts)
        head = _HEAD.pack(kind, length)
        for part in [b"".join((head, *parts))] if length < _SHORT else [head, *parts]:
            self._wait_until(deadline)
            self.socket.sendall(part)

    def receive(self, longest: int | None = None, deadline: float | None = None) -> Message | None:
        """Read a message; None if the other side has closed the connection.

        Args:
            longest: the most bytes of a content; None for no limit.
            deadline: a time of `time.monotonic`; None to wait as long as it takes.

        Raises:
            TimeoutError: there was no whole message before the deadline.
            TooLongError: the content is longer than ``longest``.
        """
        head = self._read(_HEAD.size, deadline)
        if head is None:
            return None
        kind, length = _HEAD.unpack(head)
        if longest is not None and length > longest:
            raise TooLongError(length)
        content = self._read(length, deadline)
        return None if content is None else Message(kind, content)

    def close(self) -> None:
        """Close this end."""
        self.socket.close()

    def _read(self, length: int, deadline: float | None) -> bytearray | None:
        content = bytearray(length)
        view, read = memoryview(content), 0
        while read < length:
            self._wait_until(deadline)
            try:
                count = self.socket.recv_into(view[read:])
            except ConnectionError:
                return None
            if count == 0:
                return None
            read += count
        return content

    def _wait_until(self, deadline: float | None) -> None:
        if deadline is None:
            if self.socket.gettimeout() is not None:
                self.socket.settimeout(None)
            return
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.socket.settimeout(left_s)


def pack_seed(seed: int) -> bytes:
    """The beginning of the content of a `RESET`."""
    return _SEED.pack(seed)


def unpack_reset(content: bytearray) -> tuple[int, dict[str, NDArray[Any]] | None]:
    """The seed of a `RESET`, and the arrays of the instance if it has them."""
    (seed,) = _SEED.unpack_from(content)
    instance = content[_SEED.size :]
    return seed, unpack_arrays(instance) if instance else None


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> list[bytes | memoryview]:
    """Named arrays as the parts of a message."""
    whole = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    head = json.dumps([(name, values.dtype.str, values.shape) for name, values in whole.items()]).encode()
    return [_SIZE.pack(len(head)), head, *(values.reshape(-1).view(np.uint8).data for values in whole.values())]


def unpack_arrays(content: bytearray) -> dict[str, NDArray[Any]]:
    """The inverse of `pack_arrays`: arrays that may be written."""
    (size,) = _SIZE.unpack_from(content)
    at = _SIZE.size + size
    arrays = {}
    for name, kind, shape in json.loads(content[_SIZE.size : at].decode()):
        dtype = np.dtype(kind)
        count = math.prod(shape)
        arrays[name] = np.frombuffer(content, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
    return arrays


def pack_actions(actions: Mapping[Any, Any], agents: Sequence[str]) -> tuple[bytes, bytes]:
    """The kind and the content of the message that holds the actions of a policy."""
    try:  # the usual case: a whole number for every agent
        if len(actions) == len(agents):
            chosen = operator.itemgetter(*agents)(actions)
            return ACTIONS, array("q", chosen if len(agents) > 1 else [chosen]).tobytes()
    except (KeyError, TypeError, OverflowError):
        pass
    named = {agent if isinstance(agent, str) else str(agent): _plain(action) for agent, action in actions.items()}
    return ODD_ACTIONS, json.dumps(named).encode()


def unpack_actions(message: Message, agents: Sequence[str]) -> dict[str, Any]:
    """The inverse of `pack_actions`. What is no whole number is an object that no environment accepts as an action.

    Raises:
        ValueError: the content is not what `pack_actions` makes.
    """
    if message.kind == ACTIONS:
        return dict(zip(agents, np.frombuffer(message.content, np.int64).tolist(), strict=True))
    if message.kind != ODD_ACTIONS:
        raise ValueError(f"a message of the kind {message.kind!r} holds no actions")
    try:
        actions = json.loads(message.content.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(actions, dict):
        raise ValueError("it is no object")
    return {agent: _Shown(action) if isinstance(action, str) else action for agent, action in actions.items()}


def _plain(action: Any) -> Any:
    """A whole number or truth value as JSON; anything else as the text that shows it."""
    if isinstance(action, bool | np.bool_ | np.ndarray) and np.ndim(action) == 0 and np.asarray(action).dtype == bool:
        return bool(action)
    try:
        return int(operator.index(action))
    except TypeError:
        return repr(action)


class _Shown:
    """Something that a policy returned in place of an action, as text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
