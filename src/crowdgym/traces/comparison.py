"""Comparison of two traces of one episode: the first difference."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.traces.format import Quantity, Trace


@dataclass(frozen=True)
class Mismatch:
    """The first thing that differs.

    Attributes:
        step: 0 after ``reset``, k after the k-th step.
        where: the agent, the task, or the part of the whole.
        quantity: its name in the trace.
        expected: the value in the first trace.
        got: the value in the second.
    """

    step: int
    where: str
    quantity: str
    expected: float | str
    got: float | str

    def __str__(self) -> str:
        place = "after reset" if self.step == 0 else f"step {self.step}"
        return f"{place}, {self.where}: {self.quantity} expected {self.expected}, got {self.got}"


def compare(expected: Trace, got: Trace) -> Mismatch | None:
    """The first mismatch: earliest step, then in the order of the quantities; None where there is none.

    The header of ``expected`` gives the tolerances of each quantity.
    """
    for name in expected.values:
        if name not in got.values:
            return Mismatch(0, "the whole", name, "to be there", "nothing")
        shapes = expected.values[name].shape[1:], got.values[name].shape[1:]
        if shapes[0] != shapes[1]:
            return Mismatch(0, "the whole", name, f"{shapes[0][0]} columns", f"{shapes[1][0]}")
    first: Mismatch | None = None
    for name, quantity in expected.header.quantities.items():
        found = _first_difference(expected, got, name, quantity)
        if found is not None and (first is None or found.step < first.step):
            first = found
    if first is None and expected.header.steps != got.header.steps:
        steps = expected.header.steps, got.header.steps
        return Mismatch(min(steps), "the whole", "steps", *steps)
    return first


def _first_difference(expected: Trace, got: Trace, name: str, quantity: Quantity) -> Mismatch | None:
    rows = min(len(expected.values[name]), len(got.values[name]))
    left, right = expected.values[name][:rows], got.values[name][:rows]
    differs = ~_agrees(left, right, quantity)  # [rows, columns]
    steps = np.flatnonzero(differs.any(axis=1))
    if not len(steps):
        return None
    step = int(steps[0])
    column = int(np.flatnonzero(differs[step])[0])
    where, what = _named(expected, quantity, name, column)
    return Mismatch(step, where, what, left[step, column].item(), right[step, column].item())


def _agrees(left: NDArray[Any], right: NDArray[Any], quantity: Quantity) -> NDArray[np.bool_]:
    if left.dtype.kind != "f":
        return np.asarray(left == right)
    relative, absolute = quantity.relative_tolerance, quantity.absolute_tolerance
    return np.asarray(np.isclose(right, left, rtol=relative, atol=absolute, equal_nan=True))


def _named(trace: Trace, quantity: Quantity, name: str, column: int) -> tuple[str, str]:
    """Whose value a column is, and what to call it."""
    if quantity.of == "agent":
        return trace.header.agents[column], name
    if quantity.of == "whole":
        return "the whole", f"{name} {quantity.labels[column]}"
    return f"{quantity.of} {column}", name
