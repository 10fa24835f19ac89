"""Texts in the files of entries: foreign, so limited in length and form, and refused in one sentence."""

from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import read_plain
from crowdgym.common.text import shortened
from crowdgym.common.yaml_text import parse_yaml

MOST_YAML_BYTES: Final = 2**16
MOST_CHARACTERS: Final = 300


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable characters on one line")
    return text


class Checked(BaseModel):
    """A file of an entry: known keys alone, of the right types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), AfterValidator(_printable)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]  # \Z is not needed: pydantic's $ is the very end
Hexadecimal = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
WebAddress = Annotated[str, Field(pattern=r"^https://[!-~]{1,250}$")]  # a page links it, so no other scheme

AnyFile = TypeVar("AnyFile", bound=Checked)


def read_yaml(file: Path, kind: type[AnyFile]) -> AnyFile:
    """A checked file.

    Raises:
        ConfigError: it cannot be read, or does not hold what it should; one sentence.
    """
    try:
        content = parse_yaml(read_plain(file, MOST_YAML_BYTES).decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file} must be YAML of plain values: {shortened(error)}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file} must hold names with values, got {type(content).__name__}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its content"
        given = (
            ""
            if first["type"] in ("missing", "extra_forbidden", "value_error")
            else f", got {shortened(first['input'])!r}"
        )
        raise ConfigError(f"{file}: {shortened(where)}: {first['msg'].removeprefix('Value error, ')}{given}") from None
