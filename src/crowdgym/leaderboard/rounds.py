"""Rounds on hidden seeds. A round has a secret: its SHA-256 is published when it opens, the secret when it closes.

Seed i of a cell is the first 63 bits of HMAC-SHA256(secret, suite + newline + cell + newline + i). While the
round is open, only the holder of the secret can make its instances; afterwards everybody can, and can check that the
secret is that of the digest.
"""

import hashlib
import hmac
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import read_plain
from crowdgym.configs.documents import Checked, read_document
from crowdgym.leaderboard.boards import Board, Cell
from crowdgym.leaderboard.texts import Hexadecimal, Slug

MOST_RUNS: Final = 3  # of a team in a round, so that the best of many does not win
_MOST_SECRET_BYTES: Final = 1024


class Round(Checked):
    """A round, the file ``rounds/NAME.yaml``.

    Attributes:
        format: of the file.
        name: of the round; the name of the file.
        suites: the boards that it is about.
        secret_sha256: of the text of the secret.
        opened: the day from which on no entry is changed.
        closed: the day on which the secret was published; None while the round is open.
        secret: 64 hexadecimal digits; None while the round is open.
    """

    format: Literal[1]
    name: Slug
    suites: Annotated[tuple[Slug, ...], Field(min_length=1, strict=False)]
    secret_sha256: Hexadecimal
    opened: date
    closed: date | None = None
    secret: Hexadecimal | None = None

    @model_validator(mode="after")
    def _secret_is_that_of_the_digest(self) -> "Round":
        if (self.secret is None) != (self.closed is None):
            raise ValueError("a round has both a secret and a day on which it closed, or neither")
        if self.secret is not None and digest_of_secret(self.secret) != self.secret_sha256:
            raise ValueError("the secret must be the one whose SHA-256 was published, got another")
        return self


def digest_of_secret(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hidden_seeds(secret: str, board: Board, cell: Cell) -> tuple[int, ...]:
    """The hidden seeds of a cell, as many as there are public ones; each from 0 to 2^63 - 1."""
    return tuple(_hidden_seed(secret, f"{board.name}\n{cell.name}\n{i}") for i in range(board.suite.episodes))


def _hidden_seed(secret: str, what: str) -> int:
    drawn = hmac.new(secret.encode(), what.encode(), hashlib.sha256).digest()
    return int.from_bytes(drawn[:8], "big") >> 1


def read_round(folder: Path, name: str) -> Round:
    """A round of a folder.

    Raises:
        ConfigError: there is no such round, or its file is damaged.
    """
    file = folder / f"{name}.yaml"
    if not file.is_file():
        raise ConfigError(f"there is no round {name!r}: expected its file {file}")
    found = read_document(Round, file, "round")
    if found.name != name:
        raise ConfigError(f"{file} must be of the round {name!r}, got {found.name!r}")
    return found


def secret_of(found: Round, file: Path | None) -> str:
    """The secret of a round: the published one, or that of a file; "-" is standard input.

    Raises:
        ConfigError: the round is open and no file is given, or the secret is not that of the published digest.
    """
    if file is None:
        if found.secret is None:
            raise ConfigError(f"the round {found.name!r} is open: give its secret with --secret-file")
        return found.secret
    try:
        is_input = file == Path("-")
        content = sys.stdin.buffer.read(_MOST_SECRET_BYTES) if is_input else read_plain(file, _MOST_SECRET_BYTES)
        secret = content.decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"--secret-file {file} cannot be read: {error}") from None
    if digest_of_secret(secret) != found.secret_sha256:
        raise ConfigError(f"--secret-file must hold the secret of the round {found.name!r}, whose SHA-256 is published")
    return secret
