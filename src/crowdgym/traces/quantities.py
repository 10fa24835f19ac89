"""What a trace follows through an episode."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.registration import environment_spec
from crowdgym.traces.format import Quantity

EXACT_OF_AGENT = Quantity(of="agent")
# Times, payments and metrics come from instances drawn through exponentials and logarithms, whose last bit may differ
# from one NumPy or processor to another.
ROUNDED = {"relative_tolerance": 1e-9, "absolute_tolerance": 1e-7}
# A fingerprint adds up thousands of 32-bit numbers, each of which may be off by its own last bit.
FINGERPRINT = {"relative_tolerance": 1e-5, "absolute_tolerance": 1e-4}


def quantities_of(env: Any) -> dict[str, Quantity]:
    """What is followed in ``env``: its state, what was chosen, rewards, metrics and a fingerprint of what is seen."""
    traced = environment_spec(env.metadata["name"]).traced
    layout, metrics = tuple(env.metadata["observation_layout"]), tuple(flat_metrics(env.metrics))
    return {
        **{name: Quantity(of=one.of, **({} if one.exact else ROUNDED)) for name, one in traced.items()},
        "chosen": EXACT_OF_AGENT,
        "reward": Quantity(of="agent", **ROUNDED),
        "metrics": Quantity(of="whole", labels=metrics, **ROUNDED),
        "observation": Quantity(of="whole", labels=layout, **FINGERPRINT),
    }


def observe_quantities(
    env: Any, observations: dict[str, NDArray[np.float32]], chosen: NDArray[np.int32], rewards: list[float]
) -> dict[str, NDArray[Any]]:
    """The present value of each of them, one row."""
    snapshot = env.snapshot()
    row = {name: np.asarray(getattr(snapshot, name)) for name in quantities_of(env) if hasattr(snapshot, name)}
    return {
        **row,
        "chosen": chosen,
        "reward": np.array(rewards, np.float64),
        "metrics": np.array(list(flat_metrics(snapshot.metrics).values()), np.float64),
        "observation": _fingerprint(env.metadata["observation_layout"], np.stack(list(observations.values()))),
    }


def flat_metrics(metrics: Any) -> dict[str, float]:
    """Metrics by name, those of several numbers one by one."""
    flat: dict[str, float] = {}
    for name, value in asdict(metrics).items():
        several = np.ndim(value) > 0
        flat |= {f"{name} {number}": one for number, one in enumerate(value)} if several else {name: value}
    return flat


def _fingerprint(layout: dict[str, Any], observations: NDArray[np.float32]) -> NDArray[np.float64]:
    """One number for each set of the observation, that changes when any of its numbers does. Shape [sets]."""
    agents, width = observations.shape
    # Weights of no particular meaning that tell the agents and the columns apart: fractions of the golden ratio.
    weight = (np.arange(1, agents * width + 1, dtype=np.float64) * 0.6180339887498949 % 1.0).reshape(agents, width)
    weighted = observations * (weight + 0.5)
    return np.array([weighted[:, part["start"] : part["stop"]].sum() for part in layout.values()])
