"""The autoencoder of CAFE in small worlds whose influences are known."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.cafe.influence import Choices, Gaussian, InfluenceLearner, divergence  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.cafe import CafeSettings  # noqa: E402

K = 3
SETS = ObservationLayout.of((("w_self", 1, ("elapsed",)), ("T_optional", K, ("present", "pay")))).sets


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(**keywords: Any) -> InfluenceLearner:
    small = {"embedding": 8, "heads": 2, "hidden": 16, "latents": 4, "encoder_learning_rate": 0.005}
    settings = CafeSettings.load("csc_v0", **{**small, "encoder_first_passes": 40, **keywords})
    return InfluenceLearner(SETS, settings, seed=0)


def choices(count: int = 2000, seed: int = 0) -> Choices:
    """Every agent sees three candidates that pay −1 to 1, and takes any of them or holds."""
    draws = np.random.default_rng(seed)
    seen = np.ones((count, 1 + 2 * K), np.float32)
    seen[:, 2::2] = draws.uniform(-1.0, 1.0, (count, K))
    seen[:, 0] = draws.random(count)
    return Choices(seen, draws.integers(0, 2, (count, K)), draws.integers(0, K + 1, count))


def pay_of_choice(made: Choices) -> Any:
    taken = np.maximum(made.actions - 1, 0)
    return np.where(made.actions > 0, made.observations[np.arange(len(taken)), 2 + 2 * taken], 0.0).astype(float)


def fitted(made: Choices, target: Any, **keywords: Any) -> InfluenceLearner:
    found = learner(**keywords)
    found.fit(made, target[np.newaxis], np.random.default_rng(1))
    return found


def rank_correlation(one: Any, other: Any) -> float:
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def explained(found: InfluenceLearner, made: Choices, target: Any) -> dict[str, float]:
    """The share of a target's variance that the model explains, with the action known and dropped."""
    figures = found.fit(made, target[np.newaxis].astype(float), np.random.default_rng(0))
    return {name.removeprefix("source/explained_"): share for name, share in figures.items()}


def test_the_divergence_is_the_mean_of_the_log_ratio_of_samples() -> None:
    draws = torch.Generator().manual_seed(0)
    one, other = (Gaussian(*torch.randn(2, 1, 3, generator=draws, dtype=torch.float64) * 0.5) for _ in range(2))
    dists = [torch.distributions.Normal(each.mean, each.log_deviation.exp()) for each in (one, other)]
    samples = one.mean + one.log_deviation.exp() * torch.randn(400_000, 3, generator=draws, dtype=torch.float64)
    ratios = (dists[0].log_prob(samples) - dists[1].log_prob(samples)).sum(dim=1)
    error = float(ratios.std()) / len(ratios) ** 0.5
    assert abs(float(divergence(one, other)) - float(ratios.mean())) < 4 * error
    assert float(divergence(one, one)) == 0.0


@pytest.mark.parametrize("counterfactual", ["policy", "hold"])
def test_without_weights_for_actions_the_influence_is_exactly_zero(counterfactual: Any) -> None:
    made = choices(500)
    found = fitted(made, pay_of_choice(made), encoder_first_passes=2)
    assert found.influence(made, counterfactual).max() > 0
    found.model.forget_own_action()
    assert (found.influence(made, counterfactual) == 0.0).all()


def test_an_action_without_effect_has_no_influence() -> None:
    """And yet z is about something: it explains the target, the pay of the first candidate behind noise."""
    made, fresh = choices(8000), choices(seed=1)
    target = made.observations[:, 2] + np.random.default_rng(9).standard_normal(8000)
    found = fitted(made, target, encoder_first_passes=12)
    assert found.influence(fresh, "policy").mean() < 0.01
    assert explained(found, fresh, fresh.observations[:, 2])["known"] > 0.3


@pytest.mark.parametrize("counterfactual", ["policy", "hold"])
def test_influence_grows_with_the_effect_of_the_action(counterfactual: Any) -> None:
    """In comparison with holding, the effect is the pay; with an unknown action, the pay less its mean over actions."""
    made, fresh = choices(), choices(seed=1)
    target = pay_of_choice(made) + 0.1 * np.random.default_rng(9).standard_normal(2000)
    found = fitted(made, target, kl_weight=0.05, largest_influence=1e6)
    joins = fresh.actions > 0
    mean = fresh.observations[:, 2::2].sum(axis=1) / (K + 1)
    effect = (pay_of_choice(fresh) - (mean if counterfactual == "policy" else 0.0))[joins]
    assert rank_correlation(found.influence(fresh, counterfactual)[joins], np.abs(effect)) > 0.9
    assert rank_correlation(found.expected_effect(fresh, counterfactual)[0][joins], effect) > 0.95


def test_who_holds_has_no_influence_in_comparison_with_holding() -> None:
    made = choices(500)
    found = fitted(made, pay_of_choice(made), encoder_first_passes=2)
    influence = found.influence(made, "hold")
    assert (influence[made.actions == 0] == 0.0).all()
    assert influence[made.actions > 0].mean() > 0.0


def test_the_order_of_candidates_and_of_agents_does_not_matter() -> None:
    made = choices(300)
    found = fitted(made, pay_of_choice(made), encoder_first_passes=2)
    influence = found.influence(made, "policy")
    order = np.random.default_rng(2).permutation(300)
    agents = Choices(made.observations[order], made.others[order], made.actions[order])
    np.testing.assert_allclose(found.influence(agents, "policy"), influence[order], rtol=1e-4, atol=1e-6)
    turned = made.observations.copy()
    turned[:, 1:] = np.roll(made.observations[:, 1:].reshape(-1, K, 2), 1, axis=1).reshape(-1, 2 * K)
    actions = np.where(made.actions > 0, made.actions % K + 1, 0)
    rolled = Choices(turned, np.roll(made.others, 1, axis=1), actions)
    np.testing.assert_allclose(found.influence(rolled, "policy"), influence, rtol=1e-4, atol=1e-6)


def test_with_the_weight_of_equation_4_the_posterior_collapses_and_with_ours_it_does_not() -> None:
    """The action explains a seventh of the target's variance here; with β = 1 nothing of it reaches z."""
    made, fresh = choices(), choices(seed=1)
    target = pay_of_choice(made) + np.random.default_rng(9).standard_normal(2000)
    literal, ours = (fitted(made, target, kl_weight=weight) for weight in (1.0, 0.01))
    assert literal.influence(fresh, "hold").max() < 0.01 < 1.0 < ours.influence(fresh, "hold").mean()
    of_literal, of_ours = (explained(each, fresh, pay_of_choice(fresh)) for each in (literal, ours))
    assert of_literal["known"] < 0.01 < 0.1 < of_ours["known"]


def test_the_explained_variance_is_of_decisions_that_were_not_learnt_from() -> None:
    made, fresh = choices(), choices(seed=1)
    found = learner()
    assert found.fit(made, pay_of_choice(made)[np.newaxis], np.random.default_rng(1)) == {}
    figures = found.fit(fresh, pay_of_choice(fresh)[np.newaxis], np.random.default_rng(1))
    assert figures["source/explained_known"] > 0.9
    assert figures["source/explained_dropped"] < 0.7
