"""How an observation is laid out: environments describe it in their metadata, agents read it from there.

An observation is one row of numbers: sets of rows, one set behind the other. A row has a number for each feature of its
set. What a 1 stands for is there twice: as text for people, and as a number for programs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from crowdgym.common.errors import ConfigError

PRESENT = "present"  # the first feature of a set whose rows may be empty: 1 if there is something in the row, else 0


class Unit(NamedTuple):
    """What a 1 stands for.

    Attributes:
        text: for people, such as "5000 m".
        scale: the number in the text; 1 where the text has none, as for a flag.
    """

    text: str
    scale: float

    @classmethod
    def of(cls, scale: float, text: str = "") -> "Unit":
        """A number of something, to six digits: ``Unit.of(5000.0, "m")`` is "5000 m"."""
        number = f"{scale:g}"
        return cls(f"{number} {text}".rstrip(), float(number))


FLAG = Unit("flag", 1.0)


@dataclass(frozen=True)
class ObservationSet:
    """One set: ``observation[start:stop].reshape(shape)`` has a row for each member and a column for each feature.

    Attributes:
        name: of the set.
        start: the place of its first number in the observation.
        rows: how many members there is room for.
        features: the names of the columns, in order.
        units: for each feature what a 1 stands for, as text; empty where nothing says.
        scales: for each feature what a 1 stands for, as a number; empty where nothing says.
    """

    name: str
    start: int
    rows: int
    features: tuple[str, ...]
    units: tuple[str, ...] = ()
    scales: tuple[float, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, len(self.features)

    @property
    def stop(self) -> int:
        """One past its last number."""
        return self.start + self.rows * len(self.features)

    @property
    def may_be_empty(self) -> bool:
        """Whether its rows say if there is something in them."""
        return self.features[0] == PRESENT

    def column(self, feature: str) -> int:
        """The column of a feature in the rows of this set.

        Raises:
            KeyError: there is none.
        """
        if feature not in self.features:
            raise KeyError(f"there is no feature {feature!r} in {self.name}, only {', '.join(self.features)}")
        return self.features.index(feature)

    def scale(self, feature: str) -> float:
        """What a 1 of a feature stands for."""
        return self.scales[self.column(feature)]

    def take(self, observations: Any) -> Any:
        """The rows of this set, of one observation or of several: a view, shape [..., rows, columns]."""
        return observations[..., self.start : self.stop].reshape(*observations.shape[:-1], *self.shape)

    def describe(self) -> dict[str, Any]:
        """The set as plain data."""
        return {
            "start": self.start,
            "stop": self.stop,
            "shape": self.shape,
            "features": self.features,
            "units": self.units,
            "scales": self.scales,
        }


@dataclass(frozen=True)
class ObservationLayout:
    """The sets of an observation, or of a global state, in order."""

    sets: tuple[ObservationSet, ...]

    @classmethod
    def of(cls, sets: Iterable[tuple[str, int, tuple[str, ...]]]) -> "ObservationLayout":
        """Lay sets, each of a name, a number of rows and features, one behind the other."""
        laid: list[ObservationSet] = []
        for name, rows, features in sets:
            laid.append(ObservationSet(name, laid[-1].stop if laid else 0, rows, features))
        return cls(tuple(laid))

    def in_units(self, units: Mapping[str, Unit]) -> "ObservationLayout":
        """The same layout, with what a 1 of each feature stands for."""
        return ObservationLayout(
            tuple(
                replace(
                    part,
                    units=tuple(units[feature].text for feature in part.features),
                    scales=tuple(units[feature].scale for feature in part.features),
                )
                for part in self.sets
            )
        )

    def describe(self) -> dict[str, dict[str, Any]]:
        """The sets by name as plain data, for ``metadata["observation_layout"]`` and ``metadata["state_layout"]``."""
        return {part.name: part.describe() for part in self.sets}

    @classmethod
    def from_metadata(
        cls, metadata: Mapping[str, Any], width: int, name: str = "observation_layout"
    ) -> "ObservationLayout":
        """Read what `describe` wrote.

        Args:
            metadata: of an environment.
            width: numbers in an observation.
            name: under which the metadata have the layout.

        Returns:
            One set "observation" of one row where the metadata have no layout.

        Raises:
            ConfigError: a set lacks its start, its shape or the names of its features.
        """
        parts = metadata.get(name)
        if not parts:
            return cls.of((("observation", 1, tuple(f"number_{i}" for i in range(width))),))
        for set_name, part in parts.items():
            missing = [key for key in ("start", "shape", "features") if key not in part]
            if missing:
                raise ConfigError(f"the set {set_name!r} of the {name} must have {missing[0]!r}, got {dict(part)!r}")
        return cls(
            tuple(
                ObservationSet(
                    name=set_name,
                    start=int(part["start"]),
                    rows=int(part["shape"][0]),
                    features=tuple(part["features"]),
                    units=tuple(part.get("units", ())),
                    scales=tuple(float(scale) for scale in part.get("scales", ())),
                )
                for set_name, part in parts.items()
            )
        )

    @property
    def width(self) -> int:
        """Numbers in an observation."""
        return self.sets[-1].stop

    def __iter__(self) -> Iterator[ObservationSet]:
        """The sets in order."""
        return iter(self.sets)

    def __len__(self) -> int:
        """How many sets there are."""
        return len(self.sets)

    def __getitem__(self, name: str) -> ObservationSet:
        """The set of that name.

        Raises:
            KeyError: there is none.
        """
        for part in self.sets:
            if part.name == name:
                return part
        raise KeyError(f"there is no set {name!r}, only {', '.join(part.name for part in self.sets)}")
