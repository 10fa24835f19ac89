"""The settings of ``preference_v0``. Their defaults, and where each comes from, are in ``envs/preference_v0.yaml``."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import Settings, load_settings
from crowdgym.configs.streams import DataPart, Days, FromData, Orders, OrdersName

Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]

MOST_STEPS = 1_000_000  # of an episode

RewardName = Literal["accepted", "team", "preference"]
AcceptanceName = Literal["preference", "always"]


class PreferenceSettings(Settings):
    """Everything that makes one ``preference_v0``, checked. Symbols are those of ``docs/preference_dynamics.md``."""

    environment = "preference_v0"

    scenario: str = Field(description="the dataset or preset that is played")
    num_workers: Count = Field(description="workers, W in the dynamics")
    num_centres: Count = Field(description="centres that share the workers, N in the dynamics")
    num_tasks: Count = Field(description="tasks of an episode")
    horizon_s: Positive = Field(description="length of an episode, H in the dynamics, seconds")
    step_s: Positive = Field(description="time between two decisions, seconds")
    speed_mps: Positive = Field(description="speed of a worker, v in the dynamics, metres a second")
    range_m: NonNegative = Field(
        description="how far by road a worker may be from a task that it is offered, r in the dynamics, metres"
    )
    max_candidates: Annotated[int, Field(ge=1, le=127)] = Field(
        description="tasks that a worker may be offered at one epoch, K"
    )
    service_s: NonNegative = Field(description="time that a worker spends at a task, D in the dynamics, seconds")
    decline_cooldown_s: NonNegative = Field(
        description="pause of a worker after it declines, P in the dynamics, seconds"
    )
    max_offers: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="declines after which a task is closed, O in the dynamics"
    )
    acceptance: AcceptanceName = Field(description="whether workers accept by preference or accept every offer")
    acceptance_min: Share = Field(description="probability of acceptance at preference 0, a_min in the dynamics")
    acceptance_max: Share = Field(
        description="probability of acceptance of the favourite category, a_max in the dynamics"
    )
    acceptance_exponent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = Field(
        description="exponent of the relative preference in the probability of acceptance, gamma in the dynamics"
    )
    reward: RewardName = Field(description="how the answers of a step become rewards")
    strict: bool = Field(description="raise at a masked action, in place of counting it as illegal")

    orders: Orders
    days: Days
    from_data: FromData
    window_start_s: Annotated[float, Field(ge=0, lt=86_400)] | Literal["busiest"] = Field(
        description="when the episode begins, seconds since midnight, or the busiest hour of the dataset"
    )
    window_s: Positive = Field(description="how long tasks are created for, seconds")
    expiry_mean_s: Positive = Field(description="mean time that a task stays open, seconds")
    expiry_spread: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Field(
        description="the time that a task stays open is uniform in the mean times 1 - this to 1 + this"
    )

    history_events: Annotated[int, Field(ge=1, le=10_000)] = Field(description="events in the history of each worker")
    num_places: Count = Field(description="places that histories name")
    num_types: Annotated[int, Field(ge=1, le=1_000)] = Field(description="latent types of workers")
    centre_concentration: Annotated[float, Field(ge=1e-3, le=1e6, allow_inf_nan=False)] = Field(
        description="concentration of the types of workers at a centre; small: centres unlike each other"
    )
    population_seed: Annotated[int, Field(ge=0)] = Field(
        description="seed of the workers, their histories and preferences"
    )

    @classmethod
    def load(cls, **keywords: object) -> "PreferenceSettings":
        """Defaults, then the scenario's settings, then ``keywords``. Raises `ConfigError` (see `load_settings`)."""
        settings = load_settings(cls, keywords)
        if settings.horizon_s > MOST_STEPS * settings.step_s:
            raise ConfigError(
                f"horizon_s must be at most {MOST_STEPS:,} times step_s, "
                f"got {settings.horizon_s:g} with steps of {settings.step_s:g}"
            )
        if settings.num_centres > settings.num_workers:
            raise ConfigError(
                f"num_centres must be at most num_workers, which is {settings.num_workers}, got {settings.num_centres}"
            )
        if settings.acceptance_min > settings.acceptance_max:
            raise ConfigError(
                f"acceptance_min must be at most acceptance_max, which is {settings.acceptance_max:g}, "
                f"got {settings.acceptance_min:g}"
            )
        return settings


class PreferenceKeywords(TypedDict, total=False):
    """The keywords of every ``preference_v0`` environment: see `PreferenceSettings`; a test compares the two."""

    scenario: str
    num_workers: int
    num_centres: int
    num_tasks: int
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    max_candidates: int
    service_s: float
    decline_cooldown_s: float
    max_offers: int
    acceptance: AcceptanceName
    acceptance_min: float
    acceptance_max: float
    acceptance_exponent: float
    reward: RewardName
    strict: bool
    orders: OrdersName
    days: str
    from_data: Literal["all"] | tuple[DataPart, ...]
    window_start_s: float | Literal["busiest"]
    window_s: float
    expiry_mean_s: float
    expiry_spread: float
    history_events: int
    num_places: int
    num_types: int
    centre_concentration: float
    population_seed: int
