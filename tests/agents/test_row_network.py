"""The actor as compiled loops, against the actor of torch."""

from typing import Any

import numpy as np
import pytest
from drawn_networks import SETS, draw_weights, drawn_observations
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.networks import Actor  # noqa: E402
from crowdgym.agents.learning.row_network import by_rows  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402

ROWS = 200


def lively(num_actions: int, seed: int = 0, **settings: Any) -> Actor:
    """An actor whose weights and scaling are all drawn."""
    torch.manual_seed(seed)
    actor = Actor(SETS, num_actions, IppoSettings.load("csc_v0", embedding=8, heads=2, hidden=12, **settings))
    draw_weights(actor)
    return actor.eval()


def observations() -> NDArray[np.float32]:
    return drawn_observations(ROWS)


def masks(num_actions: int) -> NDArray[np.bool_]:
    generator = np.random.default_rng(2)
    legal = generator.random((ROWS, num_actions)) < 0.5
    legal[np.arange(ROWS), generator.integers(0, num_actions, ROWS)] = True
    return legal


@pytest.mark.parametrize(
    ("num_actions", "settings"),
    [(5, {}), (4, {}), (3, {"action_set": None}), (7, {}), (5, {"network": "mlp"})],
    ids=["all but one of a set", "all of a set", "no set", "more actions than the set has rows", "no attention"],
)
def test_probabilities_are_those_of_torch(num_actions: int, settings: dict[str, Any]) -> None:
    actor = lively(num_actions, **settings)
    policy = by_rows(actor)
    assert policy is not None
    with torch.inference_mode():
        expected = actor(torch.from_numpy(observations()), torch.from_numpy(masks(num_actions))).numpy()
    found = policy(observations(), masks(num_actions))
    assert (np.isneginf(found) == ~masks(num_actions)).all()
    legal = masks(num_actions)
    np.testing.assert_allclose(found[legal], expected[legal], atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("network", ["attention", "mlp"])
def test_a_row_alone_has_the_same_bits(network: str) -> None:
    policy = by_rows(lively(5, network=network))
    assert policy is not None
    together = policy(observations(), masks(5))
    alone = [policy(observations()[row : row + 1], masks(5)[row : row + 1])[0] for row in range(ROWS)]
    assert together.tobytes() == np.stack(alone).tobytes()


def test_weights_that_change_later_are_not_read() -> None:
    actor, seen, legal = lively(5), observations(), masks(5)
    before = by_rows(actor)
    assert before is not None
    found = before(seen, legal)
    with torch.no_grad():
        for parameter in actor.parameters():
            parameter.mul_(2.0)
    after = by_rows(actor)
    assert after is not None
    assert before(seen, legal).tobytes() == found.tobytes() != after(seen, legal).tobytes()


def test_a_network_of_another_class_is_left_to_torch() -> None:
    assert by_rows(torch.nn.Linear(2, 2)) is None
