"""The influence of an action by a variational autoencoder (CAFE paper, equations 1 to 4 and figure 5).

The influence of agent i is the conditional mutual information I(z; a_i | o, a_-i), estimated by the KL divergence from
q(z | o, a_-i) to q(z | o, a_i, a_-i): how much the belief about what happens to the payments near the agent changes
when its action becomes known. The encoder has the structure of the critic, on an observation with four more columns:

    T_optional: "others", a third of the number of other agents that choose the candidate at this step
                "own", 1 for the candidate that the agent itself chooses
    w_self:     "known", 1 if the agent's own action is given; "hold", 1 if it is given and holds

The paper draws two encoders. Here one learns both distributions: in half of the samples the own action is left out
(known = own = hold = 0). So an action without influence on z has a divergence of exactly 0.

Shapes: M decisions, F numbers of an observation, K candidates, L latents, Y targets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.learner import NetworkLearner, ValueNormaliser
from crowdgym.agents.learning.networks import AttentionTrunk, Critic
from crowdgym.agents.learning.rollout import Floats, Integers
from crowdgym.common.layout import ObservationLayout, ObservationSet
from crowdgym.configs.influence import InfluenceSettings

Counterfactual = Literal["policy", "hold"]

OWN_ACTION: Final = ("own", "known", "hold")  # the columns of the agent's own action
_CROWD: Final = 3.0  # other agents that count as 1 in the column "others"
_LEAST_LOG, _MOST_LOG = -6.0, 3.0  # limits of log σ of z
_CHUNK = 4096  # decisions in one pass without gradients


@dataclass(frozen=True)
class Choices:
    """The decisions of a rollout, with what other agents chose at the same steps.

    Attributes:
        observations: [M, F].
        others: [M, K], how many other agents choose each candidate.
        actions: [M]; 0 holds.
    """

    observations: NDArray[np.float32]
    others: Integers
    actions: Integers


class Gaussian(NamedTuple):
    """Independent normal distributions of z, [M, L]."""

    mean: Tensor
    log_deviation: Tensor


def divergence(one: Gaussian, other: Gaussian) -> Tensor:
    """KL(one ‖ other), [M], summed over the latents; exactly 0 if both are equal."""
    log_ratio = one.log_deviation - other.log_deviation
    distance = (one.mean - other.mean) * (-other.log_deviation).exp()
    return (0.5 * ((2.0 * log_ratio).exp() + distance.square() - 1.0) - log_ratio).sum(dim=1)


class JointLayout:
    """Observations with columns for actions.

    Args:
        sets: the sets of an observation.
        action_set: the set of the candidates.

    Attributes:
        sets: the sets with the new columns.
    """

    def __init__(self, sets: Sequence[ObservationSet], action_set: str) -> None:
        self._given = tuple(sets)
        self._of_candidates = next(i for i, part in enumerate(sets) if part.name == action_set)
        self._of_agent = next(i for i, part in enumerate(sets) if part.rows == 1 and part.name != action_set)
        own, known, hold = OWN_ACTION
        more = {self._of_candidates: ("others", own), self._of_agent: (known, hold)}
        self.sets = ObservationLayout.of(
            (part.name, part.rows, (*part.features, *more.get(i, ()))) for i, part in enumerate(sets)
        ).sets

    def fill(self, observations: Tensor, others: Tensor, actions: Tensor, known: Tensor) -> Tensor:
        """The observations, [M, F + 2 K + 2], of agents whose own action is given where ``known``, [M], is 1."""
        numbers = torch.arange(1, others.shape[1] + 1, device=actions.device)
        own = (actions.unsqueeze(1) == numbers) * known.unsqueeze(1)  # [M, K]
        hold = (actions == 0) * known
        more = {
            self._of_candidates: torch.stack([others / _CROWD, own], dim=2),  # [M, K, 2]
            self._of_agent: torch.stack([known, hold], dim=1).unsqueeze(1),  # [M, 1, 2]
        }
        parts = [part.take(observations) for part in self._given]
        filled = [torch.cat([part, more[i].float()], dim=2) if i in more else part for i, part in enumerate(parts)]
        return torch.cat([part.flatten(1) for part in filled], dim=1)


class InfluenceModel(nn.Module):
    """Encoder, decoder and the deviation σ_y of the targets."""

    def __init__(self, sets: Sequence[ObservationSet], settings: InfluenceSettings, targets: int) -> None:
        super().__init__()
        self.encoder = Critic(sets, settings, 2 * settings.latents)
        self.decoder = nn.Sequential(
            nn.Linear(settings.latents, settings.hidden), nn.ReLU(), nn.Linear(settings.hidden, targets)
        )
        self.log_deviation = nn.Parameter(torch.zeros(targets))
        self.forget_own_action()

    def forget_own_action(self) -> None:
        """Set all weights of the agent's own action to 0: no action has an influence before the model has learnt."""
        trunk = self.encoder.trunk
        sets = trunk.scaling.sets
        if isinstance(trunk, AttentionTrunk):
            of_agent = [feature for i in trunk.own for feature in sets[i].features]
            layers: list[tuple[nn.Module, list[str]]] = [(trunk.embed_own, of_agent)]
            layers += [(trunk.embed[name], list(sets[i].features)) for name, i in trunk.others.items()]
        else:
            layers = [(trunk.mlp[0], [feature for part in sets for feature in part.rows * part.features])]
        for layer, features in layers:
            layer.get_parameter("weight").data[:, [feature in OWN_ACTION for feature in features]] = 0.0

    def encode(self, inputs: Tensor) -> Gaussian:
        """The distribution of z, from inputs as `JointLayout.fill` makes them."""
        mean, log_deviation = self.encoder(inputs).chunk(2, dim=1)
        return Gaussian(mean, log_deviation.clamp(_LEAST_LOG, _MOST_LOG))

    def decode(self, latent: Tensor) -> Tensor:
        """The expected targets, [M, Y], in standard deviations."""
        return cast(Tensor, self.decoder(latent))

    def loss(self, inputs: Tensor, wanted: Tensor, noise: Tensor, kl_weight: float) -> Tensor:
        """The negative of equation 4, with a weight β: E[(y − ŷ)² / 2σ_y² + log σ_y] + β KL(q ‖ N(0, 1)).

        Args:
            inputs: of M decisions.
            wanted: y, [M, Y], in standard deviations.
            noise: [M, L], of the standard normal distribution.
            kl_weight: β.
        """
        believed = self.encode(inputs)
        found = self.decode(believed.mean + believed.log_deviation.exp() * noise)
        errors = (wanted - found).square() * (-2.0 * self.log_deviation).exp() / 2.0 + self.log_deviation
        prior = Gaussian(torch.zeros_like(believed.mean), torch.zeros_like(believed.mean))
        return errors.sum(dim=1).mean() + kl_weight * divergence(believed, prior).mean()


