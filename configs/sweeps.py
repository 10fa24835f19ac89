"""The format of the plan of a sweep, a YAML file: which hyperparameters of a learner are searched, and how."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag, model_validator

from crowdgym.configs.documents import Checked, read_document
from crowdgym.configs.suites import Count, Finite, Name, Scalar, Values

MOST_TRIALS = 100_000


class Range(Checked):
    """The numbers from ``low`` to ``high``, both included; whole numbers if both are whole.

    Attributes:
        low: the least value.
        high: the largest value.
        log: whether values are drawn by their logarithm.
    """

    low: int | Finite
    high: int | Finite
    log: bool = False

    @model_validator(mode="after")
    def _is_ordered(self) -> "Range":
        if not self.low < self.high:
            raise ValueError("a range whose low is less than its high")
        if self.log and self.low <= 0:
            raise ValueError("a range above 0, since log is true")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Choices(Checked):
    """One of a few values.

    Attributes:
        choices: the values.
    """

    choices: Values


def _kind_of(value: object) -> str:
    has_choices = isinstance(value, Choices) or (isinstance(value, dict) and "choices" in value)
    return "<choices>" if has_choices else "<range>"


Searched = Annotated[
    Annotated[Range, Tag("<range>")] | Annotated[Choices, Tag("<choices>")],
    Discriminator(_kind_of),
]


def _at_least_one(search: dict[str, Any]) -> dict[str, Any]:
    if not search:
        raise ValueError("a mapping of at least one name to what is searched")
    return search


class SweepSettings(Checked):
    """A sweep: trials of a learner, each with other values of some settings.

    Attributes:
        about: one line of description.
        environment: such as "csc_v0".
        scenario: as in ``crowdgym train``; None: the default of the environment.
        settings: keywords of the environment and hyperparameters that are the same in all trials.
        mix: see ``crowdgym train --mix``.
        steps: of the environment, in every training run.
        training_seeds: every trial trains once with each; its score is the mean.
        search: by name, the keywords and hyperparameters that are searched.
        trials: how many there are.
        together: trials that are chosen before any of them is finished. The sweep depends on it, and not on how many
            run at the same time.
        seed: of the choice of values.
        prune: whether a trial ends early when its evaluation is below the median of the finished trials at the same
            iteration.
    """

    about: Name = "a sweep of your own"
    environment: Name
    scenario: Name | None = None
    settings: dict[str, Scalar] = Field(default_factory=dict)
    mix: dict[str, Values] = Field(default_factory=dict)
    steps: Annotated[int, Field(ge=1)]
    training_seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Strict(False), Field(min_length=1)] = (0,)
    search: Annotated[dict[str, Searched], AfterValidator(_at_least_one)]
    trials: Annotated[Count, Field(le=MOST_TRIALS)] = 20
    together: Annotated[int, Field(ge=1, le=1_000)] = 4
    seed: Annotated[int, Field(ge=0)] = 0
    prune: bool = True

    @model_validator(mode="after")
    def _no_name_twice(self) -> "SweepSettings":
        both = next((name for name in self.search if name in self.settings or name in self.mix), None)
        if both is not None:
            raise ValueError(f"{both} must be either in search or in settings, got both")
        return self


def read_sweep(file: Path) -> SweepSettings:
    """Read the plan of a sweep.

    Raises:
        ConfigError: it cannot be read, or is no plan. The message says where, and what was expected.
    """
    return read_document(SweepSettings, file, "plan")
