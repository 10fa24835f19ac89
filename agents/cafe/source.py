"""CAFE's reward: r = Σ φ_k x_k of the influence of an action and a constant (paper, equation 5), learnt as it goes.

An iteration: fit the autoencoder, work out the terms, refine φ if the run has come that far (equation 19); then, after
each pass of the policy, one step of φ (equation 14).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.func import functional_call

from crowdgym.agents.cafe.influence import Choices, InfluenceLearner
from crowdgym.agents.cafe.outer import (
    ImplicitGradient,
    InnerLevel,
    credit_gradient,
    credit_loss,
    revenue_gradient,
    shaped_gradient,
    solve_by_conjugate_gradients,
    solve_exactly,
)
from crowdgym.agents.cafe.refinement import refined_by_group
from crowdgym.agents.csc.projection import CANDIDATES, Projection, Projector
from crowdgym.agents.learning.advantages import weighted_sum
from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.learner import NetworkLearner, ValueNormaliser
from crowdgym.agents.learning.rewards import PassResult
from crowdgym.agents.learning.rollout import Floats, Integers, Rollout
from crowdgym.common.layout import ObservationSet
from crowdgym.configs.cafe import CafeSettings

TERMS: Final = {
    "narrow": ("influence", "constant"),
    "wide": ("influence", "constant", "effect", "contribution"),
}
_LAYERS: Final = {"last": ("head.", "score."), "scoring": ("head.", "score.", "of_candidate.", "of_context.")}


class Weights(nn.Module):
    """φ, [K]: at first the influence alone counts. Of terms that are scaled to sums of about 1."""

    def __init__(self, num_terms: int) -> None:
        super().__init__()
        self.phi = nn.Parameter(torch.zeros(num_terms, dtype=torch.float64))
        self.phi.data[0] = 1.0


@dataclass(frozen=True)
class _Iteration:
    """What has been worked out for the present rollout: C copies, D decisions, K terms.

    Attributes:
        terms: by name, [T, R].
        sums: X, [C, K].
        wanted: ηR, [C].
        refined: φ* of each copy, [C, K], or None before the refinement begins.
        copies: the copy of each decision, [D].
        generator: generator of the draws of this iteration.
    """

    terms: Mapping[str, Floats]
    sums: Floats
    wanted: Floats
    refined: Floats | None
    copies: Integers
    generator: np.random.Generator


class CafeSource(NetworkLearner):
    """The reward source of CAFE, CA-noFE and cafe-revenue, which differ by their settings. Plays ``csc_v0`` only.

    ``influence`` is at each decision, ``constant`` is at every step of every agent: paid for each decision, it would
    reward holding, since who holds decides again at the next step. ``effect`` is the expected change of the payments
    nearby, ``contribution`` the environment's reward, which has to sum to the revenue. Each term is scaled by the mean
    absolute value of its sum.

    Args:
        settings: hyperparameters.
        sets: the sets of an observation.
        projector: works out what choices add to payments.
        seed: seed of the initial weights of the autoencoder.
        device: device of the autoencoder.
    """

    name = "cafe"
    signals: tuple[str, ...] = (CANDIDATES,)

    def __init__(
        self,
        settings: CafeSettings,
        sets: Sequence[ObservationSet],
        projector: Projector,
        seed: int,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.settings = settings
        self.projector = projector
        self.autoencoder = InfluenceLearner(sets, settings, seed, device=device)
        self.term_names = TERMS[settings.terms]
        self.weights_of_terms = Weights(len(self.term_names))
        self.networks["weights"] = self.weights_of_terms
        self.optimisers["weights"] = torch.optim.Adam(
            self.weights_of_terms.parameters(), settings.phi_learning_rate, maximize=True
        )
        self.scale = ValueNormaliser(settings.target_memory, len(self.term_names))  # of absolute sums
        self._figures: dict[str, float] = {}
        self._now: _Iteration

    @property
    def phi(self) -> Floats:
        """φ̂, [K]."""
        phi: Floats = self.weights_of_terms.phi.detach().numpy().copy()
        return phi

    def fit(self, rollout: Rollout, generator: np.random.Generator, progress: float) -> None:
        """Fit the autoencoder and work out the terms; refine φ if ``progress`` has come to ``refine_from``."""
        projection = self.projector.project(rollout)
        choices = Choices(rollout.observations, projection.others, rollout.actions)
        wanted = projection.increment if self.settings.target == "increment" else projection.realised
        self._figures = dict(self.autoencoder.fit(choices, wanted[np.newaxis], generator))
        influence = self.autoencoder.influence(choices, self.settings.counterfactual)
        terms = self._unscaled_terms(rollout, choices, influence)
        sums = np.stack([_sums_of_copies(term, rollout) for term in terms], axis=1)  # [C, K]
        self.scale.update(np.abs(sums).T)
        scale = np.where(self.scale.mean > 0, self.scale.mean, 1.0)[:, 0]  # [K]
        terms = [term / each for term, each in zip(terms, scale, strict=True)]
        sums = sums / scale
        earned = projection.revenue / self.projector.payment_mean / rollout.num_agents  # [C]
        refined = self._refined(sums, earned, rollout.groups) if progress >= self.settings.refine_from else None
        by_name = dict(zip(self.term_names, terms, strict=True))
        self._now = _Iteration(by_name, sums, earned, refined, rollout.copies, generator)
        self._figures |= {"source/phi_at_least": 0.0, **_influence_figures(influence, projection, rollout)}
        self._figures |= {f"source/scale_{name}": each for name, each in zip(self.term_names, scale, strict=True)}

    def terms(self, rollout: Rollout) -> Mapping[str, Floats]:
        """The terms of the rollout that `fit` was given."""
        return self._now.terms

    def weights(self, rollout: Rollout) -> Floats:
        """φ̂, [K], or φ* of each copy, [C, K]."""
        return self.phi if self._now.refined is None else self._now.refined

    def improve(self, result: PassResult) -> None:
        """One step of φ̂ up dF/dφ = dJ/dφ − dL_Λ/dφ, equation 14."""
        found = self._implicit_gradient(result)
        of_credit = credit_gradient(self.phi, self._now.sums, self._now.wanted)
        self.weights_of_terms.phi.grad = found.of_phi - torch.from_numpy(of_credit)
        self.optimisers["weights"].step()
        self._keep_influence_rewarded()
        self._note(result, found, of_credit)

    def figures(self) -> Mapping[str, float]:
        """The path of φ, the influence by kinds of decisions, and diagnostics of the outer level."""
        return self._figures

    def tensors(self) -> dict[str, Tensor]:
        """φ, its optimiser, the autoencoder and the scales."""
        return super().tensors() | self.autoencoder.tensors() | {"scale": torch.from_numpy(self.scale.sums)}

    def restore(self, stored: StoredTensors) -> None:
        """See `RewardSource`."""
        super().restore(stored)
        self.autoencoder.restore(stored)
        self.scale.sums = stored.get("scale").numpy().copy().reshape(self.scale.sums.shape)

    def _unscaled_terms(self, rollout: Rollout, choices: Choices, influence: Floats) -> list[Floats]:
        terms = [rollout.at_steps(influence), np.ones_like(rollout.rewards)]
        if self.settings.terms == "wide":
            effect = self.autoencoder.expected_effect(choices, self.settings.counterfactual)[0]
            terms += [rollout.at_steps(effect), rollout.rewards]
        per_payment = (1.0, 1.0, self.projector.payment_mean, self.projector.payment_mean)
        return [term / each for term, each in zip(terms, per_payment, strict=False)]

    def _refined(self, sums: Floats, wanted: Floats, groups: Integers) -> Floats:
        """φ* of each copy; a group is the copies with the same settings of the environment."""
        refined = refined_by_group(self.phi, sums, wanted, groups, self.settings.refine_damping)
        self._figures["source/refined_at_least"] = float((refined[:, 0] < self.settings.least_influence_weight).any())
        refined[:, 0] = np.maximum(refined[:, 0], self.settings.least_influence_weight)
        self._figures |= {f"source/refined_{name}": value for name, value in self._named(refined.mean(axis=0))}
        return refined

    def _keep_influence_rewarded(self) -> None:
        """Keep φ_1 above its least value: a negative one would teach all agents to hold."""
        least = self.settings.least_influence_weight
        if self.weights_of_terms.phi[0] < least:
            self._figures["source/phi_at_least"] = 1.0
        self.weights_of_terms.phi.data[0].clamp_(min=least)

    def _implicit_gradient(self, result: PassResult) -> ImplicitGradient:
        """dJ/dφ on some of the decisions. Advantages are divided by their deviation, but not centred."""
        settings, decisions = self.settings, result.advantages.shape[1]
        chosen = self._now.generator.permutation(decisions)[: settings.outer_decisions]
        inner, theta = _inner_level(result, torch.from_numpy(chosen), settings)
        terms, phi = torch.from_numpy(result.advantages[:, chosen]), torch.from_numpy(self.phi)
        terms = terms / (phi @ terms).std().clamp(min=1e-8)
        exact = settings.outer_layers == "last"
        solver = solve_exactly(settings.damping) if exact else solve_by_conjugate_gradients
        if settings.outer == "shaped":
            return shaped_gradient(inner, theta, terms, phi, solver)
        revenue = terms[self.term_names.index("contribution")]
        return revenue_gradient(inner, theta, terms, phi, revenue / revenue.std().clamp(min=1e-8), solver)

    def _note(self, result: PassResult, found: ImplicitGradient, of_credit: Floats) -> None:
        self._figures |= {f"source/phi_{name}": value for name, value in self._named(self.phi)}
        self._figures |= {f"source/gradient_j_{name}": value for name, value in self._named(found.of_phi.numpy())}
        self._figures |= {f"source/gradient_credit_{name}": value for name, value in self._named(-of_credit)}
        self._figures |= {
            "source/credit_loss": credit_loss(self.phi, self._now.sums, self._now.wanted),
            "source/damping": found.damping,
            "source/lowest_eigenvalue": found.lowest,
            "source/highest_eigenvalue": found.highest,
        }
        if self._now.refined is not None:
            before, after = (
                weighted_sum(result.advantages, each, self._now.copies) for each in (self.phi, self._now.refined)
            )
            self._figures["source/agreement"] = float(np.corrcoef(before, after)[0, 1])

    def _named(self, values: Floats) -> list[tuple[str, float]]:
        return list(zip(self.term_names, values.tolist(), strict=True))


def _inner_level(result: PassResult, chosen: Tensor, settings: CafeSettings) -> tuple[InnerLevel, Tensor]:
    """The inner level on chosen decisions, in double precision, and the present θ^l: ψ is 1 there."""
    actor = deepcopy(result.actor).double().cpu().requires_grad_(False)
    names = [name for name, _ in actor.named_parameters() if name.startswith(_LAYERS[settings.outer_layers])]
    present = {name: actor.get_parameter(name) for name in names}
    shapes = [tensor.shape for tensor in present.values()]
    sizes = [tensor.numel() for tensor in present.values()]
    batch = result.batch
    seen, masks, actions = (
        each[chosen.to(each.device)].cpu() for each in (batch.observations, batch.masks, batch.actions)
    )

    def log_policy(theta: Tensor) -> Tensor:
        parts = [part.reshape(shape) for part, shape in zip(torch.split(theta, sizes), shapes, strict=True)]
        found: Tensor = functional_call(actor, dict(zip(names, parts, strict=True)), (seen.double(), masks))
        return found

    theta = torch.cat([tensor.flatten() for tensor in present.values()])
    inner = InnerLevel(
        log_policy=log_policy,
        masks=masks,
        actions=actions,
        reference=log_policy(theta).gather(1, actions.unsqueeze(1)).squeeze(1),
        before=torch.cat([result.before[name].double().cpu().flatten() for name in names]),
        entropy_weight=settings.entropy_coefficient,
        proximal_weight=settings.proximal_weight,
    )
    return inner, theta


def _sums_of_copies(term: Floats, rollout: Rollout) -> Floats:
    """The sum of a term over steps and agents, divided by the number of agents, [C]."""
    sums: Floats = np.bincount(rollout.copy_of_rows, term.sum(axis=0)) / rollout.num_agents
    return sums


def _influence_figures(influence: Floats, projection: Projection, rollout: Rollout) -> dict[str, float]:
    """The mean influence of who holds, of joins that add payment and of those that add none; ranks of joins."""
    joins = rollout.actions > 0
    useful = joins & (projection.marginal > 0)
    kinds = {"hold": ~joins, "useful_join": useful, "useless_join": joins & ~useful}
    found = {f"source/influence_{name}": float(influence[there].mean()) for name, there in kinds.items() if there.any()}
    found |= {"source/holds": float((~joins).mean()), "source/useless_joins": float(1.0 - useful.sum() / joins.sum())}
    ours, exact = (rankdata(values[joins]) for values in (influence, projection.marginal))
    if joins.sum() > 2 and np.ptp(ours) > 0 and np.ptp(exact) > 0:
        found["source/rank_correlation"] = float(np.corrcoef(ours, exact)[0, 1])
    return found
