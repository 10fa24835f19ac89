"""The meta-gradients of RMO against central differences and closed forms, worked out with NumPy."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from torch import nn  # noqa: E402

from crowdgym.agents.rmo import meta  # noqa: E402
from crowdgym.agents.rmo.meta import Constants, Decisions, MetaGradients, meta_gradients  # noqa: E402

FEATURES, ACTIONS, COUNT = 5, 3, 40
RATE, CLIP, KAPPA = 0.3, 0.2, 0.7
ETA = np.array([0.3, 0.6])

Arrays = dict[str, Any]


class Linear(nn.Module):
    """π = softmax(o W) over the legal actions."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(FEATURES, ACTIONS, dtype=torch.float64))

    def forward(self, observations: Any, masks: Any) -> Any:
        return (observations @ self.weight).masked_fill(~masks, -torch.inf).log_softmax(dim=1)


class OneLogit(nn.Module):
    """Two actions with the logits 0 and z, whatever is observed."""

    def __init__(self) -> None:
        super().__init__()
        self.z = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, observations: Any, masks: Any) -> Any:
        logits = torch.stack([torch.zeros_like(self.z), self.z])
        return logits.log_softmax(dim=0).expand(len(observations), 2)


def drawn(seed: int, scale: float = 1.0) -> Arrays:
    """Decisions: some actions are masked, half of them led to a match, advantages have both signs."""
    rng = np.random.default_rng(seed)
    masks = rng.random((COUNT, ACTIONS)) < 0.8
    masks[:, :2] = True
    matched = rng.random(COUNT) < 0.5
    return {
        "observations": rng.normal(size=(COUNT, FEATURES)) * scale,
        "masks": masks,
        "actions": rng.integers(2, size=COUNT),
        "log_probabilities": np.log(rng.uniform(0.2, 0.8, size=COUNT)),
        "advantages": rng.normal(size=COUNT),
        "shaped_advantages": rng.normal(size=COUNT),
        "utility": rng.uniform(0.1, 1.0, size=(COUNT, 3)) * matched[:, np.newaxis],
    }


def decisions(arrays: Arrays) -> Decisions:
    return Decisions(**{name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()})


def policy(weight: Any, data: Arrays) -> Any:
    scores = np.where(data["masks"], data["observations"] @ weight, -np.inf)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def log_taken(weight: Any, data: Arrays) -> Any:
    return np.log(policy(weight, data)[np.arange(COUNT), data["actions"]])


def scores_of(weight: Any, data: Arrays) -> Any:
    """s_i = o_i (e_a − π)ᵀ, [D, F, A]."""
    one_hot = np.eye(ACTIONS)[data["actions"]]
    return data["observations"][:, :, np.newaxis] * (one_hot - policy(weight, data))[:, np.newaxis]


def weights_of(auxiliary: Any, log_target: Any, data: Arrays, advantages: Any) -> Any:
    """1_i ψ̂_i Â_i, [D]: what multiplies the score in the gradient of Ĵ."""
    ratio = np.exp(log_taken(auxiliary, data) - log_target)
    unclipped = ratio * advantages <= np.clip(ratio, 1 - CLIP, 1 + CLIP) * advantages
    return np.where(unclipped, ratio * advantages, 0.0)


def gradient(auxiliary: Any, log_target: Any, data: Arrays, advantages: Any) -> Any:
    """∇_θ̂ Ĵ."""
    weights = weights_of(auxiliary, log_target, data, advantages)
    return np.einsum("d,dfa->fa", weights, scores_of(auxiliary, data)) / COUNT


def utility_of(eta: Any, data: Arrays) -> Any:
    alpha, beta = eta
    skill, distance, time = data["utility"].T
    return alpha * beta * skill + alpha * (1 - beta) * distance + (1 - alpha) * time


