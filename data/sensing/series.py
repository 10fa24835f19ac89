"""A sensing series: what was true in each cell and cycle, attribute by attribute."""

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.archives import Arrays
from crowdgym.common.errors import DataError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SensingSeries:
    """X cells, Y cycles, A attributes. The arrays are read-only, so that environments can share them.

    Symbols are those of Zhang et al., "An online reinforcement learning approach to quality-cost-aware task allocation
    for multi-attribute social sensing" (Pervasive and Mobile Computing, 2019), section 3.

    Attributes:
        name: what the series is registered under.
        cells: a name for each cell. Length X.
        attributes: a name for each attribute. Length A.
        cycles: when each cycle is, as text (ISO 8601 where the source gives dates). Length Y.
        cycle_s: how long a cycle is, in seconds.
        x_km: projected coordinate of each cell, east. Shape [X].
        y_km: north. Shape [X].
        crs: the projection, for example "EPSG:32632"; empty where the source does not say.
        values: RS of definition 4, NaN where the source has none. Shape [Y, X, A].
        outline_km: a closed line around the region, for pictures; empty where the source gives none. Shape [n, 2].

    Raises:
        DataError: the arrays do not fit each other, or hold what no series can: says which.
    """

    name: str
    cells: tuple[str, ...]
    attributes: tuple[str, ...]
    cycles: tuple[str, ...]
    cycle_s: float
    x_km: FloatArray
    y_km: FloatArray
    crs: str
    values: FloatArray
    outline_km: FloatArray

    def __post_init__(self) -> None:
        self._check_names()
        self._check_arrays()
        self._check_coverage()
        for array in (self.x_km, self.y_km, self.values, self.outline_km):
            array.setflags(write=False)

    @property
    def num_cells(self) -> int:
        """X."""
        return len(self.cells)

    @property
    def num_cycles(self) -> int:
        """Y."""
        return len(self.cycles)

    @property
    def num_attributes(self) -> int:
        """A."""
        return len(self.attributes)

    @property
    def missing(self) -> NDArray[np.int64]:
        """How many values of each attribute are missing. Shape [A]."""
        return np.asarray(np.isnan(self.values).sum(axis=(0, 1)), np.int64)

    @property
    def checksum(self) -> str:
        """SHA-256 over everything but the name, in hexadecimal."""
        digest = hashlib.sha256()
        for name, array in self.to_arrays().items():
            digest.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but the name, for `crowdgym.common.archives.write_arrays`."""
        texts = {name: np.array(getattr(self, name), dtype=np.str_) for name in ("cells", "attributes", "cycles")}
        return {
            **texts,
            "cycle_s": np.array([self.cycle_s]),
            "x_km": self.x_km,
            "y_km": self.y_km,
            "crs": np.array([self.crs], dtype=np.str_),
            "values": self.values,
            "outline_km": self.outline_km,
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: Arrays) -> Self:
        """The inverse of `to_arrays`."""
        return cls(
            name=name,
            cells=tuple(arrays["cells"].tolist()),
            attributes=tuple(arrays["attributes"].tolist()),
            cycles=tuple(arrays["cycles"].tolist()),
            cycle_s=float(arrays["cycle_s"][0]),
            x_km=arrays["x_km"],
            y_km=arrays["y_km"],
            crs=str(arrays["crs"][0]),
            values=arrays["values"],
            outline_km=arrays["outline_km"],
        )

    def _check_names(self) -> None:
        wanted = (("cells", self.cells, 2), ("attributes", self.attributes, 1), ("cycles", self.cycles, 2))
        for what, names, least in wanted:
            if len(names) < least:
                raise DataError(
                    f"the number of {what} of the series {self.name!r} is {len(names)}; expected at least {least}"
                )
            if len(set(names)) < len(names):
                twice = next(entry for index, entry in enumerate(names) if entry in names[:index])
                raise DataError(f"the series {self.name!r} names {twice!r} twice in its {what}; expected it once")
        if not (np.isfinite(self.cycle_s) and self.cycle_s > 0):
            raise DataError(f"the series {self.name!r} has cycles of {self.cycle_s:g} s; expected a positive length")

    def _check_arrays(self) -> None:
        shapes: tuple[tuple[str, tuple[int, ...]], ...] = (
            ("x_km", (self.num_cells,)),
            ("y_km", (self.num_cells,)),
            ("values", (self.num_cycles, self.num_cells, self.num_attributes)),
            ("outline_km", (len(self.outline_km), 2)),
        )
        for name, shape in shapes:
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float64:
                raise DataError(
                    f"{name} of the series {self.name!r} is {array.dtype} of shape {array.shape}; "
                    f"expected float64 of shape {shape}"
                )
        if np.isinf(self.values).any():
            cycle, cell, attribute = np.argwhere(np.isinf(self.values))[0]
            raise DataError(
                f"{self.attributes[attribute]} of the cell {self.cells[cell]!r} in the cycle {self.cycles[cycle]!r} "
                "is infinite; expected a finite number, or none"
            )
        placed = np.isfinite(self.x_km) & np.isfinite(self.y_km)
        if not placed.all():
            raise DataError(f"the cell {self.cells[int(np.argmin(placed))]!r} has no coordinates; expected finite ones")

    def _check_coverage(self) -> None:
        known = ~np.isnan(self.values)
        for what, names, has in (
            ("cell", self.cells, known.any(axis=(0, 2))),
            ("attribute", self.attributes, known.any(axis=(0, 1))),
        ):
            if not has.all():
                raise DataError(
                    f"the {what} {names[int(np.argmin(has))]!r} has no value at all; expected at least one for every "
                    f"{what}"
                )
