"""The settings of ``sensing_v0``. Their defaults, and where each comes from, are in ``envs/sensing_v0.yaml``."""

from typing import Annotated, Literal, TypedDict

from pydantic import BeforeValidator, Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.loading import Settings, as_names, load_settings

Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]

InferenceName = Literal["knn", "idw", "svr"]
NormalisationName = Literal["range", "p99"]
AgentsName = Literal["cells", "participants"]
RewardName = Literal["shared", "marginal"]


class SensingSettings(Settings):
    """All settings of ``sensing_v0``, checked. Symbols are those of the QCO-TA paper, section 3."""

    environment = "sensing_v0"

    scenario: str = Field(description="series or preset to play")
    num_participants: Count = Field(description="participants, P in the paper")
    attributes: Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(as_names)] = Field(
        description="the attributes that are measured, or all of the series"
    )
    inference: InferenceName = Field(
        description="how values are inferred: nearest neighbours, inverse distances or support vector regression"
    )
    normalisation: NormalisationName = Field(
        description="what the error of an attribute is divided by, Gamma in the paper: its range or its 99th percentile"
    )
    agents: AgentsName = Field(
        description="who the agents are: cells that ask for participants, or participants that choose a cell"
    )
    scores: bool = Field(description="whether observations show how well each cell was inferred when it was sensed")
    reward: RewardName = Field(description="how the error and the cost of a cycle become rewards")
    cost_weight: NonNegative = Field(description="weight of the cost in the reward, lambda in the paper, per km")
    horizon_s: Positive | Literal["series"] = Field(
        description="length of an episode, seconds, or series: that of the series"
    )
    step_s: Positive | Literal["series"] = Field(
        description="time between two cycles, seconds, or series: that of the series"
    )
    start_s: NonNegative = Field(description="where in the series an episode begins, seconds")
    strict: bool = Field(description="raise at a masked action, in place of counting it as illegal")

    knn_neighbours: Count = Field(description="neighbours that knn takes the mean of, k")
    idw_neighbours: Count = Field(description="neighbours that idw weights, n")
    idw_power: Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)] = Field(
        description="power of the distance in the weights of idw"
    )
    svr_c: Positive = Field(description="regularisation parameter C of svr")
    svr_epsilon: NonNegative = Field(
        description="half the width of the tube of svr without cost, standard deviations of the values"
    )

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
    """The keywords of every ``sensing_v0`` environment. `SensingSettings` says what they mean; a test compares both."""

    scenario: str
    num_participants: int
    attributes: tuple[str, ...] | Literal["all"]
    inference: InferenceName
    normalisation: NormalisationName
    agents: AgentsName
    scores: bool
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
