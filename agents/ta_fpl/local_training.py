"""The descent of one centre in one round, whatever its loss: an optimiser's steps with the server's two terms."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from crowdgym.agents.learning.centres import Order


@dataclass(frozen=True)
class Descent:
    """Where a descent arrived.

    Attributes:
        parameters: by name.
        gradient: mean over the steps of the gradient of the loss, without the server's terms.
        loss: mean over the steps.
    """

    parameters: dict[str, Tensor]
    gradient: dict[str, Tensor]
    loss: float


def descend(
    module: nn.Module,
    losses: Iterable[Callable[[], Tensor]],
    order: Order,
    optimiser: torch.optim.Optimizer,
    max_gradient_norm: float | None = None,
) -> Descent:
    """Take a step for each loss, on the loss plus  <linear, w> + proximal / 2 |w - w_t|^2.

    Args:
        module: its parameters are set to those of the order first; those after the last step stay in it.
        losses: each computes the loss of the present parameters.
        order: of the server.
        optimiser: of the module's parameters, fresh.
        max_gradient_norm: of a step; longer gradients are scaled down.
    """
    module.load_state_dict(dict(order.parameters))
    weights = dict(module.named_parameters())
    mean = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    total, steps = 0.0, 0
    for loss_of in losses:
        optimiser.zero_grad()
        loss = loss_of()
        loss.backward()  # type: ignore[no-untyped-call]
        for name, weight in weights.items():
            if weight.grad is not None:
                mean[name] += weight.grad
        _add_terms(weights, order)
        if max_gradient_norm is not None:
            nn.utils.clip_grad_norm_(weights.values(), max_gradient_norm)
        optimiser.step()
        total, steps = total + float(loss.detach()), steps + 1
    share = 1.0 / max(steps, 1)
    arrived = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    return Descent(arrived, {name: share * gradient for name, gradient in mean.items()}, share * total)


def _add_terms(weights: dict[str, nn.Parameter], order: Order) -> None:
    """Add the gradient of the server's terms."""
    with torch.no_grad():
        for name, weight in weights.items():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            if name in order.linear:
                weight.grad += order.linear[name]
            if order.proximal > 0:
                weight.grad += order.proximal * (weight - order.parameters[name])
