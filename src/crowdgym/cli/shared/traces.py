"""What the commands that play a trace again have in common: the module and the files that a trace only names."""

from pathlib import Path
from typing import Annotated

import typer

from crowdgym.cli.shared.assignments import column_pairs
from crowdgym.common.entry_points import import_module_from_here
from crowdgym.registration import environment_specs

Module = Annotated[
    str | None,
    typer.Option(
        "--import", metavar="MODULE", help="Module of your own environment, imported first; a trace imports nothing."
    ),
]
GivenFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--file", metavar="SETTING=PATH", help="The file that a setting names; a trace opens none. May be repeated."
    ),
]


def import_given(module: str | None) -> None:
    """Import the module of ``--import``."""
    if module is not None:
        import_module_from_here(module, module)


def given_files(files: list[str] | None) -> dict[str, Path]:
    """The files of ``--file``, by setting."""
    known = tuple(dict.fromkeys(setting for spec in environment_specs() for setting in spec.file_settings))
    return {setting: Path(path) for setting, path in column_pairs("--file", files or [], known, "SETTING=PATH").items()}