class Reference:
    """θ, θ̂, η and the two halves; the value and the closed forms of the meta-gradients."""

    def __init__(self, scale: float = 0.6) -> None:
        rng = np.random.default_rng(0)
        self.target = rng.normal(size=(FEATURES, ACTIONS)) * 0.5
        self.auxiliary = self.target + rng.normal(size=(FEATURES, ACTIONS)) * 0.3
        self.inner, self.outer = drawn(1, scale), drawn(2, scale)
        self.log_outer = log_taken(self.target, self.outer)  # constant

    def stepped(self, target: Any, eta: Any) -> Any:
        change = (utility_of(eta, self.inner) - utility_of(ETA, self.inner)) * (self.inner["utility"][:, 2] > 0)
        advantages = self.inner["shaped_advantages"] + KAPPA * change
        return self.auxiliary + RATE * gradient(self.auxiliary, log_taken(target, self.inner), self.inner, advantages)

    def value(self, target: Any, eta: Any = ETA) -> float:
        """Ĵ_O(θ̂⁺)."""
        ratio = np.exp(log_taken(self.stepped(target, eta), self.outer) - self.log_outer)
        advantages = self.outer["shaped_advantages"]
        return float(np.minimum(ratio * advantages, np.clip(ratio, 1 - CLIP, 1 + CLIP) * advantages).mean())

    def along(self) -> Any:
        """s_θ̂,i · g, [D], of the inner decisions."""
        g = gradient(self.stepped(self.target, ETA), self.log_outer, self.outer, self.outer["shaped_advantages"])
        return np.einsum("dfa,fa->d", scores_of(self.auxiliary, self.inner), g)

    def closed_target(self) -> Any:
        """m_θ = −(μ_f / |I|) Σ 1_i ψ̂_i Â_i (s_θ̂,i · g) s_θ,i."""
        inner = self.inner
        weight = weights_of(self.auxiliary, log_taken(self.target, inner), inner, inner["shaped_advantages"])
        return -RATE / COUNT * np.einsum("d,dfa->fa", weight * self.along(), scores_of(self.target, inner))

    def closed_eta(self) -> Any:
        """m_η = (μ_f κ / |I|) Σ 1_i 1[matched_i] ψ̂_i (s_θ̂,i · g) ∂u_i/∂η."""
        inner, (alpha, beta) = self.inner, ETA
        log_target, advantages = log_taken(self.target, inner), inner["shaped_advantages"]
        weight = weights_of(self.auxiliary, log_target, inner, advantages) / advantages  # 1_i ψ̂_i
        skill, distance, time = inner["utility"].T
        of_alpha, of_beta = beta * skill + (1 - beta) * distance - time, alpha * (skill - distance)
        return RATE * KAPPA / COUNT * np.stack([of_alpha, of_beta]) @ (weight * self.along() * (time > 0))

    def found(self, kappa: float = KAPPA, eta: Any = ETA) -> MetaGradients:
        target, auxiliary = ({"weight": torch.from_numpy(each)} for each in (self.target, self.auxiliary))
        constants, halves = Constants(RATE, CLIP, kappa), (decisions(self.inner), decisions(self.outer))
        return meta_gradients(Linear(), target, auxiliary, torch.from_numpy(eta), *halves, constants)


def central(function: Any, at: Any, step: float = 1e-5) -> Any:
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        change = np.zeros_like(at)
        change[place] = step
        found[place] = (function(at + change) - function(at - change)) / (2 * step)
    return found


def test_some_decisions_of_the_reference_are_clipped() -> None:
    reference = Reference()
    inner = reference.inner
    advantages = inner["shaped_advantages"]
    weight = weights_of(reference.auxiliary, log_taken(reference.target, inner), inner, advantages)
    assert 3 <= (weight == 0).sum() <= COUNT // 2
    assert {-1.0, 1.0} == set(np.sign(advantages[weight != 0]))


