"""The hyperparameters of TA-FPL. Their defaults, and where each comes from, are in ``agents/ta-fpl.yaml``."""

from typing import Annotated, Literal, Self

from pydantic import Field

from crowdgym.common.errors import ConfigError
from crowdgym.configs.learning import LearnerSettings, NonNegative, Positive, Whole, Width

StrategyName = Literal["fedavg", "fedprox", "feddyn", "scaffold", "local", "central"]
MatchingName = Literal["top-k", "top-k-literal", "km", "km-lexicographic", "greedy"]
Events = Annotated[int, Field(ge=0, le=10_000)]


class TaFplSettings(LearnerSettings):
    """All hyperparameters of TA-FPL, checked. Symbols are those of ``docs/ta_fpl.md``."""

    agent = "ta-fpl"

    strategy: StrategyName = Field(
        description="fedavg, fedprox, feddyn or scaffold: how centres learn together; local: each alone; "
        "central: all records in one place, without privacy"
    )
    rounds: Whole = Field(description="rounds of a run without --steps")
    local_epochs: Whole = Field(description="passes of a centre over its events in a round, E")
    centre_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        description="share of the centres that take part in a round"
    )
    proximal: NonNegative = Field(description="weight of FedProx's term, mu")
    dynamic: Positive = Field(description="weight of FedDyn's terms, alpha")
    personal_epochs: Annotated[int, Field(ge=0, le=1_000)] = Field(
        description="passes of a centre over its events after the last round, for itself"
    )
    personal_learning_rate: Positive = Field(description="learning rate of these passes")

    embedding: Width = Field(description="width of embeddings and hidden layers, d")
    heads: Annotated[int, Field(ge=1, le=64)] = Field(description="heads of each attention layer")
    recent: Annotated[int, Field(ge=1, le=1_000)] = Field(description="recent events that the context encoder sees, M")
    in_category: Annotated[int, Field(ge=0, le=1_000)] = Field(
        description="latest events of a category that the in-category encoder sees, L_c; 0: it is left out"
    )
    history_share: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Field(
        description="weight of the shares of a worker's whole history in the prediction of categories, eta"
    )
    share_scale: NonNegative = Field(
        description="weight of these shares in what the gate expects after the latest category, sigma"
    )
    top_categories: Annotated[int, Field(ge=1, le=1_000)] = Field(
        description="likeliest categories that the gate lets through, k"
    )
    memory_rows: Whole = Field(description="rows of the memory for each category, F")
    neighbours: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        description="rows of the memory that count for a worker, f; 0: there is no memory"
    )
    dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Field(
        description="share of the hidden units that training leaves out"
    )

    learning_rate: Positive = Field(description="learning rate of Adam")
    batch_size: Whole = Field(description="events in a step of the optimiser")
    max_gradient_norm: Positive = Field(description="largest norm of a gradient; longer gradients are scaled down")
    category_weight: NonNegative = Field(description="weight of the loss of categories, lambda")
    negatives: Whole = Field(description="places drawn against the true one where the softmax is sampled, n")
    exact_below: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        description="number of places below which the softmax is exact"
    )
    validation_events: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="last events of each worker that choose the best round and are not learnt from"
    )
    held_out_events: Events = Field(
        description="last events of each worker that nothing is learnt or chosen from, for measurements"
    )
    matching: MatchingName = Field(description="how a trained agent matches workers and tasks")
    matched_best: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="best tasks of a worker, and workers of a task, that count in a top-k matching"
    )

    @classmethod
    def load(cls, environment: str, **keywords: object) -> Self:
        """See `LearnerSettings.load`."""
        settings = super().load(environment, **keywords)
        if settings.embedding % settings.heads:
            raise ConfigError(
                f"embedding must be a multiple of heads, got embedding = {settings.embedding} "
                f"with heads = {settings.heads}"
            )
        return settings

    @property
    def usual_steps(self) -> int:
        """The rounds. A round counts as one step."""
        return self.rounds

    @property
    def pools_records(self) -> bool:
        """Only for ``central``."""
        return self.strategy == "central"
