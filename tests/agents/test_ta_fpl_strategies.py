"""The rules of federated learning on quadratic losses, whose minimum is known, and on the model."""

from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from torch import Tensor, nn  # noqa: E402
from worlds.ta_fpl_worlds import PLACES, settings, task  # noqa: E402

from crowdgym.agents.learning.centres import Order, Update  # noqa: E402
from crowdgym.agents.ta_fpl.client import TaFplClient  # noqa: E402
from crowdgym.agents.ta_fpl.local_training import descend  # noqa: E402
from crowdgym.agents.ta_fpl.model import initial_parameters  # noqa: E402
from crowdgym.agents.ta_fpl.strategies import FedAvg, FedDyn, Local, Scaffold, ServerState, Strategy  # noqa: E402

# Centre k has the loss  a_k / 2 (w - b_k)^2;  all together are least at  sum a_k b_k / sum a_k.
CURVATURE = torch.tensor([[1.0, 3.0], [4.0, 0.5], [0.3, 2.0]], dtype=torch.float64)
MINIMUM = torch.tensor([[2.0, -1.0], [-3.0, 4.0], [6.0, 0.5]], dtype=torch.float64)
TOGETHER = (CURVATURE * MINIMUM).sum(dim=0) / CURVATURE.sum(dim=0)
STEPS, LEARNING_RATE = 20, 0.1


class Point(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2, dtype=torch.float64))


def fit(order: Order, curvature: Tensor, minimum: Tensor) -> Update:
    """Twenty steps of gradient descent."""
    module = Point()

    def loss() -> Tensor:
        return (curvature / 2 * (module.w - minimum) ** 2).sum()

    descent = descend(module, [loss] * STEPS, order, torch.optim.SGD(module.parameters(), LEARNING_RATE))
    return Update(descent.parameters, descent.gradient, 1, {"loss": descent.loss})


def play(
    strategy: Strategy, rounds: int, curvature: Tensor = CURVATURE, minimum: Tensor = MINIMUM, takes_part: int = 3
) -> ServerState:
    """Some rounds, of ``takes_part`` centres in turn."""
    state = ServerState({"w": torch.zeros(2, dtype=torch.float64)})
    for number in range(rounds):
        chosen = [(number + i) % 3 for i in range(takes_part)]
        updates = {k: fit(strategy.order(state, k, number), curvature[k], minimum[k]) for k in chosen}
        state = strategy.aggregate(state, updates, 3)
    return state


def miss(state: ServerState) -> float:
    return float((state.parameters["w"] - TOGETHER).abs().max())


@pytest.mark.parametrize("strategy", [FedDyn(0.5), FedDyn(1.0), Scaffold()])
def test_feddyn_and_scaffold_reach_the_minimum_of_all_centres(strategy: Strategy) -> None:
    assert miss(play(strategy, 60)) < 1e-4


@pytest.mark.parametrize("strategy", [FedAvg(), FedAvg(proximal=0.1)])
def test_fedavg_and_fedprox_miss_it(strategy: Strategy) -> None:
    assert miss(play(strategy, 60)) > 0.1


@pytest.mark.parametrize("strategy", [FedDyn(0.5), Scaffold()])
def test_they_reach_it_where_two_of_three_centres_take_part(strategy: Strategy) -> None:
    assert miss(play(strategy, 120, takes_part=2)) < 1e-3


def test_where_all_centres_are_alike_h_falls_to_0() -> None:
    alike = (CURVATURE[:1].expand(3, 2), MINIMUM[:1].expand(3, 2))
    early, late = (play(FedDyn(0.5), rounds, *alike) for rounds in (2, 60))
    assert float(early.common["w"].abs().max()) > 0.01
    assert float(late.common["w"].abs().max()) < 1e-4


def test_scaffold_s_variates_are_the_mean_gradients() -> None:
    """For plain descent from w_t to w_k, the mean gradient is (w_t - w_k) / (steps x learning rate): option II."""
    start = {"w": torch.tensor([1.0, 1.0], dtype=torch.float64)}
    update = fit(Order(0, start), CURVATURE[0], MINIMUM[0])
    expected = (start["w"] - update.parameters["w"]) / (STEPS * LEARNING_RATE)
    torch.testing.assert_close(update.gradient["w"], expected)


def test_fedavg_weighs_by_examples() -> None:
    parameters = [{"w": torch.tensor([0.0])}, {"w": torch.tensor([4.0])}]
    updates = {
        k: Update(own, own, examples, {}) for k, (own, examples) in enumerate(zip(parameters, (3, 1), strict=True))
    }
    state = FedAvg().aggregate(ServerState({"w": torch.zeros(1)}), updates, 2)
    assert state.parameters["w"].tolist() == [1.0]


def test_alone_each_centre_reaches_its_own_minimum() -> None:
    strategy = Local()
    state = play(strategy, 30)
    for k in range(3):
        torch.testing.assert_close(strategy.deployed(state, k)["w"], MINIMUM[k], rtol=0, atol=1e-4)
    assert state.parameters["w"].tolist() == [0.0, 0.0]


def test_the_server_s_terms_by_hand() -> None:
    """One step from w = 3: gradient 2 (3 - 1) + 5 + 10 (3 - 3) = 9; the second also has 10 (w - 3)."""
    start, linear = torch.full((2,), 3.0, dtype=torch.float64), torch.full((2,), 5.0, dtype=torch.float64)
    order = Order(0, {"w": start}, {"w": linear}, proximal=10.0)
    module = Point()

    def loss() -> Tensor:
        return ((module.w - 1.0) ** 2).sum()

    descent = descend(module, [loss] * 2, order, torch.optim.SGD(module.parameters(), 0.01))
    first = 3.0 - 0.01 * 9.0
    second = first - 0.01 * (2 * (first - 1) + 5 + 10 * (first - 3.0))
    np.testing.assert_allclose(descent.parameters["w"].numpy(), [second, second])
    np.testing.assert_allclose(descent.gradient["w"].numpy(), 2 * [(4.0 + 2 * (first - 1)) / 2])


def test_one_centre_is_central_training_bit_for_bit() -> None:
    """A round of FedAvg with one centre is its local training, with a fresh optimiser; FedDyn's and others' are too."""
    client, start = TaFplClient(task()), initial_parameters(PLACES, settings(), 0)
    by_hand = start
    for number in range(2):
        by_hand = dict(client.fit(Order(number, by_hand)).parameters)
    for strategy in (FedAvg(), Scaffold(), Local()):
        state = ServerState(start)
        for number in range(2):
            state = strategy.aggregate(state, {0: client.fit(strategy.order(state, 0, number))}, 1)
        _assert_equal(strategy.deployed(state, 0), by_hand, exactly=not isinstance(strategy, Scaffold))


def _assert_equal(one: dict[str, Tensor], other: dict[str, Tensor], *, exactly: bool) -> None:
    compare: Callable[[Tensor, Tensor], bool] = torch.equal if exactly else torch.allclose
    assert all(compare(one[name], other[name]) for name in other)
