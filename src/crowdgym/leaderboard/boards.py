"""A board: a suite with a section ``board``. Its cells, and the instances that every entry plays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from crowdgym.bench.jobs import Assignments, InstanceSpec
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import ConfigError
from crowdgym.common.text import shortened
from crowdgym.configs.suites import BoardSettings, SuiteSettings, named_suite, suite_names
from crowdgym.registration import environment_spec


@dataclass(frozen=True)
class Cell:
    """A scenario and a point of the suite's grid."""

    scenario: str
    point: Assignments

    @property
    def name(self) -> str:
        """The name of its pack, without the suffix: ``chengdu-paper-num_workers=50``."""
        return "-".join([self.scenario, *(f"{name}={value}" for name, value in self.point)])

    @property
    def title(self) -> str:
        """For readers: ``chengdu-paper, num_workers 50``."""
        return ", ".join([self.scenario, *(f"{name} {value}" for name, value in self.point)])


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: of the suite, such as "leaderboard-csc-v1".
        suite: what is played.
    """

    name: str
    suite: SuiteSettings

    @property
    def shows(self) -> BoardSettings:
        """What its tables show."""
        assert self.suite.board is not None  # `find_board` checked it
        return self.suite.board

    @property
    def environment(self) -> str:
        """The environment, such as "csc_v0"."""
        return self.suite.environment

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        """All cells by name, in the order of the suite."""
        cells = (Cell(scenario, tuple(at.items())) for scenario in self.suite.scenarios for at in self.suite.points())
        return {cell.name: cell for cell in cells}

    @property
    def public_seeds(self) -> tuple[int, ...]:
        """The seeds that everybody knows, of every cell."""
        first = self.suite.first_seed
        return tuple(range(first, first + self.suite.episodes))

    def sign(self, metric: str) -> int:
        """1 where more of a metric is better, -1 where less is."""
        if metric == self.shows.cost:
            return -1
        objective = environment_spec(self.environment).objective
        return objective.sign if metric == objective.metric else 1

    def instance(self, cell: Cell, seed: int) -> InstanceSpec:
        """The instance of a cell and a seed."""
        fixed = tuple(self.suite.settings.items())
        return InstanceSpec(self.environment, cell.scenario, fixed, cell.point, seed, self.suite.hook)

    def make_environment(self, cell: Cell) -> Any:
        """The environment of a cell. It is kept and given out again."""
        return self.instance(cell, 0).make_environment()

    def ceiling(self, cell: Cell, seed: int) -> float:
        """What the score of an instance is divided by; 1 if the board has no ceiling."""
        return _ceiling(self.name, cell, seed) if self.shows.ceiling is not None else 1.0


def boards() -> Iterator[Board]:
    """All boards, by name."""
    for name in suite_names():
        suite = named_suite(name)
        if suite.board is not None:
            yield Board(name, suite)


@lru_cache(maxsize=16)
def find_board(name: str) -> Board:
    """The board of a suite.

    Raises:
        ConfigError: there is no such board.
    """
    if name in suite_names():
        suite = named_suite(name)
        if suite.board is not None:
            return Board(name, suite)
    known = ", ".join(board.name for board in boards())
    raise ConfigError(f"there is no board {shortened(name)!r} (known: {known})")


@lru_cache(maxsize=10_000)
def _ceiling(board: str, cell: Cell, seed: int) -> float:
    of = find_board(board)
    env = of.make_environment(cell)
    env.reset(seed=seed)
    return float(load_entry_point(str(of.shows.ceiling))(env.instance, env.settings))
