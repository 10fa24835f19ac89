"""Rules of federated learning: what the server asks of each centre, and what it makes of their answers.

Every rule is two functions of dicts of tensors. All state is the server's, so a centre has none, may be absent from a
round, and a stopped run goes on with the same bits. With P centres in all, w_t the parameters before the round, w_k the
answer of centre k with n_k examples, and means over the centres that answered:

| rule | the centre's loss l_k(w) plus | w_{t+1} |
|---|---|---|
| FedAvg | | sum n_k w_k / sum n_k |
| FedProx (Li et al. 2020) | mu / 2 abs(w - w_t)^2 | as FedAvg |
| FedDyn (Acar et al. 2021) | alpha / 2 abs(w - w_t)^2 - <g_k, w> | mean w_k - h / alpha |
| SCAFFOLD (Karimireddy et al. 2020) | <c - c_k, w> | mean w_k |
| local | | each centre goes on from its own w_k |

FedDyn: g_k <- g_k - alpha (w_k - w_t) and h <- h - alpha / P sum (w_k - w_t). SCAFFOLD: c_k <- the mean gradient of l_k
along the centre's way (its option II, which for plain gradient descent is the same and also holds for Adam), and
c <- c + 1 / P sum of the changes of c_k.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from crowdgym.agents.learning.centres import Order, Tensors, Update
from crowdgym.configs.ta_fpl import TaFplSettings

Updates = Mapping[int, Update]
ByName = dict[str, Tensor]


@dataclass(frozen=True)
class ServerState:
    """What the server keeps from one round to the next.

    Attributes:
        parameters: w_t, by name.
        common: h of FedDyn or c of SCAFFOLD, by name; empty before the first round, and where there is none.
        of_centre: g_k, c_k, or the parameters of centre k where each learns alone; by centre, by name. A centre that
            has not taken part yet is missing.
    """

    parameters: ByName
    common: ByName = field(default_factory=dict)
    of_centre: dict[int, ByName] = field(default_factory=dict)


class Strategy(Protocol):
    """A rule. No method changes its arguments."""

    def order(self, state: ServerState, centre: int, number: int) -> Order:
        """What a centre is asked in round ``number``."""

    def aggregate(self, state: ServerState, updates: Updates, num_centres: int) -> ServerState:
        """The state after a round in which some of ``num_centres`` centres have answered."""

    def deployed(self, state: ServerState, centre: int) -> ByName:
        """The parameters that a centre uses now."""


class FedAvg:
    """The mean of the centres' parameters, by their numbers of examples.

    Args:
        proximal: mu of FedProx; 0 for FedAvg.
    """

    def __init__(self, proximal: float = 0.0) -> None:
        self.proximal = proximal

    def order(self, state: ServerState, centre: int, number: int) -> Order:
        """See `Strategy`."""
        return Order(number, state.parameters, proximal=self.proximal)

    def aggregate(self, state: ServerState, updates: Updates, num_centres: int) -> ServerState:
        """See `Strategy`."""
        total = max(sum(update.num_examples for update in updates.values()), 1)
        return ServerState(_sum((u.parameters, u.num_examples / total) for u in updates.values()))

    def deployed(self, state: ServerState, centre: int) -> ByName:
        """See `Strategy`."""
        return state.parameters


class FedDyn(FedAvg):
    """A dynamic penalty, whose stationary points are those of the loss of all centres together.

    Args:
        alpha: weight of the penalty.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__(proximal=alpha)

    def order(self, state: ServerState, centre: int, number: int) -> Order:
        """See `Strategy`."""
        own = state.of_centre.get(centre, {})
        return Order(number, state.parameters, {name: -tensor for name, tensor in own.items()}, self.proximal)

    def aggregate(self, state: ServerState, updates: Updates, num_centres: int) -> ServerState:
        """See `Strategy`."""
        alpha, zero = self.proximal, _zeros(state.parameters)
        moved = {k: _less(update.parameters, state.parameters) for k, update in updates.items()}
        of_centre = {k: _sum([(state.of_centre.get(k, zero), 1.0), (way, -alpha)]) for k, way in moved.items()}
        common = _sum([(state.common or zero, 1.0), *((way, -alpha / num_centres) for way in moved.values())])
        mean = _sum((update.parameters, 1.0 / len(updates)) for update in updates.values())
        return ServerState(_sum([(mean, 1.0), (common, -1.0 / alpha)]), common, state.of_centre | of_centre)


class Scaffold(FedAvg):
    """Control variates: each centre's gradient is corrected by the difference of its mean and everyone's."""

    def order(self, state: ServerState, centre: int, number: int) -> Order:
        """See `Strategy`. A centre that has not taken part yet has c_k = 0."""
        own = state.of_centre.get(centre, _zeros(state.parameters))
        return Order(number, state.parameters, _less(state.common, own) if state.common else {})

    def aggregate(self, state: ServerState, updates: Updates, num_centres: int) -> ServerState:
        """See `Strategy`."""
        zero = _zeros(state.parameters)
        change = (_less(u.gradient, state.of_centre.get(k, zero)) for k, u in updates.items())
        common = _sum([(state.common or zero, 1.0), *((one, 1.0 / num_centres) for one in change)])
        mean = _sum((update.parameters, 1.0 / len(updates)) for update in updates.values())
        of_centre = {k: dict(update.gradient) for k, update in updates.items()}
        return ServerState(mean, common, state.of_centre | of_centre)


class Local:
    """No exchange: each centre goes on from its own parameters, which the server does not use."""

    def order(self, state: ServerState, centre: int, number: int) -> Order:
        """See `Strategy`."""
        return Order(number, self.deployed(state, centre))

    def aggregate(self, state: ServerState, updates: Updates, num_centres: int) -> ServerState:
        """See `Strategy`."""
        return replace(state, of_centre=state.of_centre | {k: dict(u.parameters) for k, u in updates.items()})

    def deployed(self, state: ServerState, centre: int) -> ByName:
        """See `Strategy`."""
        return state.of_centre.get(centre, state.parameters)


def strategy_of(settings: TaFplSettings) -> Strategy:
    """The rule that the hyperparameters name. All records in one place are FedAvg with one centre."""
    rules: dict[str, Strategy] = {
        "fedavg": FedAvg(),
        "fedprox": FedAvg(settings.proximal),
        "feddyn": FedDyn(settings.dynamic),
        "scaffold": Scaffold(),
        "local": Local(),
        "central": FedAvg(),
    }
    return rules[settings.strategy]


def _sum(parts: Iterable[tuple[Tensors, float]]) -> ByName:
    """The weighted sum, by name."""
    listed = list(parts)
    return {name: torch.stack([w * tensors[name] for tensors, w in listed]).sum(dim=0) for name in listed[0][0]}


def _less(one: Tensors, other: Tensors) -> ByName:
    return {name: tensor - other[name] for name, tensor in one.items()}


def _zeros(parameters: Tensors) -> ByName:
    return {name: torch.zeros_like(tensor) for name, tensor in parameters.items()}
