"""Actor and critic as compiled loops, against those of torch: results and derivatives."""

from typing import Any

import numpy as np
import pytest
from drawn_networks import SETS, draw_weights, drawn_observations

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.block_network import for_learning  # noqa: E402
from crowdgym.agents.learning.by_centre import ByCentre  # noqa: E402
from crowdgym.agents.learning.networks import Actor, Critic  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402

ROWS = 70  # two full blocks and a part of one


def settings(**keywords: Any) -> IppoSettings:
    return IppoSettings.load("csc_v0", **{"embedding": 8, "heads": 2, "hidden": 13, **keywords})


def lively(network: Any) -> Any:
    """The network with all weights and scalings drawn."""
    torch.manual_seed(0)
    draw_weights(network)
    return network


def observations() -> Any:
    return torch.from_numpy(drawn_observations(ROWS))


def masks(num_actions: int) -> Any:
    legal = np.random.default_rng(2).random((ROWS, num_actions)) < 0.5
    legal[:, 0] = True
    return torch.from_numpy(legal)


def agree(network: Any, *given: Any) -> None:
    """The results, and the derivatives of a sum of them with drawn weights, are those of torch up to rounding."""
    loops = for_learning(network)
    assert loops is not network
    found, expected = loops(*given), network(*given)
    there = torch.isfinite(expected)
    assert torch.equal(torch.isfinite(found), there)
    assert torch.allclose(found[there], expected[there], rtol=1e-4, atol=1e-5)
    lots = torch.from_numpy(np.random.default_rng(3).normal(size=expected.shape).astype(np.float32))
    slopes = [torch.autograd.grad((lots * each)[there].sum(), list(network.parameters())) for each in (found, expected)]
    for (name, _), ours, theirs in zip(network.named_parameters(), *slopes, strict=True):
        least = 1e-5 + 1e-4 * float(theirs.abs().max())  # of scores that all rise at once, nothing but rounding is left
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=least), name
        assert ours.abs().max() > 0, name


@pytest.mark.parametrize(
    ("num_actions", "keywords"),
    [(5, {}), (4, {}), (3, {"action_set": None}), (7, {}), (5, {"heads": 1, "embedding": 6, "hidden": 8})],
    ids=["holding and the rows of a set", "the rows alone", "no set", "more actions than the set has rows", "one head"],
)
def test_an_actor(num_actions: int, keywords: dict[str, Any]) -> None:
    agree(lively(Actor(SETS, num_actions, settings(**keywords))), observations(), masks(num_actions))


@pytest.mark.parametrize("terms", [1, 3])
def test_a_critic(terms: int) -> None:
    agree(lively(Critic(SETS, settings(), terms)), observations())


def test_a_decision_does_not_depend_on_those_beside_it() -> None:
    critic = for_learning(lively(Critic(SETS, settings())))
    seen = observations()
    assert torch.equal(critic(seen)[40:45], critic(seen[40:45]))


def test_weights_are_read_at_every_call() -> None:
    network = lively(Critic(SETS, settings()))
    critic, seen = for_learning(network), observations()
    before = critic(seen)
    with torch.no_grad():
        network.head.bias += 1.0
    assert torch.allclose(critic(seen), before + 1.0, atol=1e-5)


def test_no_derivative_is_added_to_that_of_the_call_before() -> None:
    network = lively(Critic(SETS, settings()))
    critic, seen = for_learning(network), observations()
    first, second = (torch.autograd.grad(critic(seen).sum(), network.head.bias)[0] for _ in range(2))
    assert first.tolist() == second.tolist() == [ROWS]


def test_other_networks_learn_as_they_are() -> None:
    """No attention, another class, one of each centre, numbers in double precision."""
    for network in (
        Actor(SETS, 5, settings(network="mlp")),
        torch.nn.Linear(2, 1),
        ByCentre([Critic(SETS, settings())]),
        Critic(SETS, settings()).double(),
    ):
        assert for_learning(network) is network
