"""The road network: projected places joined by roads of whole-unit lengths, as a CSR graph."""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.archives import Arrays

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]


@dataclass(frozen=True)
class RoadNetwork:
    """A connected road network. Nodes are numbered 0..N-1 in an order that keeps neighbours near each other.

    Lengths are whole multiples of ``unit_m``, so that the length of a path is an exact integer, whichever way it is
    added up: a shortest path, a walk along it and a table of distances agree to the last metre on every machine.

    Every road is an arc in ``indices``; a road that may be driven both ways is two arcs.

    Build one with `crowdgym.data.roads.assemble.assemble`, or with a reader of `crowdgym.data.roads`, which check what
    this class takes for granted: one strongly connected component, positive lengths, finite coordinates.
    """

    node_ids: NDArray[np.int64]  # [N] the ids of the source
    x_m: FloatArray  # [N] projected, metres east
    y_m: FloatArray  # [N] projected, metres north
    longitude_deg: FloatArray  # [N] WGS-84
    latitude_deg: FloatArray  # [N] WGS-84
    indptr: IntArray  # [N + 1] arcs of node n: indptr[n] .. indptr[n + 1]
    indices: IntArray  # [A] where each arc leads; ascending within a node
    length: IntArray  # [A] in units of unit_m, at least 1
    unit_m: float  # metres a unit; 1.0 unless the city is too wide for 16 bits
    crs: str  # of x_m and y_m, for example "EPSG:32650"

    @property
    def num_nodes(self) -> int:
        """N."""
        return len(self.node_ids)

    @property
    def num_arcs(self) -> int:
        """A: directed arcs; a two-way road is two."""
        return len(self.indices)

    @cached_property
    def num_edges(self) -> int:
        """Roads: node pairs joined by an arc in either direction."""
        tail = np.repeat(np.arange(self.num_nodes), np.diff(self.indptr))
        low, high = np.minimum(tail, self.indices), np.maximum(tail, self.indices)
        return len(np.unique(low.astype(np.int64) * self.num_nodes + high))

    @property
    def bounds_deg(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        longitude, latitude = self.longitude_deg, self.latitude_deg
        return float(longitude.min()), float(latitude.min()), float(longitude.max()), float(latitude.max())

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over everything above, in hexadecimal: two networks with the same one are the same."""
        return _digest(self.to_arrays())

    @cached_property
    def road_checksum(self) -> str:
        """SHA-256 over nodes, roads and lengths alone: what the dynamics depend on, and whole numbers throughout.

        Coordinates may differ in their last bit from one version of the projection library to another; this does not.
        """
        names = ("node_ids", "indptr", "indices", "length", "unit_m")
        return _digest({name: array for name, array in self.to_arrays().items() if name in names})

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything above by name, for `crowdgym.common.archives.write_arrays`."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The inverse of `to_arrays`."""
        scalars: dict[str, Any] = {"unit_m": float(arrays["unit_m"]), "crs": str(arrays["crs"])}
        return cls(**{field.name: scalars.get(field.name, arrays[field.name]) for field in fields(cls)})


def _digest(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
