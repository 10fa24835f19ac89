"""The settings of ``csc_v0``. Their defaults, and where each comes from, are in ``envs/csc_v0.yaml``."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import Settings, load_settings
from crowdgym.configs.streams import DataPart, Days, FromData, Orders, OrdersName

Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
LogDeviation = Annotated[
    float, Field(ge=0, le=5, allow_inf_nan=False)
]  # a larger deviation gives arbitrarily large values
Count = Annotated[int, Field(ge=1, le=1_000_000)]

MOST_STEPS = 1_000_000  # of an episode

InfoName = Literal["gain", "neighbours"]  # what infos hold besides, if it is asked for
RewardName = Literal["contribution", "team", "individual", "marginal", "difference"]


class CscSettings(Settings):
    """All settings of ``csc_v0``, checked. Symbols are those of the CAFE paper, section 3."""

    environment = "csc_v0"

    scenario: str = Field(description="dataset or preset to play")
    num_workers: Count = Field(description="workers, N_w in the paper")
    num_tasks: Count = Field(description="tasks of an episode, N_tau in the paper")
    horizon_s: Positive = Field(description="length of an episode, seconds")
    step_s: Positive = Field(description="time between two decisions, seconds")
    speed_mps: Positive = Field(description="speed of a worker, metres a second")
    range_m: NonNegative = Field(description="how far by road a worker may be from a task that it takes, metres")
    max_candidates: Annotated[int, Field(ge=1, le=127)] = Field(description="tasks that a worker chooses from, K")
    reward: RewardName = Field(description="how the revenue of an interval becomes rewards")
    strict: bool = Field(description="raise at a masked action, in place of counting it as illegal")

    orders: Orders
    days: Days
    from_data: FromData
    window_start_s: Annotated[float, Field(ge=0, lt=86_400)] | Literal["busiest"] = Field(
        description="when the episode begins, seconds since midnight, or the busiest hour of the dataset"
    )
    window_s: Positive = Field(description="how long tasks are created for, seconds")
    spread_m: NonNegative = Field(
        description="standard deviation of a place around the place of its order, east and north, metres"
    )
    workload_mean_s: Positive = Field(description="mean workload of a task, q in the paper, worker-seconds")
    workload_log_sd: LogDeviation = Field(description="standard deviation of the logarithm of the workload")
    expected_factor: NonNegative = Field(description="expected time of a task: creation plus this times its workload")
    deadline_factor: Positive = Field(description="deadline of a task: expected time plus this times its workload")
    penalty_per_s: NonNegative = Field(
        description="share of the payment lost for each second past the expected time, zeta in the paper"
    )
    payment_mean: Positive = Field(description="mean of the highest payment of a task, rho_max in the paper, currency")
    payment_log_sd: LogDeviation = Field(description="standard deviation of the logarithm of the payment")
    skills_mean: NonNegative = Field(description="mean number of skills of a worker, before rounding")
    skills_sd: NonNegative = Field(description="standard deviation of the number of skills of a worker")

    @classmethod
    def load(cls, **keywords: object) -> "CscSettings":
        """Defaults, then the scenario's settings, then ``keywords``. Raises `ConfigError` (see `load_settings`)."""
        settings = load_settings(cls, keywords)
        if settings.horizon_s > MOST_STEPS * settings.step_s:
            raise ConfigError(
                f"horizon_s must be at most {MOST_STEPS:,} times step_s, "
                f"got {settings.horizon_s:g} with steps of {settings.step_s:g}"
            )
        return settings


class CscKeywords(TypedDict, total=False):
    """The keywords of every ``csc_v0`` environment. `CscSettings` says what they mean; a test compares the two."""

    scenario: str
    num_workers: int
    num_tasks: int
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    max_candidates: int
    reward: RewardName
    strict: bool
    orders: OrdersName
    days: str
    from_data: Literal["all"] | tuple[DataPart, ...]
    window_start_s: float | Literal["busiest"]
    window_s: float
    spread_m: float
    workload_mean_s: float
    workload_log_sd: float
    expected_factor: float
    deadline_factor: float
    penalty_per_s: float
    payment_mean: float
    payment_log_sd: float
    skills_mean: float
    skills_sd: float
