"""``crowdgym data build``: the options that say how files are read, orders as well as sensing tables."""

from dataclasses import dataclass
from typing import Annotated

import typer


@dataclass(frozen=True)
class FileOptions:
    """How text in files is written."""

    section = "Text in files"

    encoding: Annotated[str | None, typer.Option(help="Such as gbk or utf-16; else told by the content.")] = None
    time_format: Annotated[
        str | None, typer.Option(help="How times are written, such as '%d.%m.%Y %H:%M'; else year, month, day, clock.")
    ] = None
