"""What a suite of the benchmark runner is: a YAML file, checked. Those that come with CrowdGym are in ``bench/``.

Here a suite is checked by itself. Whether its environment, settings, agents and published points exist is for
`crowdgym.bench.suite` to say.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    ValidationError,
    model_validator,
)

from crowdgym.common.errors import ConfigError

FOLDER = "bench"  # beside this file
MOST_EPISODES = 1_000_000  # of a cell
RESERVED = ("suite", "scenario", "agent", "seed", "steps", "failure")  # columns of the results that are no setting

Scalar = bool | int | float | str
Cell = Mapping[str, Scalar]  # a value for each parameter of the grid


def _not_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("a list of at least one")
    return values


def _all_different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = next((value for at, value in enumerate(values) if value in values[:at]), None)
    if twice is not None:
        raise ValueError(f"a list without repetitions ({twice!r} is there twice)")
    return values


def _no_reserved_name(sweep: dict[str, Any]) -> dict[str, Any]:
    if not sweep:
        raise ValueError("a mapping of at least one setting to its values")
    wrong = next((name for name in sweep if name in RESERVED), None)
    if wrong is not None:
        raise ValueError(f"a mapping of settings of the environment ({wrong!r} has its own place in a suite)")
    return sweep


Names = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Strict(False),
    AfterValidator(_not_empty),
    AfterValidator(_all_different),
]
Values = Annotated[tuple[Scalar, ...], Strict(False), AfterValidator(_not_empty), AfterValidator(_all_different)]
Sweep = Annotated[dict[str, Values], AfterValidator(_no_reserved_name)]  # the product of its lists
Grid = Annotated[tuple[Sweep, ...], Strict(False), AfterValidator(_not_empty)]
Count = Annotated[int, Field(ge=1, le=MOST_EPISODES)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PublishedPoint(_Checked):
    """A figure that somebody else has published for a cell."""

    scenario: str
    agent: str
    at: dict[str, Scalar]  # the cell: a value for each parameter of the grid
    mean: Finite
    sd: Annotated[Finite, Field(ge=0)] | None = None


def _kind_of_published(value: object) -> str:
    return "<name>" if isinstance(value, str) else "<points>"


# With a discriminator, what is wrong in a point is not said to be no name.
Published = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[tuple[PublishedPoint, ...], Strict(False), Tag("<points>")],
    Discriminator(_kind_of_published),
]


class Corner(_Checked):
    """What ``--quick`` plays: what is left out is as in the whole suite."""

    scenarios: Names | None = None
    grid: Grid | None = None
    episodes: Count | None = None


class SuiteSettings(_Checked):
    """A suite: which cells are played, by whom, and what is made of it.

    Attributes:
        about: one line for people.
        environment: such as "csc_v0".
        scenarios: every cell of the grid is played on each.
        settings: keywords of the environment that are the same in all cells.
        grid: sweeps; each is the product of its lists of values. All have the same parameters; a cell that is in
            several is played once.
        agents: as `crowdgym.policies.load_policy` takes them.
        first_seed: episode i of a cell, from 0 on, is that of ``reset(seed=first_seed + i)``, for every agent.
        episodes: of each cell.
        metric: of the environment, what the tables are about.
        share_of_bound: whether the upper bound of every instance is worked out too.
        time_limit_s: of an episode, in seconds of the clock.
        published: the name of a set that comes with CrowdGym, or points; they are shown beside the results.
        quick: a corner for ``--quick``.
    """

    about: Annotated[str, Field(min_length=1)]
    environment: str
    scenarios: Names
    settings: dict[str, Scalar] = {}
    grid: Grid
    agents: Names
    first_seed: Annotated[int, Field(ge=0)]
    episodes: Count
    metric: str
    share_of_bound: bool
    time_limit_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    published: Published = ()
    quick: Corner = Corner(episodes=1)

    @model_validator(mode="after")
    def _grids_agree(self) -> "SuiteSettings":
        parameters = list(self.grid[0])
        for name, grid in (("grid", self.grid), ("quick.grid", self.quick.grid or ())):
            for number, sweep in enumerate(grid):
                if sorted(sweep) != sorted(parameters):
                    raise ValueError(
                        f"{name}[{number}] must have the same parameters as the first sweep, {', '.join(parameters)}, "
                        f"got {', '.join(sweep)}"
                    )
        both = next((name for name in parameters if name in self.settings), None)
        if both is not None:
            raise ValueError(f"{both} must be either in settings or in grid, got both")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The settings that the grid varies."""
        return tuple(self.grid[0])

    def cells(self) -> tuple[Cell, ...]:
        """All cells of the grid, each once, in the order of the sweeps."""
        return tuple({key_of(cell): cell for sweep in self.grid for cell in self.cells_of(sweep)}.values())

    def cells_of(self, sweep: Mapping[str, tuple[Scalar, ...]]) -> tuple[Cell, ...]:
        """The cells of one sweep."""
        values = [sweep[name] for name in self.parameters]
        return tuple(dict(zip(self.parameters, cell, strict=True)) for cell in product(*values))

    def corner(self) -> "SuiteSettings":
        """The suite that ``--quick`` plays."""
        changes = {name: value for name in Corner.model_fields if (value := getattr(self.quick, name)) is not None}
        return self.model_copy(update=changes)


def key_of(cell: Cell) -> tuple[tuple[str, Scalar], ...]:
    """What two cells have in common if and only if they are the same, whatever the order of their parameters."""
    return tuple(sorted(cell.items()))


def suite_names() -> tuple[str, ...]:
    """The suites that come with CrowdGym as YAML files."""
    names = (entry.name for entry in files("crowdgym.configs").joinpath(FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def named_suite(name: str) -> SuiteSettings:
    """One of `suite_names`."""
    resource = files("crowdgym.configs").joinpath(FOLDER, f"{name}.yaml")
    return parse_suite(resource.read_text(encoding="utf-8"), name)


def read_suite(file: Path) -> SuiteSettings:
    """A suite of one's own.

    Raises:
        ConfigError: it cannot be read, or is no suite: says where and what was expected.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the suite {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the suite {file} must be text in UTF-8") from None
    return parse_suite(text, str(file))


def parse_suite(text: str, source: str) -> SuiteSettings:
    """Check the text of a suite.

    Args:
        text: in YAML.
        source: where it comes from, for messages.

    Raises:
        ConfigError: it is no suite: says where and what was expected.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise ConfigError(f"the suite {source}{where} must be YAML: {problem}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"the suite {source} must be a mapping of names to values, got {type(content).__name__}")
    try:
        return SuiteSettings.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"the suite {source}: {_in_one_sentence(error)}") from None


def _in_one_sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    where, message = _place(first["loc"]), first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = list(_model_at(first["loc"][:-1]).model_fields)
        close = get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"there is no key {where!r}{hint} (known: {', '.join(known)})"
    if first["type"] == "missing":
        return f"{where} is missing"
    if not where:  # of the suite as a whole: says itself what must be
        return message
    wanted = message.removeprefix("Input should be ")
    return f"{where} must be {wanted}, got {first['input']!r}"


def _place(loc: tuple[int | str, ...]) -> str:
    """``grid[0].num_tasks`` for ("grid", 0, "num_tasks"); what pydantic adds for the branches of a union left out."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier() and part not in ("bool", "int", "float", "str"):
            text += f".{part}" if text else part
    return text


def _model_at(loc: tuple[int | str, ...]) -> type[BaseModel]:
    if "quick" in loc:
        return Corner
    return PublishedPoint if "published" in loc else SuiteSettings
