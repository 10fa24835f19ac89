"""The formulas of IPPO in numbers worked out by hand."""

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.ippo import ippo  # noqa: E402
from crowdgym.agents.ippo.ippo import (  # noqa: E402
    Batch,
    IppoLearner,
    Means,
    PolicyLoss,
    _explained_variance,
    at_once,
    environment_reward,
    normal,
    policy_loss,
)
from crowdgym.agents.learning.learner import ValueNormaliser  # noqa: E402
from crowdgym.agents.learning.rewards import EnvironmentReward, TeamShare  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402


def loss_of(ratios: list[float], advantages: list[float], *, clip: float = 0.2) -> PolicyLoss:
    """Decisions between two actions; the policy now takes the one that was chosen with probability 0.5."""
    count = len(ratios)
    batch = Batch(
        observations=torch.zeros(count, 1),
        masks=torch.ones(count, 2, dtype=torch.bool),
        actions=torch.arange(count) % 2,
        log_probabilities=torch.log(0.5 / torch.tensor(ratios)),
        returns=torch.zeros(count, 1),
    )
    actor: Any = lambda observations, masks: torch.log(torch.full((count, 2), 0.5))  # noqa: E731
    return policy_loss(actor, batch, torch.tensor(advantages), clip)


@pytest.mark.parametrize(
    ("ratio", "advantage", "objective"),
    [
        (1.5, 2.0, 2.4),  # 1.2 x 2: no more is gained above the clip
        (1.5, -2.0, -3.0),  # what is worse counts in full
        (0.5, 2.0, 1.0),
        (0.5, -2.0, -1.6),  # 0.8 x -2: no more is gained below the clip
        (1.1, 2.0, 2.2),
        (0.9, -2.0, -1.8),
    ],
)
def test_the_clipped_objective(ratio: float, advantage: float, objective: float) -> None:
    assert loss_of([ratio], [advantage]).surrogate.item() == pytest.approx(-objective, rel=1e-5)


def test_the_loss_is_the_mean_over_decisions() -> None:
    found = loss_of([1.5, 0.5, 1.0, 1.0], [2.0, 2.0, 1.0, -0.4])
    assert found.surrogate.item() == pytest.approx(-(2.4 + 1.0 + 1.0 - 0.4) / 4)
    assert found.clipfrac.item() == 0.5  # 1.5 and 0.5 are outside of 0.8 to 1.2
    kl = [ratio - 1 - np.log(ratio) for ratio in (1.5, 0.5, 1.0, 1.0)]
    assert found.approx_kl.item() == pytest.approx(np.mean(kl), rel=1e-5)
    assert loss_of([1.5, 0.5, 1.0, 1.0], [2.0] * 4, clip=0.6).clipfrac.item() == 0.0


def test_entropy_is_that_of_legal_actions() -> None:
    """Half and half, and a quarter each of the legal ones: ln 2 and ln 4."""
    policy = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    batch = Batch(torch.zeros(2, 1), policy > 0, torch.tensor([0, 3]), torch.log(torch.tensor([0.5, 0.25])), None)
    actor: Any = lambda observations, masks: policy.log()  # noqa: E731
    found = policy_loss(actor, batch, torch.ones(2), 0.2)
    assert found.entropy.item() == pytest.approx((np.log(2) + np.log(4)) / 2)


def one_weight_learner(most: float) -> Any:
    """The weights 0 and 0, gradient descent with a rate of 1, and a largest norm of the gradient."""
    network = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    return SimpleNamespace(
        networks={"actor": network},
        optimisers={"actor": torch.optim.SGD(network.parameters(), lr=1.0)},
        settings=SimpleNamespace(max_gradient_norm=most),
    )


