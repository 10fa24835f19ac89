"""Figures as texts, with the number by which a table sorts them."""

from dataclasses import dataclass

from crowdgym.bench.report.statistics import Interval
from crowdgym.leaderboard.boards import Board
from crowdgym.registration import environment_spec


@dataclass(frozen=True)
class Shown:
    """A figure.

    Attributes:
        value: as text.
        order: by which a table sorts.
        range: the interval, as text.
    """

    value: str
    order: float
    range: str = ""


NOTHING = Shown("", float("-inf"))


@dataclass(frozen=True)
class Form:
    """How a metric is shown.

    Attributes:
        factor: what a value is multiplied with.
        places: decimal places.
        unit: behind the number.
    """

    factor: float
    places: int
    unit: str = ""

    @classmethod
    def of(cls, board: Board, metric: str) -> "Form":
        """The form of a metric of a board; a score with a ceiling is a share, in percent."""
        if metric == board.shows.score and board.shows.ceiling is not None:
            return cls(100.0, 2, " %")
        known = {one.name: one for one in environment_spec(board.environment).metrics}
        one = known.get(metric)
        return cls(1.0, 4) if one is None else cls(one.factor, one.places)

    def interval(self, interval: Interval) -> Shown:
        """A figure with its interval."""
        low, high = self.number(interval.low), self.number(interval.high)
        return Shown(self.number(interval.value) + self.unit, _ordered(interval.value), f"[{low}, {high}]")

    def difference(self, interval: Interval) -> Shown:
        """A difference with its interval, with signs; see `difference_unit`."""
        low, high = self.number(interval.low, "+"), self.number(interval.high, "+")
        return Shown(self.number(interval.value, "+"), _ordered(interval.value), f"[{low}, {high}]")

    @property
    def difference_unit(self) -> str:
        """The unit of a difference, in words: that of two shares is no share."""
        return "percentage points" if self.unit else ""

    def number(self, value: float, sign: str = "") -> str:
        """A number without its unit."""
        shown = round(value * self.factor, self.places) + 0.0  # no minus before a zero
        return f"{shown:{sign},.{self.places}f}"


def percent(share: float | None) -> Shown:
    """A share of instances."""
    return NOTHING if share is None else Shown(f"{100 * share:.0f} %", _ordered(share))


def _ordered(value: float) -> float:
    return round(value, 9) + 0.0
