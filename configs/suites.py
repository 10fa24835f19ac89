"""The format of a suite of the benchmark runner, a YAML file. The suites that come with CrowdGym are in ``bench/``.

Here a suite is checked by itself. `crowdgym.bench.suite` checks that its environment, settings and agents exist.
"""

from collections.abc import Mapping
from importlib.resources import files
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Strict, Tag, model_validator

from crowdgym.common.waiting import LONGEST_WAIT_S
from crowdgym.configs.documents import Checked, parse_document, read_document

FOLDER = "bench"  # beside this file
MOST_VALUES = 1_000  # of a list
MOST_POINTS = 100_000  # of a grid
MOST_EPISODES = 1_000_000  # of an agent at a grid point, and of all agents together ten times as many
RESERVED = ("suite", "scenario", "agent", "metric", "seed", "steps", "failure")  # columns of the results

Scalar = bool | int | float | str
GridPoint = Mapping[str, Scalar]  # a value for each parameter of the grid


def _not_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("a list of at least one")
    return values


def _all_different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(values) > MOST_VALUES:
        raise ValueError(f"a list of at most {MOST_VALUES:,} (it has {len(values):,})")
    repeated = next((value for at, value in enumerate(values) if value in values[:at]), None)
    if repeated is not None:
        raise ValueError(f"a list without repetitions ({repeated!r} is there twice)")
    return values