@pytest.mark.parametrize(("most", "step"), [(0.5, [-0.3, -0.4]), (5.0, [-3.0, -4.0]), (10.0, [-3.0, -4.0])])
def test_the_norm_of_the_gradient_is_limited(most: float, step: list[float]) -> None:
    """The gradient of 3 x + 4 y is (3, 4), of norm 5."""
    learner = one_weight_learner(most)
    weight = learner.networks["actor"].weight
    for times in (1, 2):  # gradients are not added up
        IppoLearner.descend(learner, "actor", 3 * weight[0, 0] + 4 * weight[0, 1])
        assert weight.tolist()[0] == pytest.approx([times * each for each in step], rel=1e-4)


@pytest.mark.parametrize(
    ("schedule", "progress", "rate"), [("linear", 0.0, 0.01), ("linear", 0.75, 0.0025), ("constant", 0.75, 0.01)]
)
def test_the_learning_rate(schedule: str, progress: float, rate: float) -> None:
    learner: Any = SimpleNamespace(
        optimisers={name: torch.optim.SGD([torch.zeros(1)], lr=9.0) for name in ("actor", "critic")},
        settings=SimpleNamespace(learning_rate_schedule=schedule, learning_rate=0.01),
    )
    assert IppoLearner.set_learning_rate(learner, progress) == pytest.approx(rate)
    assert [one.param_groups[0]["lr"] for one in learner.optimisers.values()] == pytest.approx([rate, rate])


@pytest.mark.parametrize(
    ("decisions", "size", "pieces"), [(10, 4, [5, 5]), (10, 3, [4, 3, 3]), (10, 100, [10]), (11, 4, [4, 4, 3])]
)
def test_a_pass_takes_all_decisions_once_in_minibatches_of_about_equal_size(
    decisions: int, size: int, pieces: list[int]
) -> None:
    taken: list[tuple[Any, Any]] = []
    valued: list[Any] = []

    def improve_actor(actor: Any, batch: Batch, advantages: Any) -> dict[str, float]:
        taken.append((batch.actions, advantages))
        return {"size": float(len(advantages))}

    def improve_critic(critic: Any, observations: Any, returns: Any) -> dict[str, float]:
        valued.append((observations.ravel(), returns.ravel()))
        return {}

    learner: Any = SimpleNamespace(
        device="cpu",
        settings=SimpleNamespace(minibatch_size=size),
        actor=None,
        networks={"critic": None},
        _improve_actor=improve_actor,
        _improve_critic=improve_critic,
    )
    numbers = torch.arange(decisions)
    batch = Batch(*(numbers.float().reshape(-1, 1),) * 2, numbers, numbers.float(), numbers.float().reshape(-1, 1))
    losses = Means()
    IppoLearner._pass(learner, batch, 10.0 * np.arange(decisions), np.random.default_rng(0), losses)
    assert [len(actions) for actions, _ in taken] == pieces
    order = torch.cat([actions for actions, _ in taken])
    assert sorted(order.tolist()) == list(range(decisions)) != order.tolist()
    assert torch.equal(torch.cat([advantages for _, advantages in taken]), 10.0 * order)
    assert [observations.tolist() for observations, _ in valued] == [actions.tolist() for actions, _ in taken]
    assert all(torch.equal(*each) for each in valued)
    assert losses.figures() == {"size": pytest.approx(np.mean(pieces))}


def test_the_actor_descends_on_the_surrogate_less_the_weighted_entropy_and_the_critic_on_half_the_square() -> None:
    losses: dict[str, float] = {}
    policy = torch.tensor([[0.75, 0.25]])
    actor: Any = lambda observations, masks: policy.log()  # noqa: E731
    critic: Any = lambda observations: torch.tensor([[5.0]])  # noqa: E731
    learner: Any = SimpleNamespace(
        settings=SimpleNamespace(clip=0.2, entropy_coefficient=0.1),
        descend=lambda name, loss: losses.update({name: loss.item()}),
    )
    batch = Batch(
        observations=torch.zeros(1, 1),
        masks=torch.ones(1, 2, dtype=torch.bool),
        actions=torch.tensor([0]),
        log_probabilities=torch.log(torch.tensor([0.75])),
        returns=torch.tensor([[2.0]]),
    )
    figures = IppoLearner._improve_actor(learner, actor, batch, torch.tensor([3.0]))
    figures |= IppoLearner._improve_critic(learner, critic, batch.observations, batch.returns)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert losses == {"actor": pytest.approx(-3.0 - 0.1 * entropy), "critic": pytest.approx(4.5)}
    assert figures == {
        "losses/policy_loss": pytest.approx(-3.0),
        "losses/value_loss": pytest.approx(4.5),
        "losses/entropy": pytest.approx(entropy),
        "losses/approx_kl": pytest.approx(0.0, abs=1e-6),
        "losses/clipfrac": 0.0,
    }


