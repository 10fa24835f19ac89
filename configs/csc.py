"""The settings of ``csc_v0``. Their defaults, and where each comes from, are in ``envs/csc_v0.yaml``."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import Settings, load_settings

Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
LogDeviation = Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)]  # beyond, a lognormal holds anything
Count = Annotated[int, Field(ge=1, le=1_000_000)]

MOST_STEPS = 1_000_000  # of an episode

RewardName = Literal["contribution", "team", "individual"]


class CscSettings(Settings):
    """Everything that makes one ``csc_v0``, checked. Symbols are those of the CAFE paper, section 3."""

    environment = "csc_v0"

    scenario: str
    num_workers: Count  # N_w
    num_tasks: Count  # N_tau
    horizon_s: Positive
    step_s: Positive
    speed_mps: Positive
    range_m: NonNegative
    max_candidates: Annotated[int, Field(ge=1, le=127)]  # K
    reward: RewardName
    strict: bool

    window_start_s: Annotated[float, Field(ge=0, lt=86_400)] | Literal["busiest"]
    window_s: Positive
    spread_m: NonNegative
    workload_mean_s: Positive  # of q, worker-seconds
    workload_log_sd: LogDeviation
    expected_factor: NonNegative  # t_e = t_c + factor q
    deadline_factor: Positive  # t_d = t_e + factor q
    penalty_per_s: NonNegative  # zeta
    payment_mean: Positive  # of rho_max
    payment_log_sd: LogDeviation
    skills_mean: NonNegative
    skills_sd: NonNegative

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
    """The keywords of ``csc_v0.parallel_env`` and its kin, all optional: see `CscSettings`."""

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
