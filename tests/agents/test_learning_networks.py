"""Actor and critic: what they do not depend on, and what they never choose."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.ippo.ippo import Batch, policy_loss  # noqa: E402
from crowdgym.agents.learning.collect import choose, log_policy_of  # noqa: E402
from crowdgym.agents.learning.networks import Actor, Critic, SetAttention  # noqa: E402
from crowdgym.common.layout import ObservationLayout, ObservationSet  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402

K = 4
SELF = ("x", "idle")
TASK = ("present", "work", "distance")
WORKER = ("present", "near")


def sets_with(candidates: int = K, workers: int = 3) -> tuple[ObservationSet, ...]:
    layout: dict[str, Any] = {}
    start = 0
    for name, rows, features in (("w_self", 1, SELF), ("T_optional", candidates, TASK), ("W_near", workers, WORKER)):
        layout[name] = {"start": start, "shape": (rows, len(features)), "features": features}
        start += rows * len(features)
    return ObservationLayout.from_metadata({"observation_layout": layout}, start).sets


SETS = sets_with()
SETTINGS = IppoSettings.load("csc_v0", embedding=8, heads=2, hidden=8)


@pytest.fixture(autouse=True)
def _one_thread_and_one_seed() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(3)


def observations(number: int, candidates: int = 3, workers: int = 2, seed: int = 0) -> Any:
    """Random rows, the first so many of each set present, the rest zeros."""
    generator = np.random.default_rng(seed)
    made = generator.normal(size=(number, SETS[-1].stop)).astype(np.float32)
    for part, present in ((SETS[1], candidates), (SETS[2], workers)):
        rows = made[:, part.start : part.stop].reshape(number, part.rows, -1)
        rows[:, :present, 0], rows[:, present:] = 1.0, 0.0
        made[:, part.start : part.stop] = rows.reshape(number, -1)
    return torch.from_numpy(made)


def masks(number: int, candidates: int = 3) -> Any:
    legal = torch.zeros(number, K + 1, dtype=torch.bool)
    legal[:, : candidates + 1] = True
    return legal


def lively(network: Any) -> Any:
    """Weights that are not all alike, in the last layer too."""
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return network


def reordered(seen: Any, part: ObservationSet, order: list[int]) -> Any:
    changed = seen.clone()
    rows = seen[:, part.start : part.stop].reshape(len(seen), part.rows, -1)
    changed[:, part.start : part.stop] = rows[:, order].reshape(len(seen), -1)
    return changed


def test_the_order_of_the_workers_around_is_of_no_importance() -> None:
    seen = observations(5)
    swapped = reordered(seen, SETS[2], [1, 2, 0])
    for network, more in ((lively(Actor(SETS, K + 1, SETTINGS)), (masks(5),)), (lively(Critic(SETS, SETTINGS)), ())):
        torch.testing.assert_close(network(seen, *more), network(swapped, *more), atol=1e-5, rtol=1e-5)


def test_probabilities_go_with_their_candidates() -> None:
    actor = lively(Actor(SETS, K + 1, SETTINGS))
    seen = observations(5, candidates=4)
    order = [2, 0, 3, 1]
    before, after = actor(seen, masks(5, 4)), actor(reordered(seen, SETS[1], order), masks(5, 4))
    torch.testing.assert_close(before[:, [0, *(1 + i for i in order)]], after, atol=1e-5, rtol=1e-5)
    assert before.std(dim=1).min() > 0.01  # they do differ


def test_where_all_actions_are_rows_of_a_set_none_holds() -> None:
    actor = lively(Actor(SETS, K, SETTINGS))
    seen, order, legal = observations(5, candidates=4), [2, 0, 3, 1], torch.ones(5, K, dtype=torch.bool)
    before, after = actor(seen, legal), actor(reordered(seen, SETS[1], order), legal)
    torch.testing.assert_close(before[:, order], after, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(before.exp().sum(dim=1), torch.ones(5))
    assert before.std(dim=1).min() > 0.01  # they do differ


def test_what_is_in_an_empty_row_is_of_no_importance() -> None:
    actor = lively(Actor(SETS, K + 1, SETTINGS))
    seen = observations(5)
    part = SETS[2]
    dirty = seen.clone()
    dirty[:, part.stop - 1] = 9.0  # the last worker is not present
    torch.testing.assert_close(actor(seen, masks(5)), actor(dirty, masks(5)))


def test_empty_sets_are_no_trouble() -> None:
    actor, critic = lively(Actor(SETS, K + 1, SETTINGS)), lively(Critic(SETS, SETTINGS))
    seen = observations(3, candidates=0, workers=0)
    legal = masks(3, 0)
    (actor(seen, legal)[:, 0].sum() + critic(seen).sum()).backward()
    assert all(bool(p.grad.isfinite().all()) for p in (*actor.parameters(), *critic.parameters()) if p.grad is not None)
    assert torch.equal(actor(seen, legal)[:, 0], torch.zeros(3))  # holding is all there is: probability 1


def test_the_same_weights_do_for_sets_of_another_size() -> None:
    """Six more empty rows change nothing."""
    actor = lively(Actor(SETS, K + 1, SETTINGS))
    wider = sets_with(candidates=K + 4, workers=5)
    wide = Actor(wider, K + 5, SETTINGS)
    wide.load_state_dict(actor.state_dict())
    seen = observations(3)
    padded = torch.zeros(3, wider[-1].stop)
    for old, new in zip(SETS, wider, strict=True):
        padded[:, new.start : new.start + old.stop - old.start] = seen[:, old.start : old.stop]
    legal = torch.zeros(3, K + 5, dtype=torch.bool)
    legal[:, : K + 1] = masks(3)
    torch.testing.assert_close(actor(seen, masks(3)), wide(padded, legal)[:, : K + 1], atol=1e-5, rtol=1e-5)


def test_attention_agrees_with_pytorch_s_own() -> None:
    ours, theirs = SetAttention(8, 2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        for bias in (ours.query.bias, ours.value.bias, ours.out.bias):
            bias.normal_()
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, torch.zeros(8), ours.value.bias]))
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    query, rows = torch.randn(6, 8), torch.randn(6, 5, 8)
    present = torch.rand(6, 5) < 0.6
    present[:, 0] = True
    expected, _ = theirs(query.unsqueeze(1), rows, rows, key_padding_mask=~present)
    torch.testing.assert_close(ours(query, rows, present), expected.squeeze(1), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("network", ["attention", "mlp"])
def test_a_masked_action_is_never_chosen(network: str) -> None:
    settings = SETTINGS.model_copy(update={"network": network})
    actor = lively(Actor(SETS, K + 1, settings))
    generator = np.random.default_rng(0)
    seen = observations(500, candidates=4, seed=1).numpy()
    legal = generator.random((500, K + 1)) < 0.4
    legal[np.arange(500), generator.integers(0, K + 1, 500)] = True
    for noise in (None, generator.gumbel(size=legal.shape)):
        actions, log_probabilities = choose(log_policy_of(actor), seen, legal, noise)
        assert legal[np.arange(500), actions].all()
        assert np.isfinite(log_probabilities).all()
    with torch.no_grad():
        policy = actor(torch.from_numpy(seen), torch.from_numpy(legal)).exp().numpy()
    assert (policy[~legal] == 0).all()
    np.testing.assert_allclose(policy.sum(axis=1), 1.0, atol=1e-5)


def test_actions_are_drawn_as_often_as_the_policy_says() -> None:
    actor = lively(Actor(SETS, K + 1, SETTINGS))
    seen, legal = observations(1).expand(20_000, -1).numpy(), masks(1).expand(20_000, -1).numpy()
    noise = np.random.default_rng(0).gumbel(size=legal.shape)
    actions, log_probabilities = choose(log_policy_of(actor), seen, legal, noise)
    share = np.bincount(actions, minlength=K + 1) / len(actions)
    with torch.no_grad():
        policy = actor(observations(1), masks(1)).exp().numpy()[0]
    np.testing.assert_allclose(share, policy, atol=0.015)  # four standard deviations
    np.testing.assert_allclose(np.exp(log_probabilities), policy[actions], atol=1e-5)


def test_a_fresh_policy_is_about_uniform_among_legal_actions() -> None:
    actor = Actor(SETS, K + 1, SETTINGS)
    with torch.no_grad():
        policy = actor(observations(50), masks(50)).exp()[:, :4]
    assert (policy - 0.25).abs().max() < 0.02


def loss_of(number: int, advantages: list[float], actions: list[int], ratio: float) -> tuple[Any, Any]:
    actor = lively(Actor(SETS, K + 1, SETTINGS))
    seen, legal = observations(number), masks(number)
    with torch.no_grad():
        chosen = actor(seen, legal).gather(1, torch.tensor(actions).unsqueeze(1)).squeeze(1)
    behind = chosen - float(np.log(ratio))
    batch = Batch(seen, legal, torch.tensor(actions), behind, torch.zeros(number, 1))
    return actor, policy_loss(actor, batch, torch.tensor(advantages), 0.2)


def test_the_surrogate_by_hand() -> None:
    """With ψ = 1.5 and ε = 0.2, advantage 2 counts 1.2 · 2 and −2 counts 1.5 · −2; the loss is −(2.4 − 3) / 2."""
    _, loss = loss_of(2, [2.0, -2.0], [1, 0], ratio=1.5)
    assert loss.surrogate.item() == pytest.approx(0.3, abs=1e-5)
    assert loss.clipfrac.item() == 1.0
    assert loss.approx_kl.item() == pytest.approx(0.5 - np.log(1.5), abs=1e-5)


def test_beyond_the_clip_nothing_pulls_any_more() -> None:
    actor, loss = loss_of(1, [2.0], [1], ratio=1.5)
    loss.surrogate.backward()
    assert all(p.grad is None or not p.grad.any() for p in actor.parameters())
    actor, loss = loss_of(1, [2.0], [1], ratio=1.1)
    loss.surrogate.backward()
    assert any(p.grad is not None and p.grad.any() for p in actor.parameters())


def test_the_entropy_of_equal_chances_is_the_logarithm_of_their_number() -> None:
    actor = Actor(SETS, K + 1, SETTINGS)
    for parameter in actor.parameters():
        torch.nn.init.zeros_(parameter)
    batch = Batch(observations(2), masks(2), torch.tensor([0, 1]), torch.zeros(2), torch.zeros(2, 1))
    assert policy_loss(actor, batch, torch.ones(2), 0.2).entropy.item() == pytest.approx(np.log(4))


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param({"embedding": 8, "heads": 2, "hidden": 8}, id="tiny"),
        pytest.param({"embedding": 12, "heads": 3, "hidden": 10}, id="odd"),
        pytest.param({}, id="usual"),
        pytest.param({"network": "mlp", "hidden": 9}, id="mlp"),
    ],
)
def test_the_bits_of_a_row_do_not_depend_on_the_rows_beside_it(sizes: dict[str, Any]) -> None:
    """So any shares of the copies, played in any processes, add up to the same training."""
    settings = IppoSettings.load("csc_v0", **sizes)
    policy = log_policy_of(lively(Actor(SETS, K + 1, settings)))
    seen, legal = observations(150).numpy(), masks(150).numpy()
    generator = np.random.default_rng(0)
    noise = generator.gumbel(size=legal.shape)
    _, expected = choose(policy, seen, legal, noise)
    for _ in range(10):
        some = generator.permutation(150)[: generator.integers(1, 150)]
        _, found = choose(policy, seen[some], legal[some], noise[some])
        assert found.tobytes() == expected[some].tobytes()
