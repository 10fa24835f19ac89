"""The settings of ``preference_v0``. Their defaults, and where each comes from, are in ``envs/preference_v0.yaml``."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import Settings, load_settings

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

    scenario: str
    num_workers: Count  # W
    num_centres: Count  # N
    num_tasks: Count
    horizon_s: Positive  # H
    step_s: Positive
    speed_mps: Positive  # v
    range_m: NonNegative  # r
    max_candidates: Annotated[int, Field(ge=1, le=127)]  # K
    service_s: NonNegative  # D
    decline_cooldown_s: NonNegative  # P
    max_offers: Annotated[int, Field(ge=1, le=1_000_000)]  # O
    acceptance: AcceptanceName
    acceptance_min: Share  # a_min
    acceptance_max: Share  # a_max
    acceptance_exponent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]  # gamma
    reward: RewardName
    strict: bool

    window_start_s: Annotated[float, Field(ge=0, lt=86_400)] | Literal["busiest"]
    window_s: Positive
    expiry_mean_s: Positive  # of e - t_c
    expiry_spread: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

    history_events: Annotated[int, Field(ge=1, le=10_000)]
    num_places: Count
    num_types: Annotated[int, Field(ge=1, le=1_000)]
    centre_concentration: Annotated[float, Field(ge=1e-3, le=1e6, allow_inf_nan=False)]
    population_seed: Annotated[int, Field(ge=0)]

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
    """The keywords of ``preference_v0.parallel_env`` and its kin, all optional: see `PreferenceSettings`."""

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
    window_start_s: float | Literal["busiest"]
    window_s: float
    expiry_mean_s: float
    expiry_spread: float
    history_events: int
    num_places: int
    num_types: int
    centre_concentration: float
    population_seed: int
