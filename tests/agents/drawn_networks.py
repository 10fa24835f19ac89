"""Sets, observations and weights for tests of networks; all numbers are drawn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.layout import ObservationLayout

SETS = ObservationLayout.of(
    (
        ("w_self", 1, ("x", "idle")),
        ("own_task", 1, ("present", "work")),
        ("T_optional", 4, ("present", "work", "distance")),
        ("W_near", 3, ("present", "near")),
        ("always", 2, ("price",)),
    )
).sets


def drawn_observations(rows: int) -> NDArray[np.float32]:
    """Rows that are there or not by chance, so that some sets are empty; values in absent rows are left in."""
    generator = np.random.default_rng(1)
    seen = (3.0 * generator.normal(size=(rows, SETS[-1].stop))).astype(np.float32)
    for part in SETS:
        if part.may_be_empty:
            part.take(seen)[:, :, 0] = generator.random((rows, part.rows)) < 0.4
    return seen


def draw_weights(network: Any) -> None:
    """Draw all weights and scalings of a network, from the generator of torch."""
    import torch

    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    for name, buffer in network.named_buffers():
        buffer.copy_(torch.rand_like(buffer) + (0.5 if "deviation" in name else 0.0))