def test_means_are_over_minibatches() -> None:
    means = Means()
    means.add({"a": 1.0, "b": 2.0})
    means.add({"a": 4.0, "b": 2.0})
    means.add({"b": 5.0})
    assert means.figures() == {"a": 2.5, "b": 3.0}


@pytest.mark.parametrize(("threads", "of_each"), [(1, 1), (2, 1), (5, 2)])
def test_actor_and_critic_share_the_threads(threads: int, of_each: int) -> None:
    met = threading.Barrier(2 if threads > 1 else 1)  # both have to be under way at the same time
    seen: list[tuple[int, bool]] = []

    def work() -> None:
        met.wait(timeout=60.0)
        seen.append((torch.get_num_threads(), threading.current_thread() is threading.main_thread()))

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        at_once(work, work)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert sorted(seen) == [(of_each, threads == 1), (of_each, True)]


def test_advantages_are_scaled_to_mean_0_and_deviation_1() -> None:
    assert normal(np.array([1.0, 3.0, 5.0, 7.0])).tolist() == pytest.approx(
        [-1.3416, -0.4472, 0.4472, 1.3416], abs=1e-4
    )
    assert normal(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]


def test_explained_variance() -> None:
    returns = np.array([1.0, 3.0])
    assert _explained_variance(returns, returns) == 1.0
    assert _explained_variance(returns, np.array([5.0, 5.0])) == 0.0
    assert _explained_variance(returns, np.array([1.0, 2.0])) == 0.75  # 1 - 0.25 / 1
    assert _explained_variance(np.array([2.0, 2.0]), returns) == 0.0


def test_the_settings_that_the_formulas_use_are_those_of_the_file() -> None:
    settings = IppoSettings.load("csc_v0")
    assert (settings.clip, settings.max_gradient_norm, settings.entropy_coefficient) == (0.2, 0.5, 0.01)


@pytest.mark.parametrize(("share", "kind"), [(0.0, EnvironmentReward), (0.25, TeamShare), (1.0, TeamShare)])
def test_a_share_of_the_team_s_reward_is_a_source_of_its_own(share: float, kind: type) -> None:
    task: Any = SimpleNamespace(settings=SimpleNamespace(team_share=share))
    assert type(environment_reward(task, SimpleNamespace(), ())) is kind  # type: ignore[arg-type]


def test_values_are_in_the_units_of_the_rewards_for_any_number_of_observations() -> None:
    """Two heads that give x and 2 x, of deviations 2 and 3 around 10 and 20; 1,300 observations are three chunks."""
    learner: Any = SimpleNamespace(
        device="cpu",
        networks={"critic": lambda chunk: torch.cat([chunk, 2 * chunk], dim=1)},
        normaliser=SimpleNamespace(deviation=np.array([[2.0], [3.0]]), mean=np.array([[10.0], [20.0]])),
    )
    x = np.arange(1300.0)
    found = IppoLearner.values(learner, x[:, np.newaxis].astype(np.float32))
    assert found.tolist() == [(2 * x + 10).tolist(), (6 * x + 20).tolist()]


