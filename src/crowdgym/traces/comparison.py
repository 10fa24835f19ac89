"""Comparison of two traces of one episode: the first difference."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.text import shortened
from crowdgym.traces.format import Quantity, Trace, TraceHeader


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
    """The first mismatch; None where there is none.

    First what the headers say of the episode, then the quantities by step, then the final metrics. The header of
    ``got``, which is a replay, gives the tolerances of each quantity. What is for people (``agent``, ``written_with``)
    is not compared. Neither is the setting "strict", without which every replay is played; a setting that ``expected``
    leaves out has the value that the code gives it.
    """
    return (
        _other_heading(expected.header, got.header)
        or compare_lists(expected, got)
        or _other_values(expected, got)
        or _other_metrics(expected.header, got.header)
    )


def _other_heading(expected: TraceHeader, got: TraceHeader) -> Mismatch | None:
    for name, value in expected.settings.items():
        here = got.settings.get(name, "nothing")
        if not _same(value, here) and not (name == "strict" and isinstance(value, bool)):
            return Mismatch(0, "the whole", f"the setting {name}", shortened(value), shortened(here))
    for name in ("env", "seed", "instance", "options", "road_checksum", "files", "agents"):
        values = getattr(expected, name), getattr(got, name)
        if not _same(*values):
            return Mismatch(0, "the whole", f"{name} of the header", *map(shortened, values))
    return None


def compare_lists(expected: Trace, got: Trace) -> Mismatch | None:
    """The first mismatch in what is recorded, whatever the values: names, sizes, types, tolerances; None for none."""
    kinds = [f"{one.actions.shape[1]} columns of {one.actions.dtype}" for one in (expected, got)]
    if kinds[0] != kinds[1]:
        return Mismatch(0, "the whole", "actions", *kinds)
    for kind, left, right in (
        ("", set(expected.values), set(got.values)),
        ("final metric ", set(expected.header.metrics), set(got.header.metrics)),
    ):
        for name in sorted(left ^ right):
            there = ("it", "nothing") if name in left else ("nothing", "it")
            return Mismatch(0, "the whole", kind + shortened(name), *there)
    for name in got.values:
        kinds = [f"{one.values[name].shape[1]} columns of {one.values[name].dtype}" for one in (expected, got)]
        if kinds[0] != kinds[1]:
            return Mismatch(0, "the whole", name, *kinds)
        ways = [one.header.quantities[name] for one in (expected, got)]
        if ways[0] != ways[1]:
            return Mismatch(0, "the whole", f"how {name} is compared", *map(_way, ways))
    return None


def _other_values(expected: Trace, got: Trace) -> Mismatch | None:
    first: Mismatch | None = None
    for name, quantity in got.header.quantities.items():
        found = _first_difference(expected, got, name, quantity)
        if found is not None and (first is None or found.step < first.step):
            first = found
    if first is None and expected.header.steps != got.header.steps:
        steps = expected.header.steps, got.header.steps
        return Mismatch(min(steps), "the whole", "steps", *steps)
    return first


def _other_metrics(expected: TraceHeader, got: TraceHeader) -> Mismatch | None:
    for name, value in got.metrics.items():
        if not _agrees(np.asarray(expected.metrics[name]), np.asarray(float(value)), got.quantities["metrics"]):
            return Mismatch(got.steps, "the whole", f"final metric {shortened(name)}", expected.metrics[name], value)
    return None


def _same(left: object, right: object) -> bool:
    """Whether two values of JSON are the same, as text: 1, 1.0 and true are three."""
    return _as_json(left) == _as_json(right)


def _as_json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _way(quantity: Quantity) -> str:
    labels = f", labels {', '.join(quantity.labels)}" if quantity.labels else ""
    tolerances = f"to {quantity.relative_tolerance:g} and {quantity.absolute_tolerance:g}"
    return shortened(f"{tolerances}, of {quantity.of}{labels}")


def _first_difference(expected: Trace, got: Trace, name: str, quantity: Quantity) -> Mismatch | None:
    rows = min(len(expected.values[name]), len(got.values[name]))
    left, right = expected.values[name][:rows], got.values[name][:rows]
    differs = ~_agrees(left, right, quantity)  # [rows, columns]
    steps = np.flatnonzero(differs.any(axis=1))
    if not len(steps):
        return None
    step = int(steps[0])
    column = int(np.flatnonzero(differs[step])[0])
    where, what = _named(got, quantity, name, column)
    return Mismatch(step, where, what, left[step, column].item(), right[step, column].item())


def _agrees(left: NDArray[Any], right: NDArray[Any], quantity: Quantity) -> NDArray[np.bool_]:
    """Where ``left`` is what ``right``, the replay, allows."""
    if right.dtype.kind != "f":
        return np.asarray(left == right)
    relative, absolute = quantity.relative_tolerance, quantity.absolute_tolerance
    with np.errstate(all="ignore"):  # the numbers of a file may be any
        return np.asarray(np.isclose(left, right, rtol=relative, atol=absolute, equal_nan=True))


def _named(trace: Trace, quantity: Quantity, name: str, column: int) -> tuple[str, str]:
    """Whose value a column is, and what to call it."""
    if quantity.of == "agent":
        return trace.header.agents[column], name
    if quantity.of == "whole":
        return "the whole", f"{name} {quantity.labels[column]}"
    return f"{quantity.of} {column}", name