class InfluenceLearner(NetworkLearner):
    """The model, its optimiser and the scale of its targets.

    Args:
        sets: the sets of an observation.
        settings: hyperparameters.
        seed: seed of the initial weights.
        targets: Y.
        device: device of the model.
    """

    def __init__(
        self,
        sets: Sequence[ObservationSet],
        settings: InfluenceSettings,
        seed: int,
        targets: int = 1,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.settings, self.device = settings, device
        self.layout = JointLayout(sets, settings.action_set or "")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = InfluenceModel(self.layout.sets, settings, targets).to(device)
        self.networks["influence"] = self.model
        self.optimisers["influence"] = torch.optim.Adam(self.model.parameters(), settings.encoder_learning_rate)
        self.normaliser = ValueNormaliser(settings.target_memory, targets)

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` has been called in this run."""
        return bool(self.normaliser.sums.any())

    def fit(self, choices: Choices, targets: Floats, generator: np.random.Generator) -> Mapping[str, float]:
        """Learn to predict targets, [Y, M], with and without the agent's own action.

        Returns:
            The share of the targets' variance that the model explained before it has seen these decisions, with the
            action known and without; nothing at the first call.
        """
        settings = self.settings
        figures = self._explained(choices, targets) if self.is_fitted else {}
        passes = settings.encoder_passes if self.is_fitted else settings.encoder_first_passes
        if not self.is_fitted:  # the new columns are 0 here, so they are not scaled
            self.model.encoder.trunk.scaling.fit(self._without_actions(choices))
        self.normaliser.update(targets)
        wanted = self._tensor(((targets - self.normaliser.mean) / self.normaliser.deviation).T)
        seen, others, actions = self._tensors(choices)
        pieces = max(1, round(len(choices.actions) / settings.encoder_minibatch_size))
        for _ in range(passes):
            for chosen in np.array_split(generator.permutation(len(choices.actions)), pieces):
                known = self._tensor(generator.random(len(chosen)) < 0.5)
                noise = self._tensor(generator.standard_normal((len(chosen), settings.latents)))
                numbers = torch.from_numpy(chosen).to(self.device)
                inputs = self.layout.fill(seen[numbers], others[numbers], actions[numbers], known)
                loss = self.model.loss(inputs, wanted[numbers], noise, settings.kl_weight)
                self.optimisers["influence"].zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimisers["influence"].step()
        return figures

    def influence(self, choices: Choices, counterfactual: Counterfactual) -> Floats:
        """CMI of each decision, [M], equation 3, cut off at ``largest_influence``.

        Args:
            choices: the decisions.
            counterfactual: what the agent's action is compared with: the action is unknown ("policy": a mixture of all
                actions, as the policies of the fitted rollouts chose them), or it holds ("hold": 0 for who holds).
        """
        found = [divergence(given, other) for given, other in self._beliefs(choices, counterfactual)]
        influence: Floats = torch.cat(found).clamp(0.0, self.settings.largest_influence).double().cpu().numpy()
        return influence

    def expected_effect(self, choices: Choices, counterfactual: Counterfactual) -> Floats:
        """The difference of the expected targets, [Y, M], in their units: with the action less without it."""
        with torch.no_grad():
            found = [
                self.model.decode(given.mean) - self.model.decode(other.mean)
                for given, other in self._beliefs(choices, counterfactual)
            ]
        effect: Floats = torch.cat(found).double().cpu().numpy().T * self.normaliser.deviation
        return effect

    def tensors(self) -> dict[str, Tensor]:
        """See `NetworkLearner`."""
        return super().tensors() | {"targets": torch.from_numpy(self.normaliser.sums)}

    def restore(self, stored: StoredTensors) -> None:
        """See `NetworkLearner`."""
        super().restore(stored)
        self.normaliser.sums = stored.get("targets").numpy().copy().reshape(self.normaliser.sums.shape)

    def _beliefs(self, choices: Choices, counterfactual: Counterfactual) -> list[tuple[Gaussian, Gaussian]]:
        """For each chunk of decisions q(z | o, a_i, a_-i), and what it is compared with."""
        found = []
        with torch.no_grad():
            for seen, others, actions in zip(
                *(torch.split(part, _CHUNK) for part in self._tensors(choices)), strict=True
            ):
                known = torch.ones(len(actions), device=self.device)
                given = self.model.encode(self.layout.fill(seen, others, actions, known))
                if counterfactual == "policy":
                    known = torch.zeros_like(known)
                other = self.layout.fill(seen, others, torch.zeros_like(actions), known)
                found.append((given, self.model.encode(other)))
        return found

    def _explained(self, choices: Choices, targets: Floats) -> Mapping[str, float]:
        with torch.no_grad():
            beliefs = self._beliefs(choices, "policy")
            found = [torch.cat([self.model.decode(pair[i].mean) for pair in beliefs]) for i in range(2)]
        wanted = ((targets - self.normaliser.mean) / self.normaliser.deviation).T
        errors = [(wanted - each.double().cpu().numpy()).var(axis=0) for each in found]
        known, dropped = (1.0 - error / np.maximum(wanted.var(axis=0), 1e-12) for error in errors)
        return {"source/explained_known": float(known.mean()), "source/explained_dropped": float(dropped.mean())}

    def _without_actions(self, choices: Choices) -> Tensor:
        seen, others, actions = self._tensors(choices)
        return self.layout.fill(seen, torch.zeros_like(others), actions, torch.zeros(len(actions), device=self.device))

    def _tensors(self, choices: Choices) -> tuple[Tensor, Tensor, Tensor]:
        actions = torch.from_numpy(choices.actions).to(self.device)
        return self._tensor(choices.observations), self._tensor(choices.others), actions

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self.device)
