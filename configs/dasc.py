"""The settings of ``dasc_v0``. Their defaults, and where each comes from, are in ``envs/dasc_v0.yaml``."""

from typing import Annotated, Any, Literal, TypedDict

from pydantic import AfterValidator, BeforeValidator, Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import MOST_STEPS, Count, LogDeviation, NonNegative, Positive
from crowdgym.configs.loading import Settings, load_settings

ActionMode = Literal["recommend", "select"]
Dependency = Literal["assigned", "finished"]
DascRewardName = Literal["sparse", "shaped", "team"]
ShapeName = Literal["chain", "fork-join", "in-tree", "out-tree", "diamond", "layered"]

MOST_SLOTS = 1_000_000  # subtasks of an episode

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


def _pair(value: object) -> object:
    """A list, as files have it, or text such as ``0.2,0.8``, as the command line has it, as a tuple."""
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
    """Everything that makes one ``dasc_v0``, checked. Symbols are those of the RMO poster."""

    environment = "dasc_v0"

    scenario: str
    num_workers: Count  # |W|
    num_tasks: Count  # |Q|
    subtasks_mean: Annotated[float, Field(ge=1, le=1_000, allow_inf_nan=False)]  # of a task; see num_slots
    horizon_s: Positive
    step_s: Positive
    speed_mps: Positive
    range_m: NonNegative
    max_candidates: Annotated[int, Field(ge=1, le=127)]
    action_mode: ActionMode
    dependency: Dependency
    utility: Annotated[tuple[Share, Share], BeforeValidator(_pair)]  # alpha, beta
    penalty_per_s: NonNegative  # currency
    travel_cost_per_m: NonNegative  # currency
    unmatched_penalty: NonNegative  # currency
    invalid_penalty: NonNegative  # currency
    reward: DascRewardName
    strict: bool

    tasks_file: str | None
    window_start_s: Annotated[float, Field(ge=0, lt=86_400)] | Literal["busiest"]
    window_s: Positive
    shapes: Annotated[
        dict[ShapeName, Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]],
        BeforeValidator(_weights),
        AfterValidator(_some_weight),
    ]
    spread_m: NonNegative
    duration_mean_s: Positive
    duration_log_sd: LogDeviation
    work_share: Share
    expected_factor: Factor  # t_e = t_c + factor * base time
    deadline_factor: Factor  # t_d = t_c + factor * base time
    payment_factor: Factor  # payment = factor * base time / payment_unit_s
    payment_unit_s: Positive
    subtask_skills_mean: NonNegative
    subtask_skills_sd: NonNegative
    worker_skills_mean: NonNegative
    worker_skills_sd: NonNegative

    @property
    def num_slots(self) -> int:
        """S: the most subtasks an instance has; each is an agent. ``subtasks_mean * num_tasks``, rounded."""
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
    """The keywords of ``dasc_v0.parallel_env`` and its kin, all optional: see `DascSettings`."""

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
