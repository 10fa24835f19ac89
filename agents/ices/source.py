"""ICES (Li et al., "Individual contributions as intrinsic exploration scaffolds", 2024) as a reward source for IPPO.

ICES rewards an exploration policy for the Bayesian surprise that an agent's action causes: r_int = 1 − exp(−KL), the
divergence between beliefs about the change of the state with and without the action. **Adapted**, since its state and
its embeddings of all agents do not scale to 350 agents, and since there is one policy here:

- the beliefs are those of `crowdgym.agents.cafe.influence`; they predict how the candidates change up to the next step,
  on average over the candidates, in place of the change of the whole state;
- r_int is a bonus on the reward of the only policy, with a weight that falls to 0, in place of the reward of a second
  policy that acts with a probability.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from crowdgym.agents.cafe.influence import Choices, InfluenceLearner
from crowdgym.agents.csc.projection import CANDIDATES, Projector
from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.rewards import PassResult
from crowdgym.agents.learning.rollout import Floats, Integers, Rollout
from crowdgym.common.layout import ObservationLayout, ObservationSet
from crowdgym.configs.ices import IcesSettings

CHANGING: Final = ("work_left", "payment_now", "workers_present", "workers_en_route")  # the same for every observer


class IcesSource:
    """The environment's reward in mean payments, and a bonus for surprising actions.

    Args:
        settings: hyperparameters.
        sets: the sets of the rows in a rollout.
        projector: works out who chooses what.
        seed: seed of the initial weights.
        device: device of the model.
    """

    name = "ices"
    signals: tuple[str, ...] = (CANDIDATES,)
    term_names = ("contribution", "exploration")

    def __init__(
        self,
        settings: IcesSettings,
        sets: Sequence[ObservationSet],
        projector: Projector,
        seed: int,
        device: str = "cpu",
    ) -> None:
        self.settings, self.projector = settings, projector
        self._optional = ObservationLayout(tuple(sets))["T_optional"]
        self.autoencoder = InfluenceLearner(sets, settings, seed, len(CHANGING), device)
        self._figures: dict[str, float] = {}
        self._bonus: Floats
        self._weight = 0.0

    def fit(self, rollout: Rollout, generator: np.random.Generator, progress: float) -> None:
        """Fit the autoencoder and work out the bonus."""
        choices = Choices(rollout.observations, self.projector.project(rollout).others, rollout.actions)
        targets = mean_changes(rollout, self._optional)
        self._figures = dict(self.autoencoder.fit(choices, targets, generator))
        surprise = 1.0 - np.exp(-self.autoencoder.influence(choices, "policy"))
        self._bonus = rollout.at_steps(surprise)
        self._weight = self.settings.exploration_weight * (1.0 - progress)
        kinds = {"hold": rollout.actions == 0, "join": rollout.actions > 0}
        self._figures |= {f"source/surprise_{name}": float(surprise[there].mean()) for name, there in kinds.items()}
        self._figures["source/exploration_weight"] = self._weight

    def terms(self, rollout: Rollout) -> Mapping[str, Floats]:
        """The terms of the rollout that `fit` was given."""
        return {"contribution": rollout.rewards / self.projector.payment_mean, "exploration": self._bonus}

    def weights(self, rollout: Rollout) -> Floats:
        """1, and the present weight of exploration."""
        return np.array([1.0, self._weight])

    def improve(self, result: PassResult) -> None:
        """Nothing."""

    def figures(self) -> Mapping[str, float]:
        """What the autoencoder explains, and the surprise of those who hold and who join."""
        return self._figures

    def tensors(self) -> dict[str, Tensor]:
        """Those of the autoencoder."""
        return self.autoencoder.tensors()

    def restore(self, stored: StoredTensors) -> None:
        """See `RewardSource`."""
        self.autoencoder.restore(stored)


def mean_changes(rollout: Rollout, candidates_of: ObservationSet) -> Floats:
    """How the candidates of each decision change up to the next step, on average over the candidates, [Y, D].

    A task is seen at the next step by agents that decide then; one that none of them sees counts as unchanged.

    Args:
        rollout: the decisions, with the ids of their candidates.
        candidates_of: the set of the candidates in an observation.
    """
    ids: Integers = rollout.at_decisions(CANDIDATES).astype(np.int64)  # [D, K]
    columns = [candidates_of.column(name) for name in CHANGING]
    rows: NDArray[np.float64] = candidates_of.take(rollout.observations)[..., columns].astype(np.float64)  # [D, K, Y]
    there = ids >= 0
    of_step = (rollout.copies * (rollout.num_steps + 1) + rollout.steps)[:, np.newaxis]  # [D, 1]
    most = int(ids.max(initial=0)) + 1
    now, then = of_step * most + ids, (of_step + 1) * most + ids
    keys, first = np.unique(now[there], return_index=True)
    place = np.minimum(np.searchsorted(keys, then), len(keys) - 1)
    seen = there & (keys[place] == then)
    later = rows[there][first][place]  # [D, K, Y]
    changes = np.where(seen[..., np.newaxis], later - rows, 0.0)
    mean: Floats = changes.sum(axis=1) / np.maximum(there.sum(axis=1, keepdims=True), 1)
    return mean.T
