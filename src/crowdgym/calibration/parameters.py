"""What the CAFE paper leaves out of its scenario, and between which bounds each number is plausible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdgym.configs.csc import CscSettings

WORKLOAD = "workload_mean_s"
PENALTY = "penalty_per_s"
PENALTY_SHARE = "penalty_share"  # in place of the penalty rate: of the payment, over a mean workload


@dataclass(frozen=True)
class Parameter:
    """A number to be fitted.

    Attributes:
        name: of the keyword of ``csc_v0``, or `PENALTY_SHARE`.
        low: lower bound.
        high: upper bound.
        start: where a search begins.
        plausible: why the bounds are what they are.
        is_ratio: whether it is searched by ratios (logarithms) instead of differences.
    """

    name: str
    low: float
    high: float
    start: float
    plausible: str
    is_ratio: bool = True

    def to_unit(self, value: float) -> float:
        """From 0 at the lower bound to 1 at the upper."""
        if self.is_ratio:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, share: float) -> float:
        """The reverse of `to_unit`; kept within the bounds."""
        share = min(1.0, max(0.0, share))
        if self.is_ratio:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + (self.high - self.low) * share


# The mean payment is not among them: revenues are in proportion to it, and neither policy looks at its scale, so the
# best one follows from the others.
PARAMETERS = (
    Parameter("horizon_s", 5_000, 20_000, 12_400, "an afternoon's work: one and a half to five and a half hours"),
    Parameter("step_s", 15, 120, 60, "a platform that assigns in batches, every quarter of a minute to two minutes"),
    Parameter("window_s", 600, 7_200, 1_800, "tasks of the busiest ten minutes to two hours"),
    Parameter(WORKLOAD, 300, 4_000, 2_170, "work of five minutes to somewhat over an hour for one worker"),
    Parameter("workload_log_sd", 0.2, 1.0, 0.6, "from much alike to one in six 2.7 times the median", is_ratio=False),
    Parameter("expected_factor", 0.4, 2.0, 0.97, "expected after 0.4 to 2 times what one worker alone would need"),
    Parameter("deadline_factor", 0.5, 4.0, 2.47, "due 0.5 to 4 such times after that"),
    Parameter(PENALTY_SHARE, 0.2, 1.5, 0.79, "a mean workload's delay costs a fifth to all of the payment"),
    Parameter("payment_log_sd", 0.05, 0.9, 0.4, "from one price to one in six 2.5 times the median", is_ratio=False),
)


def parameters_of(shares: Sequence[float]) -> dict[str, float]:
    """The values of all parameters; ``shares`` as `Parameter.to_unit` has them, in the same order."""
    return {one.name: one.from_unit(share) for one, share in zip(PARAMETERS, shares, strict=True)}


def keywords_of(parameters: Mapping[str, float]) -> dict[str, float]:
    """Keywords of ``csc_v0``: the parameters, with the penalty rate in place of its share."""
    keywords = {name: value for name, value in parameters.items() if name != PENALTY_SHARE}
    keywords[PENALTY] = parameters[PENALTY_SHARE] / parameters[WORKLOAD]
    return keywords


def rounded(keywords: Mapping[str, float]) -> dict[str, float]:
    """To three digits, as a scenario has them: more would claim to know more."""
    return {name: float(f"{value:.3g}") for name, value in keywords.items()}


def settings_of(city: str, num_workers: int, num_tasks: int, keywords: Mapping[str, float]) -> CscSettings:
    """The settings of a point of the tables, on the city drawn after the paper's."""
    values: dict[str, Any] = dict(keywords)
    return CscSettings.load(scenario=f"{city}-synth", num_workers=num_workers, num_tasks=num_tasks, **values)
