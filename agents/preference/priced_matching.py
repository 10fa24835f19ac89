"""A matching of ours whose parameters a search finds: a worker's second has a price, and a task may be held back."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.preference.matching import max_weight
from crowdgym.agents.preference.observation_reader import OfferState, Reader
from crowdgym.agents.preference.policies import ANSWER_WEIGHT, estimated_acceptance
from crowdgym.agents.preference.sources import HistoryShareSource, PreferenceSource
from crowdgym.agents.row_policy import Parameters, RowPolicy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NAMES: Final = ("level", "scarcity", "time_left", "hold", "hold_last", "hold_rivals", "answers")
PARAMETERS: Final = Parameters(
    NAMES, start=np.array([*np.zeros(len(NAMES) - 1), ANSWER_WEIGHT]), scale=np.ones(len(NAMES))
)

_PRICE_UNIT: Final = 5e-4  # tasks a second
_HOLD_UNIT: Final = 0.2  # tasks
_USUAL_LEFT_S: Final = 300.0  # that a task stays open
_DECLINED: Final = 2  # the outcome of an offer in the infos


class PricedMatchingPolicy(RowPolicy):
    """Makes the offers of the largest total gain at every epoch, and none of a gain below 0.

    The gain of offering task s, which has o offers left, to worker w:

        a (1 − λ (d / v + D)) + (1 − a) (V(o − 1) − λ P) − V(o)        V(0) = 0

    a is the estimated probability of acceptance, d / v + D how long the worker would be busy, P its pause after a
    decline, λ the price of a second of any worker, and V(o) what an open task with o offers left is worth if it waits:

        λ    = 5·10⁻⁴ (level + scarcity · log(tasks in reach / idle workers) + time_left · share of the episode left)
        V(o) = 0.2 · min(1, seconds until expiry / 300) · (hold + hold_last · [o = 1] + hold_rivals · log10(rivals))

    ``answers`` is the weight of an answer in a (`estimated_acceptance`), 0 if it is negative. A search begins where the
    others are 0: there gains are estimated acceptances, so it plays as `AnswersKmPolicy`.

    Args:
        source: of the preferences; the shares of histories by default.
    """

    reads = ("candidates", "outcome")

    def __init__(self, source: PreferenceSource | None = None) -> None:
        self.source: PreferenceSource = source or HistoryShareSource()
        self.parameters = PARAMETERS
        self._values = PARAMETERS.start

    def set_parameters(self, values: Floats) -> None:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        self._values = self.parameters.checked(values)

    def begin(self, copies: int, agents: int, width: int, metadata: Mapping[str, Any]) -> None:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        self._reader = Reader(metadata, width)
        self._rules: Mapping[str, Any] = metadata["rules"]
        self._offered = np.full((copies, agents), -1)  # the task of the latest offer, -1 for none
        self._declines = [np.zeros(0, np.int64) for _ in range(copies)]  # of each task so far

    def choose(self, observations: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> Ints:
        """See `crowdgym.agents.row_policy.RowPolicy`."""
        actions = np.zeros(self._offered.shape, np.int64)
        for b, seen in enumerate(observations):
            state = self._reader.read(seen, infos["candidates"][b].astype(np.int64, copy=False))
            self._note_declines(b, infos["outcome"][b], state.candidates)
            actions[b] = self._match(state, self._declines[b])
            slot = np.maximum(actions[b] - 1, 0)[:, np.newaxis]
            asked = np.take_along_axis(state.candidates, slot, axis=1)[:, 0]
            self._offered[b] = np.where(actions[b] > 0, asked, -1)
        return actions

    def _note_declines(self, b: int, outcome: NDArray[Any], candidates: Ints) -> None:
        """Count the answers to the latest offers. The table grows with the largest task that was seen."""
        missing = int(candidates.max()) + 1 - len(self._declines[b])
        if missing > 0:
            self._declines[b] = np.concatenate([self._declines[b], np.zeros(missing, np.int64)])
        answered = self._offered[b][(outcome == _DECLINED) & (self._offered[b] >= 0)]
        np.add.at(self._declines[b], answered, 1)

    def _match(self, state: OfferState, declines: Ints) -> Ints:
        """The actions of one copy. Shape [W]."""
        there = state.candidates >= 0
        if not there.any():
            return np.zeros(len(there), np.int64)
        accepts = estimated_acceptance(self.source.preferences(state), state, self._rules, max(0.0, self._values[6]))
        left = self._rules["max_offers"] - declines[np.maximum(state.candidates, 0)]
        gain = self._gain(accepts, left, state, self._price_per_s(state))
        wanted = there & (gain > 0)
        return max_weight(np.where(wanted, gain, 0.0), np.where(wanted, state.candidates, -1))

    def _price_per_s(self, state: OfferState) -> float:
        """λ."""
        level, scarcity, time_left = self._values[:3]
        tasks = len(np.unique(state.candidates[state.candidates >= 0]))
        crowd = np.log(tasks / max(int(state.idle.sum()), 1))
        return float(_PRICE_UNIT * (level + scarcity * crowd + time_left * self._share_left(state)))

    def _share_left(self, state: OfferState) -> float:
        return 1.0 - state.elapsed_s / float(self._rules["horizon_s"])

    def _gain(self, accepts: Floats, left: Ints, state: OfferState, price_per_s: float) -> Floats:
        """The gain of each offer. ``left``: the offers that each candidate has left. Shape [W, K]."""
        busy_s = state.distance_m / self._rules["speed_mps"] + self._rules["service_s"]
        hold, hold_last, hold_rivals = self._values[3:6]
        usual = hold + hold_rivals * np.log10(np.maximum(state.rivals, 1.0))
        waiting = _HOLD_UNIT * np.minimum(1.0, state.until_expiry_s / _USUAL_LEFT_S)
        worth = waiting * (usual + hold_last * (left <= 1))
        worth_after = np.where(left <= 1, 0.0, waiting * (usual + hold_last * (left == 2)))
        pause = price_per_s * self._rules["decline_cooldown_s"]
        gain: Floats = accepts * (1.0 - price_per_s * busy_s) + (1.0 - accepts) * (worth_after - pause) - worth
        return gain
