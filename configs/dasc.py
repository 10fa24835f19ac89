"""The settings of ``dasc_v0``. Their defaults, and where each comes from, are in ``envs/dasc_v0.yaml``."""

from typing import Annotated, Any, Literal, TypedDict

from pydantic import AfterValidator, BeforeValidator, Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import MOST_STEPS, Count, LogDeviation, NonNegative, Positive
from crowdgym.configs.loading import Settings, load_settings
from crowdgym.configs.streams import DataPart, Days, FromData, Orders, OrdersName

ActionMode = Literal["recommend", "select"]
Dependency = Literal["assigned", "finished"]
DascRewardName = Literal["sparse", "shaped", "team", "shared"]
ShapeName = Literal["chain", "fork-join", "in-tree", "out-tree", "diamond", "layered"]

MOST_SLOTS = 1_000_000  # subtasks of an episode

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


def _pair(value: object) -> object:
    """A tuple from a list (files) or from text such as ``0.2,0.8`` (command line)."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        if not isinstance(parts, list | tuple):
            raise TypeError
        alpha, beta = map(float, parts)
    except (TypeError, ValueError):
        raise ValueError("two numbers from 0 to 1, alpha and beta") from None
    return alpha, beta


def _weights(value: object) -> object:
    """A mapping of shapes to weights, or text such as ``chain,diamond`` or ``chain:2,diamond:1``."""
    if not isinstance(value, str):
        return value
    weights: dict[str, Any] = {}
    for part in value.split(","):
        name, _, weight = part.partition(":")
        try:
            weights[name.strip()] = float(weight) if weight else 1.0
        except ValueError:
            return value
    return weights


def _some_weight(weights: dict[ShapeName, float]) -> dict[ShapeName, float]:
    if not sum(weights.values()) > 0:
        raise ValueError("a mapping of shapes to weights, one of them greater than 0")
    return weights


class DascSettings(Settings):
    """All settings of ``dasc_v0``, checked. Symbols are those of the RMO poster."""

    environment = "dasc_v0"

    scenario: str = Field(description="dataset or preset to play")
    num_workers: Count = Field(description="workers, |W| in the poster")
    num_tasks: Count = Field(description="tasks of an episode, |Q| in the poster")
    subtasks_mean: Annotated[float, Field(ge=1, le=1_000, allow_inf_nan=False)] = Field(
        description="subtasks of a task on average; times num_tasks it is the number of agents"
    )
    horizon_s: Positive = Field(description="length of an episode, seconds")
    step_s: Positive = Field(description="time between two decisions, seconds")
    speed_mps: Positive = Field(description="speed of a worker, metres a second")
    range_m: NonNegative = Field(description="how far by road a worker may be from a subtask that it gets, metres")
    max_candidates: Annotated[int, Field(ge=1, le=127)] = Field(
        description="workers that a subtask sees and, with action_mode select, chooses from, K"
    )
    action_mode: ActionMode = Field(
        description="recommend: subtasks ask to be matched; select: each asks for one worker"
    )
    dependency: Dependency = Field(description="what a subtask waits for: predecessors that are assigned, or finished")
    utility: Annotated[tuple[Share, Share], BeforeValidator(_pair)] = Field(
        description="weights alpha and beta of the utility of a match, each from 0 to 1"
    )
    penalty_per_s: NonNegative = Field(description="currency lost for each second past the expected time")
    travel_cost_per_m: NonNegative = Field(description="cost of travel, currency a metre")
    unmatched_penalty: NonNegative = Field(
        description="currency lost in the shaped reward for a request that gets no worker"
    )
    invalid_penalty: NonNegative = Field(
        description="currency lost in the shaped reward for a request that the rules refuse"
    )
    reward: DascRewardName = Field(description="how an interval becomes rewards")
    strict: bool = Field(description="raise at a masked action, in place of counting it as illegal")

    tasks_file: str | None = Field(description="path of a file of tasks that are played in place of drawn ones")
    orders: Orders
    days: Days
    from_data: FromData
    window_start_s: Annotated[float, Field(ge=0, lt=86_400)] | Literal["busiest"] = Field(
        description="when the episode begins, seconds since midnight, or the busiest hour of the dataset"
    )
    window_s: Positive = Field(description="how long tasks are created for, seconds")
    shapes: Annotated[
        dict[ShapeName, Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]],
        BeforeValidator(_weights),
        AfterValidator(_some_weight),
    ] = Field(description="for each shape of precedence graph the weight with which it is drawn")
    spread_m: NonNegative = Field(
        description="standard deviation of a place around the place of its order, east and north, metres"
    )
    duration_mean_s: Positive = Field(description="mean duration of a subtask, seconds")
    duration_log_sd: LogDeviation = Field(description="standard deviation of the logarithm of the duration")
    work_share: Share = Field(
        description="weight of the total work against the critical path in the base time of a task, from 0 to 1"
    )
    expected_factor: Factor = Field(description="expected time of a task: creation plus this times its base time")
    deadline_factor: Factor = Field(description="deadline of a task: creation plus this times its base time")
    payment_factor: Factor = Field(
        description="payment of a task: this times its base time divided by payment_unit_s, currency"
    )
    payment_unit_s: Positive = Field(description="seconds of base time that payment_factor is paid for")
    subtask_skills_mean: NonNegative = Field(description="mean number of skills that a subtask needs, before rounding")
    subtask_skills_sd: NonNegative = Field(
        description="standard deviation of the number of skills that a subtask needs"
    )
    worker_skills_mean: NonNegative = Field(description="mean number of skills of a worker, before rounding")
    worker_skills_sd: NonNegative = Field(description="standard deviation of the number of skills of a worker")

    @property
    def num_slots(self) -> int:
        """S: the largest number of subtasks; each is an agent. ``subtasks_mean * num_tasks``, rounded."""
        return round(self.subtasks_mean * self.num_tasks)

    @classmethod
    def load(cls, **keywords: object) -> "DascSettings":
        """Defaults, then the scenario's settings, then ``keywords``. Raises `ConfigError` (see `load_settings`)."""
        settings = load_settings(cls, keywords)
        if settings.horizon_s > MOST_STEPS * settings.step_s:
            raise ConfigError(
                f"horizon_s must be at most {MOST_STEPS:,} times step_s, "
                f"got {settings.horizon_s:g} with steps of {settings.step_s:g}"
            )
        if settings.num_slots > MOST_SLOTS:
            raise ConfigError(
                f"subtasks_mean times num_tasks must be at most {MOST_SLOTS:,} subtasks, got {settings.num_slots:,}"
            )
        if settings.deadline_factor <= settings.expected_factor:
            raise ConfigError(
                f"deadline_factor must be greater than expected_factor, which is {settings.expected_factor:g}, "
                f"got {settings.deadline_factor:g}"
            )
        return settings


class DascKeywords(TypedDict, total=False):
    """The keywords of every ``dasc_v0`` environment. `DascSettings` says what they mean; a test compares the two."""

    scenario: str
    num_workers: int
    num_tasks: int
    subtasks_mean: float
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    max_candidates: int
    action_mode: ActionMode
    dependency: Dependency
    utility: tuple[float, float]
    penalty_per_s: float
    travel_cost_per_m: float
    unmatched_penalty: float
    invalid_penalty: float
    reward: DascRewardName
    strict: bool
    tasks_file: str | None
    orders: OrdersName
    days: str
    from_data: Literal["all"] | tuple[DataPart, ...]
    window_start_s: float | Literal["busiest"]
    window_s: float
    shapes: dict[ShapeName, float]
    spread_m: float
    duration_mean_s: float
    duration_log_sd: float
    work_share: float
    expected_factor: float
    deadline_factor: float
    payment_factor: float
    payment_unit_s: float
    subtask_skills_mean: float
    subtask_skills_sd: float
    worker_skills_mean: float
    worker_skills_sd: float
