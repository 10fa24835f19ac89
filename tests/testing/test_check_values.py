"""How values are compared, copied, shown and spoiled by the environment checks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from crowdgym.testing.check_spaces import outside
from crowdgym.testing.check_values import Difference, first_difference, frozen, shown, spoil

NAN = float("nan")


@dataclass
class Place:
    name: str
    row: Any


class Opaque:
    """Without an == of its own."""


class Touchy:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


class Tensor:
    """As of another library: its == gives one answer for each entry."""

    def __init__(self, row: list[float]) -> None:
        self.row = np.array(row)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.row

    def __eq__(self, other: object) -> Any:
        return self.row == np.asarray(other)

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "value",
    [
        1,
        "a",
        None,
        NAN,
        np.float32(NAN),
        np.array([1.0, NAN]),
        np.array([], np.int8),
        np.array(["a", None], object),
        {"a": [1, (2.0, np.arange(3))]},
        Place("here", np.arange(2)),
        Opaque(),
        Touchy(),
        Tensor([1, NAN]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_copy_is_the_same(value: Any) -> None:
    assert first_difference(value, frozen(value)) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 2, ("", "1", "2")),
        (1, 1.0, ("", "int 1", "float 1.0")),
        (1, True, ("", "int 1", "bool True")),
        (0.0, -0.0, ("", "0.0", "-0.0")),
        (np.float32(1), np.float64(1), ("", "float32 1.0", "float64 1.0")),
        ([1, 2], [1, 3], ("[1]", "2", "3")),
        ([1, 2], [1], ("", "2 entries", "1 entries")),
        ({"a": 1}, {"b": 1}, ("['a']", "1", "no such key")),
        ({"a": 1}, {"a": 1, "b": 2}, ("['b']", "no such key", "2")),
        ({"a": (1, {"b": "x"})}, {"a": (1, {"b": "y"})}, ("['a'][1]['b']", "'x'", "'y'")),
        (np.zeros((2, 3)), np.array([[0, 0, 0], [0, 5, 6.0]]), ("[1, 1]", "0.0", "5.0")),
        (np.zeros((2, 3)), np.array([[0, 0, 0], [0, 5, 6.0]]).T.copy().T, ("[1, 1]", "0.0", "5.0")),
        (np.array(1.0), np.array(2.0), ("", "1.0", "2.0")),
        (np.zeros(2), np.zeros(3), (".shape", "(2,)", "(3,)")),
        (np.zeros(2), np.zeros(2, int), (".dtype", "float64", "int64")),
        (np.zeros(1), np.array([-0.0]), ("[0]", "0.0", "-0.0")),
        (np.array(["a", 1], object), np.array(["a", 2], object), ("[1]", "1", "2")),
        (Tensor([1, 2]), Tensor([1, 3]), ("[1]", "2", "3")),
        (Place("here", np.arange(2)), Place("here", np.array([0, 2])), (".row[1]", "1", "2")),
    ],
)
def test_the_first_difference_is_named(one: Any, other: Any, expected: tuple[str, str, str]) -> None:
    assert first_difference(one, other) == Difference(*expected)


def test_a_copy_shares_nothing() -> None:
    row = np.zeros(2)
    value = {"a": [row, (row,)], "b": Place("here", row)}
    copied = frozen(value)
    row[0] = 1
    value["a"].append(3)  # type: ignore[attr-defined]
    assert first_difference({"a": [np.zeros(2), (np.zeros(2),)], "b": Place("here", np.zeros(2))}, copied) is None


def test_what_is_spoiled_is_different_everywhere_where_it_can_be_written() -> None:
    fixed = np.ones(2)
    fixed.flags.writeable = False
    row, bits, empty = np.ones(2), np.zeros(2, bool), np.zeros(0)
    value = {"a": [row, (bits, empty)], "b": {"c": fixed}}
    spoil(value)
    assert (value, row.tolist(), bits.tolist(), fixed.tolist()) == ({}, [0, 0], [True, True], [1, 1])


def test_long_values_are_shortened() -> None:
    assert shown(np.arange(1000)) == "int64 [1000] [ 0, 1, 2, ..., 997, 998, 999]"
    assert len(shown("x" * 500)) == 90


BOX = spaces.Box(np.array([0, -np.inf], np.float32), np.array([1, np.inf], np.float32))


@pytest.mark.parametrize(
    ("space", "value", "path", "expected", "got"),
    [
        (BOX, np.array([0.5, np.inf], np.float32), "o[1]", "a finite number", "inf"),
        (BOX, np.array([-0.5, 0], np.float32), "o[0]", "within 0.0..1.0", "-0.5"),
        (spaces.Box(0, 9, (2, 2), np.int8), np.array([[0, 1], [2, 10]], np.int8), "o[1, 1]", "within 0..9", "10"),
        (spaces.Box(0, 1, (2,), np.float64), np.zeros(2, np.float32), "o.dtype", "float64", "float32"),
        (spaces.Box(0, 1, (), np.float32), np.float32(2), "o", "within 0.0..1.0", "2.0"),
        (spaces.Discrete(3), np.int64(3), "o", "a member of Discrete(3)", "int64 3"),
        (spaces.MultiBinary(2), np.array([0, 2], np.int8), "o", "a member of MultiBinary(2)", "int8 [2] [0, 2]"),
        (spaces.Dict(a=BOX, b=BOX), {"a": np.zeros(2, np.float32)}, "o", "the keys ['a', 'b']", "['a']"),
        (spaces.Dict(a=spaces.Dict(b=spaces.Discrete(2))), {"a": {"b": 2}}, "o['a']['b']",
         "a member of Discrete(2)", "int 2"),
        (spaces.Tuple([spaces.Discrete(2)] * 2), (0, 2), "o[1]", "a member of Discrete(2)", "int 2"),
        (spaces.Tuple([spaces.Discrete(2)] * 2), [0, 1], "o", "a tuple of 2", "list [0, 1]"),
        (spaces.Dict(a=BOX), (1,), "o", "a dict", "tuple (1,)"),
    ],
)  # fmt: skip
def test_where_a_value_leaves_its_space_is_named(space: Any, value: Any, path: str, expected: str, got: str) -> None:
    assert outside(space, value, "o") == Difference(path, expected, got)


def test_what_the_spaces_themselves_draw_is_inside() -> None:
    space = spaces.Dict(
        a=BOX, b=spaces.Tuple([spaces.Discrete(3), spaces.MultiDiscrete([2, 3])]), c=spaces.MultiBinary(4)
    )
    space.seed(0)
    for _ in range(20):
        assert outside(space, space.sample(), "o") is None
