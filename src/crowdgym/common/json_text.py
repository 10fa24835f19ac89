"""JSON from files that others may have written: limits before, and one sentence instead of a traceback."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, NoReturn

_HALF = re.compile("[\ud800-\udfff]")
MOST_LEVELS = 32  # of lists and objects inside each other
MOST_PARTS = 5_000_000
MOST_DIGITS = 400  # of a number; the longest finite float in full has 309


def parse_json(text: bytes | str) -> Any:
    """The content of a JSON text in UTF-8.

    Raises:
        ValueError: in a few words what is wrong: no UTF-8, no JSON, a key twice, more than `MOST_LEVELS` levels, a
            number with more than `MOST_DIGITS` digits, NaN or Infinity, half a character.
    """
    try:
        content = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            parse_int=_whole,
            parse_float=_decimal,
            parse_constant=_refused,
            object_pairs_hook=_without_duplicates,
        )
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError(f"it has more than {MOST_LEVELS} levels") from None
    if any(_HALF.search(text) for text in texts_in(content)):
        raise ValueError("it holds half a character")
    return content


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    value = float(digits)
    if len(digits) > MOST_DIGITS or math.isinf(value):
        raise ValueError(f"the number {digits[:20]} is too long or too large")
    return value


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:60]!r} is there twice")
    return entries


def texts_in(content: Any) -> Iterator[str]:
    """All texts of a content of JSON, keys included.

    Raises:
        ValueError: it has more than `MOST_LEVELS` levels, or more than `MOST_PARTS` values on one.
    """
    level, below = [content], 0
    while level:
        if below > MOST_LEVELS:
            raise ValueError(f"it has more than {MOST_LEVELS} levels")
        if len(level) > MOST_PARTS:  # aliases of YAML can stand for more than a file could hold
            raise ValueError(f"it has more than {MOST_PARTS:,} values on a level")
        yield from (value for value in level if isinstance(value, str))
        yield from (key for value in level if isinstance(value, dict) for key in value)
        inner = [value.values() if isinstance(value, dict) else value for value in level if _has_parts(value)]
        level, below = list(islice(chain.from_iterable(inner), MOST_PARTS + 1)), below + 1


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict | list)
