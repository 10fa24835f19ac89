"""What an environment shows at one moment, as one block of bytes. Its layout is the same from step to step.

The block holds an array for the observations and one for each info, [N, ...], one after the other. The runner writes
it, into memory that it shares with the process of the policy or into a message. Shared memory has two blocks, which are
used in turn. So there is time to see whether the policy has kept an array of a block, before it is used again. If it
has, it gets copies from then on.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.policy import Infos, Observations

_ALIGNMENT: Final = 8  # bytes
_OWN_REFERENCES: Final = 2  # to the block of a moment: its attribute, and the argument that counts

Arrays = Mapping[str, NDArray[Any]]  # the observations first, then each info by name; of N agents, [N, ...]

Kinds = list[tuple[str, np.dtype[Any], tuple[int, ...]]]


def arrays_of(observations: Observations, infos: Infos) -> dict[str, NDArray[Any]]:
    """The arrays of a moment.

    Raises:
        TypeError: a value is neither a number nor an array of numbers, or agents have values of other kinds; names it.
    """
    rows = list(infos.values())
    names = rows[0]
    arrays = {"observation": _joined("observation", list(observations.values()))}
    return arrays | {name: _joined(name, [row.get(name) for row in rows]) for name in names}


def kinds_of(arrays: Arrays) -> Kinds:
    """What a layout depends on: two moments with the same kinds have the same layout."""
    return [(name, array.dtype, array.shape) for name, array in arrays.items()]


class Column(NamedTuple):
    """The observation, or an info, of one agent. The shape () is that of a plain number."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        """Of one agent."""
        return int(np.dtype(self.dtype).itemsize * math.prod(self.shape))


@dataclass(frozen=True)
class Layout:
    """Where everything is in a block.

    Attributes:
        columns: the observation first, then the infos.
        num_agents: N.
    """

    columns: tuple[Column, ...]
    num_agents: int

    @classmethod
    def of(cls, arrays: Arrays) -> "Layout":
        """The layout of a moment."""
        columns = (Column(name, array.dtype.str, array.shape[1:]) for name, array in arrays.items())
        return cls(tuple(columns), len(next(iter(arrays.values()))))

    @classmethod
    def from_json(cls, content: bytes | bytearray) -> "Layout":
        """The inverse of `to_json`."""
        num_agents, columns = json.loads(content.decode())
        return cls(tuple(Column(name, kind, tuple(shape)) for name, kind, shape in columns), num_agents)

    def to_json(self) -> bytes:
        """As text."""
        return json.dumps([self.num_agents, self.columns]).encode()

    @cached_property
    def of_one(self) -> "Layout":
        """The layout of each block of `rows`."""
        return Layout(self.columns, 1)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each column begins, and where the block ends."""
        starts = [0]
        for column in self.columns:
            starts.append(starts[-1] + -(-self.num_agents * column.num_bytes // _ALIGNMENT) * _ALIGNMENT)
        return tuple(starts)

    @property
    def num_bytes(self) -> int:
        """Of a block."""
        return self.starts[-1]

    def views(self, block: Any) -> list[NDArray[Any]]:
        """The array of each column in a block, [N, ...]."""
        flat = np.frombuffer(block, np.uint8) if not isinstance(block, np.ndarray) else block
        sizes = [self.num_agents * column.num_bytes for column in self.columns]
        return [
            flat[start : start + size].view(column.dtype).reshape(self.num_agents, *column.shape)
            for column, size, start in zip(self.columns, sizes, self.starts, strict=False)
        ]

    def rows(self, arrays: Arrays) -> list[bytes]:
        """For each agent a block of its own, of the layout `of_one`."""
        starts = self.of_one.starts
        blocks = np.zeros((self.num_agents, starts[-1]), np.uint8)
        for column, start, array in zip(self.columns, starts, arrays.values(), strict=False):
            bare = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            blocks[:, start : start + column.num_bytes] = bare.reshape(self.num_agents, column.num_bytes)
        return [block.tobytes() for block in blocks]


class Moment:
    """Observations and infos for a policy, as arrays in a block.

    Args:
        layout: of the block.
        agents: the names of the agents.
        block: which is filled later; memory of its own if None.

    Attributes:
        observations: by agent.
        infos: by agent.
    """

    def __init__(self, layout: Layout, agents: Sequence[str], block: memoryview | None = None) -> None:
        self._block = np.frombuffer(bytearray(layout.num_bytes) if block is None else block, np.uint8)
        observation, *others = layout.views(self._block)
        self.observations: dict[str, Any] = dict(zip(agents, observation, strict=True))
        rows: list[dict[str, Any]] = [{} for _ in agents]
        self._plain: list[tuple[str, NDArray[Any]]] = []
        for column, array in zip(layout.columns[1:], others, strict=True):
            if not column.shape:
                self._plain.append((column.name, array))
            for row, value in zip(rows, array, strict=True):
                row[column.name] = value
        self.infos = dict(zip(agents, rows, strict=True))

    def copy_from(self, block: Any) -> None:
        """Fill the block with another one."""
        self._block[:] = np.frombuffer(block, np.uint8)

    def read_plain(self) -> None:
        """Take the plain numbers from the block, which has been filled."""
        for name, array in self._plain:
            for row, value in zip(self.infos.values(), array.tolist(), strict=True):
                row[name] = value

    def release(self) -> bool:
        """Let go of all arrays. Returns whether a policy still holds one of them, so that the block must be kept."""
        self.observations, self.infos, self._plain = {}, {}, []
        return sys.getrefcount(self._block) > _OWN_REFERENCES


def _joined(name: str, values: Sequence[Any]) -> NDArray[Any]:
    """The values of all agents as one array."""
    first = values[0]
    if not isinstance(first, np.ndarray):
        array = np.array(values)
    elif any(not isinstance(v, np.ndarray) or v.dtype != first.dtype or v.shape != first.shape for v in values):
        raise TypeError(f"{name} is not {first.dtype} of shape {first.shape} for all agents")
    else:
        array = np.concatenate(values).reshape(len(values), *first.shape) if first.ndim else np.array(values)
    if array.dtype.kind not in "biuf" or array.ndim < 1:
        raise TypeError(f"{name} of {type(first).__name__} cannot be sent to the process of a policy")
    return array
