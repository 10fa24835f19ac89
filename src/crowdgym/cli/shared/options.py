"""Arguments and options of several commands: each is declared here once, with its check and its completion."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

import crowdgym
from crowdgym.cli.shared import completion
from crowdgym.cli.shared.assignments import keywords_of
from crowdgym.cli.shared.output import check_output_file
from crowdgym.common.errors import ConfigError


def at_least(least: float) -> Callable[[typer.CallbackParam, Any], Any]:
    """The check of an option that is a number, or None if it is not given."""

    def check(parameter: typer.CallbackParam, value: Any) -> Any:
        if value is not None and not value >= least:  # also refuses what is not a number
            raise ConfigError(f"{parameter.opts[0]} must be at least {least}, got {value}")
        return value

    return check


def number(text: str, *names: str, least: float = 1) -> Any:
    """An option that is a number of at least ``least``."""
    return typer.Option(*names, help=text, callback=at_least(least))


def output_file(text: str, suffix: str | tuple[str, ...], *names: str) -> Any:
    """An option that is a file to be written, of some kinds; checked before the command begins."""
    suffixes = (suffix,) if isinstance(suffix, str) else suffix

    def check(parameter: typer.CallbackParam, value: Path | None) -> Path | None:
        check_output_file(value, parameter.opts[0], *suffixes)
        return value

    return typer.Option(*names, help=text, callback=check)


def output_folder(what: str) -> Any:
    """An option that is a folder for what a command writes."""
    return typer.Option("--out", help=f"Folder for {what}; created if it does not exist.")


def environment(text: str, metavar: str = "ENV") -> Any:
    """An argument that is the name of an environment, or None if it is optional and not given."""

    def check(name: str | None) -> str | None:
        if name is not None and name not in crowdgym.environment_names():
            crowdgym.make(name)  # says which there are
        return name

    return typer.Argument(metavar=metavar, help=text, callback=check, autocompletion=completion.environments)


EnvironmentName = Annotated[str, environment("Name of the environment, such as csc_v0.")]
Scenario = Annotated[
    str | None,
    typer.Option(
        help="Name of a dataset or preset ('crowdgym data list'); default: the environment's.",
        autocompletion=completion.scenarios,
    ),
]
DatasetName = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of a dataset.", autocompletion=completion.scenarios)
]
SettingAssignments = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the environment; may be repeated."),
]
Episodes = Annotated[int, number("Episodes to play.")]
EpisodesOfEach = Annotated[int, number("Episodes of each agent.")]
FirstSeed = Annotated[int, number("Seed of the first episode; the next episode has seed + 1, and so on.", least=0)]
Seed = Annotated[int, number("Seed of all random draws.", least=0)]
Jobs = Annotated[int, number("Processes that play at the same time.")]
JsonFile = Annotated[Path | None, output_file("Write settings and results to this .json file.", ".json", "--json")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in --out, if there is one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a dataset of this name.")]


@dataclass(frozen=True)
class EnvironmentSettings:
    """The settings of an environment, as they are typed."""

    section = "Environment"

    scenario: Scenario = None
    assignments: SettingAssignments = field(default_factory=list)

    def keywords(self) -> dict[str, Any]:
        """The keywords for `crowdgym.make`."""
        return keywords_of(self.assignments, self.scenario)
