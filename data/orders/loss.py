"""How much of a source was lost, and which option of ``crowdgym data build`` would help."""

from collections.abc import Mapping

from crowdgym.data.orders.raw import (
    BAD_COORDINATES,
    BAD_TIME,
    DECIMAL_COMMA,
    FAR_UNLESS_SWAPPED,
    MISSING_COORDINATES,
    MISSING_ID,
    MISSING_NODE,
    MISSING_TIME,
    MISSING_ZONE,
    OUT_OF_RANGE,
    REPEATED,
    SWAPPED,
    TOO_FAR,
    UNKNOWN_NODE,
    UNKNOWN_ZONE,
    WRONG_COLUMNS,
)
from crowdgym.data.orders.times import format_hint

LEAST_SHARE_KEPT = 0.5

_SWAP = "are latitude and longitude swapped? --column origin_lng=... and --column origin_lat=... say which is which"
_OTHER_COLUMN = "--column names another column"
_ADVICE = {
    WRONG_COLUMNS: "rows are longer or shorter than the header; is the sign between columns in a field without quotes?",
    MISSING_TIME: _OTHER_COLUMN,
    MISSING_COORDINATES: _OTHER_COLUMN,
    BAD_COORDINATES: "--column names another column",
    DECIMAL_COMMA: "--decimal-comma reads 104,07 as 104.07",
    OUT_OF_RANGE: "--crs names the system that the coordinates are in, such as EPSG:32632 for metres",
    SWAPPED: _SWAP,
    MISSING_NODE: _OTHER_COLUMN,
    UNKNOWN_NODE: "the ids are not those of the nodes of the roads; do roads and orders belong together?",
    MISSING_ZONE: _OTHER_COLUMN,
    UNKNOWN_ZONE: "the ids are not those of --zones",
    MISSING_ID: _OTHER_COLUMN,
    TOO_FAR: "--max-snap-m allows more; do roads and orders belong together, and is --crs right?",
    FAR_UNLESS_SWAPPED: _SWAP,
    REPEATED: "files may be given twice",
}


def loss_reasons(unusable: Mapping[str, int], examples: Mapping[str, str]) -> str:
    """The reasons with their counts and an example of each, the most frequent first."""
    ordered = sorted(unusable.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} with {reason}{example_of(reason, examples)}" for reason, count in ordered)


def example_of(reason: str, examples: Mapping[str, str]) -> str:
    """An example of a value, for a line that names the reason; "" where there is none."""
    return f", such as {examples[reason]!r}" if examples.get(reason) else ""


def advice_for(unusable: Mapping[str, int], examples: Mapping[str, str], at_most: int = 2) -> list[str]:
    """Which options would help against the most frequent reasons."""
    ordered = sorted(unusable, key=lambda reason: -unusable[reason])
    said = [format_hint(examples.get(reason, "")) if reason == BAD_TIME else _ADVICE.get(reason) for reason in ordered]
    return list(dict.fromkeys(text for text in said if text))[:at_most]


def verdict(rows: int, kept_rows: int, unusable: Mapping[str, int], examples: Mapping[str, str]) -> str | None:
    """A sentence about a source of which less than half was kept, or None.

    Args:
        rows: rows read.
        kept_rows: rows that became an order of the stream or a part of one.
        unusable: rows left out, by reason.
        examples: an example value for each reason.
    """
    if not rows or kept_rows >= LEAST_SHARE_KEPT * rows:
        return None
    advice = "; ".join(advice_for(unusable, examples))
    return (
        f"only {kept_rows:,} of {rows:,} rows are kept ({100 * kept_rows / rows:.0f} %): "
        f"{loss_reasons(unusable, examples)}; {advice}"
    )