def test_of_the_target_policy_by_central_differences_and_in_closed_form() -> None:
    reference = Reference()
    found = reference.found().target["weight"].numpy()
    np.testing.assert_allclose(found, reference.closed_target(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found, central(reference.value, reference.target), rtol=0, atol=1e-9)
    assert np.abs(found).max() > 1e-4


def test_of_eta_by_central_differences_and_in_closed_form() -> None:
    reference = Reference()
    found = reference.found().eta.numpy()
    np.testing.assert_allclose(found, reference.closed_eta(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found, central(lambda eta: reference.value(reference.target, eta), ETA), atol=1e-9)
    assert np.abs(found).min() > 1e-5


def test_the_alignment_is_the_mean_length_of_the_scores_along_g() -> None:
    reference = Reference()
    assert float(reference.found().alignment) == pytest.approx(np.abs(reference.along()).mean(), abs=1e-12)


def two_actions(sign: float) -> float:
    """m / μ_f of one logit with π(1) = 1/4 and Â = 3, −1, −1, −1, whose mean is 0; I = O, to first order."""
    same = decisions(
        {
            "observations": np.zeros((4, 1)),
            "masks": np.ones((4, 2), bool),
            "actions": np.array([1, 0, 0, 0]),
            "log_probabilities": np.zeros(4),
            "advantages": np.zeros(4),
            "shaped_advantages": sign * np.array([3.0, -1.0, -1.0, -1.0]),
            "utility": np.zeros((4, 3)),
        }
    )
    at = {"z": torch.tensor(np.log(1 / 3))}
    found = meta_gradients(OneLogit(), at, at, torch.tensor([0.2, 0.2]).double(), same, same, Constants(1e-9, CLIP))
    return float(found.target["z"]) / 1e-9


def test_two_actions_by_hand() -> None:
    """p = 1/4 and Δ = 4: −[p (1 − p) Δ]² (1 − 2p) = −(3/4)² / 2 = −9/32."""
    assert two_actions(1.0) == pytest.approx(-9 / 32, abs=1e-7)


def test_it_does_not_tell_a_good_action_from_a_bad_one() -> None:
    """It is even in the shaped advantages: with the opposite sign of all of them it is the same."""
    assert two_actions(-1.0) == pytest.approx(two_actions(1.0), abs=1e-7)


def test_without_weight_of_the_utility_eta_has_no_gradient() -> None:
    assert Reference().found(kappa=0.0).eta.tolist() == [0.0, 0.0]


def test_at_alpha_zero_beta_has_no_gradient() -> None:
    found = Reference().found(eta=np.array([0.0, 0.6])).eta
    assert found[0] != 0.0
    assert found[1] == 0.0


def test_where_both_policies_agree_the_surrogate_has_the_plain_policy_gradient() -> None:
    """Mean of Â s: all ratios are 1."""
    data, weight = drawn(1), Reference().target
    log_target = torch.from_numpy(log_taken(weight, data))
    parameter = torch.from_numpy(weight).requires_grad_()
    log_auxiliary = meta.log_probabilities(Linear(), {"weight": parameter}, decisions(data))
    meta.auxiliary_surrogate(log_auxiliary, log_target, decisions(data).shaped_advantages, CLIP).backward()
    plain = np.einsum("d,dfa->fa", data["shaped_advantages"], scores_of(weight, data)) / COUNT
    np.testing.assert_allclose(parameter.grad.numpy(), plain, rtol=0, atol=1e-12)


def test_nothing_flows_through_the_outer_denominators() -> None:
    """Without inner advantages the step does not depend on θ; the outer ratios do, and are held constant."""
    reference = Reference()
    reference.inner["shaped_advantages"] = np.zeros(COUNT)
    assert not reference.found(kappa=0.0).target["weight"].any()


def test_decisions_far_from_the_target_policy_are_left_out() -> None:
    log_auxiliary = torch.tensor([0.0, 3.1], requires_grad=True)
    surrogate = meta.auxiliary_surrogate(log_auxiliary, torch.zeros(2), torch.tensor([1.0, -2.0]), CLIP)
    surrogate.backward()
    assert surrogate.item() == 0.5
    assert log_auxiliary.grad.tolist() == [0.5, 0.0]


def test_lookahead_by_central_differences() -> None:
    """J_O(θ + μ_f ∇Ĵ_I(θ)) with the ratios to the policy that played."""
    reference = Reference()
    inner, outer = reference.inner, reference.outer
    for data in (inner, outer):
        data["log_probabilities"] = log_taken(reference.target, data) + np.linspace(-0.3, 0.3, COUNT)

    def value(weight: Any) -> float:
        step = gradient(weight, inner["log_probabilities"], inner, inner["shaped_advantages"])
        ratio = np.exp(log_taken(weight + RATE * step, outer) - outer["log_probabilities"])
        advantages = outer["advantages"]
        return float(np.minimum(ratio * advantages, np.clip(ratio, 1 - CLIP, 1 + CLIP) * advantages).mean())

    target = {"weight": torch.from_numpy(reference.target)}
    found = meta.lookahead_gradient(Linear(), target, decisions(inner), decisions(outer), Constants(RATE, CLIP))
    np.testing.assert_allclose(found["weight"].numpy(), central(value, reference.target), rtol=0, atol=1e-8)
