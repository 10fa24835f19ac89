"""JSON of others: limits, and a few words about what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdgym.common.json_text import MOST_LEVELS, parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_python_writes_is_read_as_it_was(value: Any) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character
        return
    assert parse_json(text) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_few_words(content: bytes) -> None:
    said = ""
    try:
        parse_json(content)
    except ValueError as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff", "no text in UTF-8"),
        ("", "no JSON"),
        ("{'a': 1}", "no JSON: .* at line 1, column 2"),
        ("NaN", "NaN is no number of JSON"),
        ("[-Infinity]", "-Infinity is no number of JSON"),
        ("1e999", "the number 1e999 is too long or too large"),
        ("9" * 401, "a number has 401 digits"),
        ("9" * 100_000, "digits"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' is there twice"),
        ("[" * 100_000, "levels"),
        ('{"a":' * 100_000, "levels"),
        ("[" * (MOST_LEVELS + 1) + "1" + "]" * (MOST_LEVELS + 1), f"more than {MOST_LEVELS} levels"),
        ('"\\ud800"', "half a character"),
        ('{"\\udfff": 1}', "half a character"),
    ],
)
def test_what_is_refused(text: bytes | str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_json(text)


def test_what_is_just_within_the_limits() -> None:
    assert parse_json("[" * MOST_LEVELS + "1" + "]" * MOST_LEVELS)
    assert parse_json("9" * 400) == int("9" * 400)
