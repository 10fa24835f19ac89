"""YAML files of users that hold a checked document: a suite, the plan of a sweep."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import read_plain
from crowdgym.common.text import shown
from crowdgym.common.yaml_text import parse_yaml

MOST_BYTES = 2**20  # of a file


class Checked(BaseModel):
    """A document, or a part of one: known keys alone, of the right types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Document = TypeVar("Document", bound=Checked)


def read_document(kind: type[Document], file: Path, what: str) -> Document:
    """Read a document from a file.

    Args:
        kind: of the document.
        file: in YAML.
        what: it is, in a word, for messages.

    Raises:
        ConfigError: it cannot be read, or is no such document. The message says where, and what was expected.
    """
    try:
        text = read_plain(file, MOST_BYTES).decode("utf-8")
    except OSError as error:
        raise ConfigError(f"the {what} {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the {what} {file} must be text in UTF-8") from None
    except ValueError as error:
        raise ConfigError(f"the {what} {file} cannot be read: {error}") from None
    return parse_document(kind, text, f"the {what} {file}")


def parse_document(kind: type[Document], text: str, named: str) -> Document:
    """Check the text of a document.

    Args:
        kind: of the document.
        text: in YAML.
        named: the beginning of messages.

    Raises:
        ConfigError: it is no such document. The message says where, and what was expected.
    """
    try:
        content = parse_yaml(text)
    except ValueError as error:
        raise ConfigError(f"{named} must be YAML: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{named} must be a mapping of names to values, got {type(content).__name__}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{named}: {_in_one_sentence(error, kind)}") from None


def _in_one_sentence(error: ValidationError, kind: type[BaseModel]) -> str:
    first = error.errors()[0]
    where, message = _place(first["loc"]), first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = list(_model_at(kind, first["loc"][:-1]).model_fields)
        close = get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"there is no key {where!r}{hint} (known: {', '.join(known)})"
    missing = [_place(one["loc"]) for one in error.errors() if one["type"] == "missing"]
    if first["type"] == "missing":
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if not where:  # the sentence of a check of the whole document
        return message
    wanted = message.removeprefix("Input should be ")
    return f"{where} must be {wanted}, got {shown(first['input'])}"


def _place(loc: tuple[int | str, ...]) -> str:
    """``grid[0].num_tasks`` for ("grid", 0, "num_tasks"), without the names that pydantic adds for parts of a union."""
    text = ""
    for key in loc:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.isidentifier() and key not in ("bool", "int", "float", "str"):
            text += f".{key}" if text else key
    return text


def _model_at(kind: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The document, or the part of it, at a place."""
    for key in loc:
        if isinstance(key, str) and key in kind.model_fields:
            parts = list(_models_in(kind.model_fields[key].annotation))
            kind = parts[0] if parts else kind
    return kind


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
