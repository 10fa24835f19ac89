"""What is followed through an episode, for each environment."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.traces.format import Quantity

EXACT = Quantity(of="agent")
EXACT_OF_TASK = Quantity(of="task")

# Times, payments and metrics come from instances drawn through exponentials and logarithms, whose last bit may differ
# from one NumPy or processor to another.
FIGURE_OF_AGENT = Quantity(of="agent", relative_tolerance=1e-9, absolute_tolerance=1e-7)
FIGURE_OF_TASK = FIGURE_OF_AGENT.model_copy(update={"of": "task"})
METRIC = FIGURE_OF_AGENT.model_copy(update={"of": "whole"})
# A fingerprint adds up thousands of 32-bit numbers, each of which may be off by its own last bit.
FINGERPRINT = Quantity(of="whole", relative_tolerance=1e-5, absolute_tolerance=1e-4)

CSC_QUANTITIES: dict[str, Quantity] = {
    "worker_status": EXACT,
    "worker_task": EXACT,
    "worker_node": EXACT,
    "worker_goal": EXACT,
    "depart_s": FIGURE_OF_AGENT,
    "arrive_s": FIGURE_OF_AGENT,
    "free_s": FIGURE_OF_AGENT,
    "worker_illegal": EXACT,
    "task_status": EXACT_OF_TASK,
    "workers_present": EXACT_OF_TASK,
    "workers_en_route": EXACT_OF_TASK,
    "end_s": FIGURE_OF_TASK,
    "paid": FIGURE_OF_TASK,
}

SENSING_QUANTITIES: dict[str, Quantity] = {
    "participant_cell": Quantity(of="participant"),
    "travel_km": FIGURE_OF_AGENT.model_copy(update={"of": "participant"}),
    "crowd": Quantity(of="cell"),
    "cell_error": FIGURE_OF_AGENT.model_copy(update={"of": "cell"}),
}

EXACT_OF_WORKER = Quantity(of="worker")
FIGURE_OF_WORKER = FIGURE_OF_AGENT.model_copy(update={"of": "worker"})

DASC_QUANTITIES: dict[str, Quantity] = {
    "worker_status": EXACT_OF_WORKER,
    "worker_subtask": EXACT_OF_WORKER,
    "worker_node": EXACT_OF_WORKER,
    "worker_goal": EXACT_OF_WORKER,
    "depart_s": FIGURE_OF_WORKER,
    "free_s": FIGURE_OF_WORKER,
    "task_status": EXACT_OF_TASK,
    "end_s": FIGURE_OF_TASK,
    "paid": FIGURE_OF_TASK,
    "subtask_status": EXACT,
    "subtask_worker": EXACT,
    "arrive_s": FIGURE_OF_AGENT,
    "start_s": FIGURE_OF_AGENT,
    "finish_s": FIGURE_OF_AGENT,
    "outcome": EXACT,
    "illegal": EXACT,
    "invalid": EXACT,
    "unmatched": EXACT,
}

_QUANTITIES = {"csc_v0": CSC_QUANTITIES, "dasc_v0": DASC_QUANTITIES, "sensing_v0": SENSING_QUANTITIES}


def quantities_of(env: Any) -> dict[str, Quantity]:
    """What is followed in ``env``: its state, what was chosen, rewards, metrics and a fingerprint of what is seen."""
    snapshot = _QUANTITIES[env.metadata["name"]]
    return {
        **snapshot,
        "chosen": EXACT,
        "reward": FIGURE_OF_AGENT,
        "metrics": METRIC.model_copy(update={"labels": tuple(flat_metrics(env.metrics))}),
        "observation": FINGERPRINT.model_copy(update={"labels": tuple(env.metadata["observation_layout"])}),
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