def _no_reserved_name(sweep: dict[str, Any]) -> dict[str, Any]:
    if not sweep:
        raise ValueError("a mapping of at least one parameter to its values")
    wrong = next((name for name in sweep if name in RESERVED), None)
    if wrong is not None:
        raise ValueError(f"a mapping of parameters ({wrong!r} is the name of another column of the results)")
    return sweep


Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Strict(False), AfterValidator(_not_empty), AfterValidator(_all_different)]
Values = Annotated[tuple[Scalar, ...], Strict(False), AfterValidator(_not_empty), AfterValidator(_all_different)]
Sweep = Annotated[dict[str, Values], AfterValidator(_no_reserved_name)]  # the product of its lists
Grid = Annotated[tuple[Sweep, ...], Strict(False), AfterValidator(_not_empty)]
Count = Annotated[int, Field(ge=1, le=MOST_EPISODES)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class AgentEntry(Checked):
    """An agent of a suite. In the file, a name alone stands for the agent of that name without arguments.

    Attributes:
        name: name of the agent in the results.
        policy: name of the policy, as `crowdgym.policies.load_policy` takes it; None for ``name``.
        arguments: keywords of the policy's class.
        only: the agent plays only the grid points at which each of these parameters has one of these values.
    """

    name: Name
    policy: Name | None = None
    arguments: dict[str, Scalar] = Field(default_factory=dict)
    only: dict[str, Values] = Field(default_factory=dict)

    @property
    def policy_name(self) -> str:
        """The name under which the policy is loaded."""
        return self.policy or self.name

    def plays(self, point: GridPoint) -> bool:
        """Whether the agent plays a grid point."""
        return all(point[name] in values for name, values in self.only.items())


def _as_entry(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _different_names(agents: tuple[AgentEntry, ...]) -> tuple[AgentEntry, ...]:
    _all_different(tuple(agent.name for agent in agents))
    return agents


Agents = Annotated[
    tuple[Annotated[AgentEntry, BeforeValidator(_as_entry)], ...],
    Strict(False),
    AfterValidator(_not_empty),
    AfterValidator(_different_names),
]


class PublishedFigure(Checked):
    """A published mean of a metric for an agent at a grid point.

    Attributes:
        scenario: on which the figure was measured.
        agent: its name in the suite.
        at: the grid point: a value for each parameter of the grid.
        metric: one of the suite's; None for the first.
        mean: in the unit of the metric.
        sd: the published standard deviation, if there is one.
    """

    scenario: str
    agent: str
    at: dict[str, Scalar]
    metric: str | None = None
    mean: Finite
    sd: Annotated[Finite, Field(ge=0)] | None = None


def _kind_of_published(value: object) -> str:
    return "<name>" if isinstance(value, str) else "<figures>"


# The discriminator keeps pydantic from reporting, for a wrong figure, that it is not a name.
Published = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[tuple[PublishedFigure, ...], Strict(False), Tag("<figures>")],
    Discriminator(_kind_of_published),
]


Hyperparameters = dict[str, Scalar]


class Training(Checked):
    """Runs of a learner that a suite trains before it plays: each variant with each seed, on each scenario.

    Attributes:
        learner: such as "rmo".
        settings: hyperparameters of all variants.
        variants: by name, the hyperparameters of each.
        starts: by name, where a variant begins more than once: each is added to those of ``several``.
        several: the variants that are trained from each of ``starts``, with one seed; the others begin where their
            settings say.
        seeds: 0 to ``seeds`` − 1.
        steps: of the environment, of each run.
        teacher: the policy that is cloned first, with the first seed; all runs begin with the clone. None: they begin
            with random networks.
        teacher_steps: of the environment, of the clone.
        only: the policies of runs that begin where their settings say play the grid points at which each of these
            parameters has one of these values.
    """

    learner: Name
    settings: Hyperparameters = Field(default_factory=dict)
    variants: dict[str, Hyperparameters]
    starts: dict[str, Hyperparameters] = Field(default_factory=dict)
    several: Annotated[tuple[Name, ...], Strict(False)] = ()
    seeds: Count = 5
    steps: Count
    teacher: Name | None = None
    teacher_steps: Count = 1
    only: dict[str, Values] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _several_are_variants(self) -> "Training":
        wrong = next((name for name in self.several if name not in self.variants), None)
        if wrong is not None:
            raise ValueError(f"several must be some of the variants ({', '.join(self.variants)}), got {wrong!r}")
        return self

    def runs(self) -> dict[str, Hyperparameters]:
        """By name, the hyperparameters of every variant from every start."""
        found: dict[str, Hyperparameters] = {}
        for name, own in self.variants.items():
            if name in self.several:
                found |= {f"{name} from {start}": {**self.settings, **own, **at} for start, at in self.starts.items()}
            else:
                found[name] = {**self.settings, **own}
        return found

    def plays(self, point: GridPoint) -> bool:
        """Whether the trained policies play a grid point."""
        return all(point[name] in values for name, values in self.only.items())


class Corner(Checked):
    """The part of a suite that ``--quick`` plays. Missing keys are those of the whole suite."""

    scenarios: Names | None = None
    grid: Grid | None = None
    episodes: Count | None = None
    training: Training | None = None


class BoardSettings(Checked):
    """What a leaderboard shows of a suite.

    Attributes:
        title: of the board, for people.
        score: a metric of the suite; entries are ranked by it.
        cost: a second metric of the suite, where less is better. Such a board ranks nothing: it shows the front of
            entries that no other beats in both.
        ceiling: ``module:function`` of what an instance offers, from (instance, settings); the score is a share of it.
    """

    title: Name
    score: Name
    cost: Name | None = None
    ceiling: Name | None = None


class SuiteSettings(Checked):
    """A suite: which agents play which grid points, and which metrics its tables show.

    Attributes:
        about: one line of description.
        environment: such as "csc_v0".
        scenarios: every grid point is played on each.
        settings: keywords of the environment that are the same at all grid points.
        grid: sweeps; each is the product of its lists of values. All have the same parameters, which are keywords of
            the environment. A grid point of several sweeps is played once.
        agents: names, or mappings with the keys of `AgentEntry`.
        first_seed: episode i at a grid point, from 0 on, is that of ``reset(seed=first_seed + i)``, for every agent.
        episodes: of each agent at each grid point.
        metrics: of the environment, each one number; the tables show them in this order. None: its objective.
        compared_with: an agent of the suite; the tables show how the others differ from it on the same instances.
        share_of_bound: whether the upper bound of every instance is computed, too.
        time_limit_s: the most seconds of wall-clock time that an episode may take.
        published: the name of a set that comes with CrowdGym, or figures; they are shown beside the results.
        training: runs that are trained first, for a suite whose hook shows them.
        hook: ``module:Class``, a child of `crowdgym.bench.hooks.SuiteHook`, for a suite that a YAML file alone cannot
            describe.
        quick: the part that ``--quick`` plays.
        board: what the leaderboard of the suite shows, if it has one.
    """

    about: Name = "a suite of your own"
    environment: str
    scenarios: Names
    settings: dict[str, Scalar] = Field(default_factory=dict)
    grid: Grid
    agents: Agents
    first_seed: Annotated[int, Field(ge=0)] = 0
    episodes: Count = 10
    metrics: Names = ()
    compared_with: Name | None = None
    share_of_bound: bool = False
    time_limit_s: Annotated[float, Field(gt=0, le=LONGEST_WAIT_S)] = 300.0
    published: Published = ()
    training: Training | None = None
    hook: Name | None = None
    quick: Corner = Corner(episodes=1)
    board: BoardSettings | None = None

    @model_validator(mode="after")
    def _board_shows_metrics(self) -> "SuiteSettings":
        shown = () if self.board is None else (self.board.score, self.board.cost)
        wrong = next((metric for metric in shown if metric is not None and metric not in self.metrics), None)
        if wrong is not None:
            raise ValueError(f"score and cost of board must be metrics of the suite, got {wrong!r}")
        return self

    @model_validator(mode="after")
    def _compared_agent_plays(self) -> "SuiteSettings":
        if self.compared_with is not None and self.compared_with not in self.agent_names:
            raise ValueError(f"compared_with must be one of the agents, got {self.compared_with!r}")
        return self

    @model_validator(mode="after")
    def _parameters_agree(self) -> "SuiteSettings":
        parameters = list(self.grid[0])
        cells = sum(prod(map(len, sweep.values())) for sweep in self.grid)
        if cells > MOST_POINTS:
            raise ValueError(f"grid must have at most {MOST_POINTS:,} points, got {cells:,}")
        episodes = cells * len(self.scenarios) * len(self.agents) * self.episodes
        if episodes > 10 * MOST_EPISODES:
            raise ValueError(f"a suite must have at most {10 * MOST_EPISODES:,} episodes, got {episodes:,}")
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
        for agent in self.agents:
            wrong = next((name for name in agent.only if name not in parameters), None)
            if wrong is not None:
                raise ValueError(
                    f"only of the agent {agent.name!r} must name parameters of the grid ({', '.join(parameters)}), "
                    f"got {wrong!r}"
                )
            if not any(agent.plays(point) for point in self.points()):
                raise ValueError(f"only of the agent {agent.name!r} must leave a point of the grid, got {agent.only!r}")
        for training in (self.training, self.quick.training):
            wrong = next((name for name in ({} if training is None else training.only) if name not in parameters), None)
            if wrong is not None:
                listed = ", ".join(parameters)
                raise ValueError(f"only of training must name parameters of the grid ({listed}), got {wrong!r}")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The settings that the grid varies."""
        return tuple(self.grid[0])

    @property
    def agent_names(self) -> tuple[str, ...]:
        """The names of all agents."""
        return tuple(agent.name for agent in self.agents)

    def points(self) -> tuple[GridPoint, ...]:
        """All grid points, each once, in the order of the sweeps."""
        return tuple({key_of(point): point for sweep in self.grid for point in self.points_of(sweep)}.values())

    def points_of(self, sweep: Mapping[str, tuple[Scalar, ...]]) -> tuple[GridPoint, ...]:
        """The grid points of one sweep."""
        values = [sweep[name] for name in self.parameters]
        return tuple(dict(zip(self.parameters, point, strict=True)) for point in product(*values))

    def corner(self) -> "SuiteSettings":
        """The suite that ``--quick`` plays."""
        changes = {name: value for name in Corner.model_fields if (value := getattr(self.quick, name)) is not None}
        return self.model_copy(update=changes)


def key_of(point: GridPoint) -> tuple[tuple[str, Scalar], ...]:
    """A key that two grid points share if and only if they are equal, in any order of their parameters."""
    return tuple(sorted(point.items()))


def suite_names() -> tuple[str, ...]:
    """The suites that come with CrowdGym as YAML files."""
    names = (entry.name for entry in files("crowdgym.configs").joinpath(FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def named_suite(name: str) -> SuiteSettings:
    """One of `suite_names`."""
    resource = files("crowdgym.configs").joinpath(FOLDER, f"{name}.yaml")
    return parse_suite(resource.read_text(encoding="utf-8"), name)


def read_suite(file: Path) -> SuiteSettings:
    """Read a suite from a file.

    Raises:
        ConfigError: it cannot be read, or is no suite. The message says where, and what was expected.
    """
    return read_document(SuiteSettings, file, "suite")


def parse_suite(text: str, source: str) -> SuiteSettings:
    """Check the text of a suite.

    Args:
        text: in YAML.
        source: where it comes from, for messages.

    Raises:
        ConfigError: it is no suite. The message says where, and what was expected.
    """
    return parse_document(SuiteSettings, text, f"the suite {source}")
