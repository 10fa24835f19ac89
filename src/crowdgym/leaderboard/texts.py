"""Texts in the files of entries: foreign, so limited in length and form."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

MOST_CHARACTERS: Final = 300


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("printable characters on one line")
    return text


Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), AfterValidator(_printable)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]  # here $ is the very end, as in Rust
Hexadecimal = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
WebAddress = Annotated[str, Field(pattern=r"^https://[!-~]{1,250}$")]  # a page links it, so no other scheme
