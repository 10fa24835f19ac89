"""Files that were spoilt at a few places, for property tests of their readers."""

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Edit = tuple[int, int, bytes]  # where, how many bytes are taken away, and what is put there

PIECES: tuple[bytes, ...] = (
    *(sign.encode() for sign in ' ",:;-.019ent[]{}\n\r\t\0é\ufeff!&*?|#%'),
    *(b"", b"\xff", b"\x80\x00", b"nan", b"Infinity", b"-1e400", b"null", b"true", b"!!python/object", b"<<: *a"),
    *(b"[" * 50, b"{" * 50, b"9" * 50, b"\x00" * 8, b"\xff" * 8, b"PK\x03\x04", b"\x93NUMPY"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 2**63, -(10**30), 1e300, "", "x", "é\0", "/dev/zero", "../..", [], {}, [[]], {"a": {}}),
    *([0] * 50, "9" * 50, ["a", "a"], {"": None}),
)


EDITS: SearchStrategy[list[Edit]] = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from([0, 1, 1, 4, 20, 200, 10**6]), st.sampled_from(PIECES)),
    min_size=1,
    max_size=5,
)
ODD_PLACES: SearchStrategy[list[tuple[int, Any]]] = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(ODD_VALUES)), min_size=1, max_size=2
)


def often(examples: int) -> settings:
    """So many examples, each in the same temporary folder; the one that fails is not made smaller, which takes long."""
    return settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def spoilt(content: bytes, changes: Sequence[Edit]) -> bytes:
    """The content with the edits. A place is counted around: any number is one."""
    for place, length, piece in changes:
        at = place % (len(content) + 1)
        content = content[:at] + piece + content[at + length :]
    return content


def with_odd_values(document: Any, changes: Sequence[tuple[int, Any]]) -> Any:
    """A copy of a document of dicts and lists with other values at some places."""
    document = copy.deepcopy(document)
    for number, value in changes:
        places = list(_places(document))
        if places:
            holder, key = places[number % len(places)]
            holder[key] = copy.deepcopy(value)
    return document


def _places(document: Any) -> list[tuple[Any, Any]]:
    keys = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    places = [(document, key) for key in keys]
    return places + [place for key in keys for place in _places(document[key])]
