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
        plausible: why the bounds are what they are.
        is_ratio: whether it is searched by ratios (logarithms) instead of differences.
    """

    name: str
    low: float
    high: float
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
    Parameter("horizon_s", 6_000, 14_400, "part of a working day: one and a half to four hours"),
    Parameter("step_s", 10, 120, "a platform that assigns in batches, every ten seconds to two minutes"),
    Parameter("window_s", 900, 7_200, "tasks of the busiest quarter of an hour to two hours"),
    Parameter("spread_m", 0, 2_000, "where orders were, to all over the districts around", is_ratio=False),
    Parameter(WORKLOAD, 300, 7_200, "work of five minutes to two hours for one worker"),
    Parameter("workload_log_sd", 0.2, 1.1, "much alike, to one in six 3 times the median", is_ratio=False),
    Parameter("expected_factor", 0.3, 2.0, "expected after 0.3 to 2 times what a worker alone would need"),
    Parameter("deadline_factor", 0.5, 6.0, "due 0.5 to 6 such times after that"),
    Parameter(PENALTY_SHARE, 0.2, 2.0, "half to five mean workloads late, nothing is paid any more"),
    # The paper's revenues of 50 tasks vary by 2 to 3 %, which even a third of the upper bound makes.
    Parameter("payment_log_sd", 0.05, 0.5, "one price, to one in six 1.6 times the median", is_ratio=False),
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
