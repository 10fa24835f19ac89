"""The settings of ``sensing_v0``. Their defaults, and where each comes from, are in ``envs/sensing_v0.yaml``."""

from typing import Annotated, Literal, TypedDict

from pydantic import BeforeValidator, Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import Settings, load_settings

Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]

InferenceName = Literal["knn", "idw", "svr"]
NormalisationName = Literal["range", "p99"]
AgentsName = Literal["cells", "participants"]
RewardName = Literal["shared", "marginal"]


def _names(value: object) -> object:
    """A list as a tuple, and names with commas between them as one, too; "all" stays as it is."""
    if isinstance(value, str) and value != "all":
        return tuple(name.strip() for name in value.split(","))
    return tuple(value) if isinstance(value, list) else value


class SensingSettings(Settings):
    """Everything that makes one ``sensing_v0``, checked. Symbols are those of the QCO-TA paper, section 3."""

    environment = "sensing_v0"

    scenario: str
    num_participants: Count  # the paper's P
    attributes: Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_names)]  # A of them
    inference: InferenceName
    normalisation: NormalisationName  # Gamma
    agents: AgentsName
    reward: RewardName
    cost_weight: NonNegative  # lambda, per km
    horizon_s: Positive | Literal["series"]
    step_s: Positive | Literal["series"]
    start_s: NonNegative
    strict: bool

    knn_neighbours: Count  # k
    idw_neighbours: Count  # n
    idw_power: Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)]
    svr_c: Positive
    svr_epsilon: NonNegative

    @classmethod
    def load(cls, **keywords: object) -> "SensingSettings":
        """Defaults, then the scenario's settings, then ``keywords``. Raises `ConfigError` (see `load_settings`)."""
        settings = load_settings(cls, keywords)
        names = settings.attributes
        if not names or (names != "all" and "" in names):
            raise ConfigError(f"attributes must name at least one attribute, or be 'all', got {names!r}")
        if names != "all" and len(set(names)) < len(names):
            twice = next(name for index, name in enumerate(names) if name in names[:index])
            raise ConfigError(f"attributes must name every attribute once, got {twice!r} twice")
        return settings


class SensingKeywords(TypedDict, total=False):
    """The keywords of ``sensing_v0.parallel_env`` and its kin, all optional: see `SensingSettings`."""

    scenario: str
    num_participants: int
    attributes: tuple[str, ...] | Literal["all"]
    inference: InferenceName
    normalisation: NormalisationName
    agents: AgentsName
    reward: RewardName
    cost_weight: float
    horizon_s: float | Literal["series"]
    step_s: float | Literal["series"]
    start_s: float
    strict: bool
    knn_neighbours: int
    idw_neighbours: int
    idw_power: float
    svr_c: float
    svr_epsilon: float