def test_an_iteration_in_numbers() -> None:
    """One agent decides at both steps and is paid 1 and 2; the terms are the reward and the half of it.

    With γ = λ = 1/2 and values (1, 0) and (0, 0), advantages are (0 + 2/4, 2) and (1/2 + 1/4, 1), and returns (1.5, 2)
    and (0.75, 1). The two returns of a term are its mean less and plus its deviation. With the weights 1 and -1,
    advantages are (-0.25, 1), returns (0.75, 1) and values (1, 0).
    """
    passed: list[tuple[Any, Any]] = []
    improved: list[Any] = []
    rewards = np.array([[1.0], [2.0]])
    rollout: Any = SimpleNamespace(
        observations=None, rows=np.array([0, 0]), steps=np.array([0, 1]), rewards=rewards, copies=np.array([0, 0])
    )
    source: Any = SimpleNamespace(
        terms=lambda rollout: {"whole": rewards, "half": rewards / 2},
        weights=lambda rollout: np.array([1.0, -1.0]),
        improve=improved.append,
    )
    learner: Any = SimpleNamespace(
        settings=SimpleNamespace(discount=0.5, gae_lambda=0.5, epochs=3),
        values=lambda observations: np.array([[1.0, 0.0], [0.0, 0.0]]),
        normaliser=ValueNormaliser(memory=0.0, num_terms=2),
        _batch=lambda rollout, returns: returns,
        _pass=lambda batch, advantages, generator, losses: passed.append((batch.tolist(), advantages.tolist())),
        set_learning_rate=lambda progress: progress / 4,
        actor=SimpleNamespace(state_dict=lambda: {"weight": torch.ones(1)}),
    )
    figures = IppoLearner.learn(learner, rollout, source, np.random.default_rng(0), progress=0.5)
    assert passed == [([[-1.0, 1.0], [-1.0, 1.0]], [-1.0, 1.0])] * 3
    assert [one.advantages.tolist() for one in improved] == [[[0.5, 2.0], [0.75, 1.0]]] * 3
    assert improved[0].before["weight"].tolist() == [1.0]
    assert figures == {
        "losses/explained_variance": pytest.approx(1 - 0.390625 / 0.015625),  # variances of (-0.25, 1) and (0.75, 1)
        "charts/mean_return": pytest.approx(0.875),
        "charts/learning_rate": 0.125,
    }


LAYOUT = {
    "w_self": {"start": 0, "shape": (1, 2), "features": ("x", "idle")},
    "T_optional": {"start": 2, "shape": (2, 1), "features": ("present",)},
}
SMALL = {"embedding": 8, "heads": 2, "hidden": 8}


def small_learner(seed: int) -> IppoLearner:
    sets = ObservationLayout.from_metadata({"observation_layout": LAYOUT}, 4).sets
    return IppoLearner(sets, 3, IppoSettings.load("csc_v0", **SMALL), seed)


def test_the_tensors_are_those_of_actor_critic_and_normaliser() -> None:
    learner = small_learner(1)
    learner.normaliser.sums[:] = [[1.0, 2.0, 3.0]]
    tensors = learner.tensors()
    assert tensors["normaliser"].tolist() == [[1.0, 2.0, 3.0]]
    assert {name.split(".")[0] for name in tensors} == {"actor", "critic", "normaliser"}
    assert set(learner.optimisers) == {"actor", "critic"}


def test_the_seed_and_nothing_else_gives_the_first_weights() -> None:
    torch.manual_seed(5)
    one, again, other = small_learner(1).tensors(), small_learner(1).tensors(), small_learner(2).tensors()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))  # the generator of the caller is left as it was


@pytest.mark.parametrize(("networks", "kind"), [("shared", "of settings"), ("centre", "of centres")])
def test_networks_of_centres_have_a_collector_of_their_own(
    networks: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ippo, "CentreCollector", lambda env: ("of centres", env))
    monkeypatch.setattr(ippo, "collector_of", lambda env, settings: ("of settings", env))
    settings: Any = SimpleNamespace(networks=networks)
    assert ippo._collector_of("env", settings) == (kind, "env")  # type: ignore[arg-type, comparison-overlap]
