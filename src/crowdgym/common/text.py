"""Values in messages."""

from reprlib import Repr

MOST_CHARACTERS = 60


def shown(value: object) -> str:
    """A value for a message: on one line, and short, however large or deep it is, and whatever its ``repr`` raises."""
    brief = Repr()
    brief.maxstring = brief.maxother = MOST_CHARACTERS
    brief.maxlevel = 2
    try:
        return " ".join(brief.repr(value).split())
    except Exception:  # a number with too many digits; a class that raises where Repr does not expect it
        return f"an object of the class {type(value).__name__}"


def shortened(value: object) -> str:
    """A text, or another value as text, cut to what a message can hold."""
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def one_line(value: object) -> str:
    """A text for the terminal: on one line, and without what moves its cursor or turns the direction of writing.

    File names and messages of policies are chosen by others.
    """
    text = " ".join(str(value).split())
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
