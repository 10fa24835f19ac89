"""What commands share: groups of options, checks of numbers."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import pytest
import typer
from typer.testing import CliRunner, Result

from crowdgym.cli.shared.endings import CleanGroup
from crowdgym.cli.shared.grouping import SectionedCommand, grouped
from crowdgym.cli.shared.options import number


@dataclass(frozen=True)
class City:
    """A group with a heading."""

    section: ClassVar[str] = "City"

    width_km: Annotated[float, number("Width, km.", "--width", least=0.5)]
    names: Annotated[list[str], typer.Option("--name", help="May be repeated.")] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """A group without a heading."""

    most: Annotated[int | None, number("Most of them.")] = None


def command_line() -> typer.Typer:
    app = typer.Typer(cls=CleanGroup, rich_markup_mode=None)
    app.callback()(lambda: None)

    @app.command(cls=SectionedCommand)
    @grouped
    def show(word: str, city: City, limits: Limits, times: int = 2) -> None:
        """Print what arrives."""
        typer.echo(f"{word} {city} {limits} {times}")

    return app


def invoke(*words: str) -> Result:
    return CliRunner().invoke(command_line(), ["show", *words])


def test_a_dataclass_stands_for_its_fields() -> None:
    assert invoke("hello", "--width", "2", "--name", "a", "--name", "b", "--most", "7").stdout == (
        f"hello {City(2.0, ['a', 'b'])} {Limits(7)} 2\n"
    )


def test_defaults_are_those_of_the_fields() -> None:
    assert invoke("hello", "--width", "2", "--times", "3").stdout == f"hello {City(2.0, [])} {Limits(None)} 3\n"


def test_a_field_without_a_default_must_be_given() -> None:
    result = invoke("hello")
    assert result.exit_code == 2
    assert "Missing option '--width'" in result.stderr


def test_the_help_has_the_group_under_its_heading_and_the_rest_under_options() -> None:
    said = invoke("--help").stdout
    city, others = said.split("City:\n")[1].split("Options:\n")
    assert [line.split()[0] for line in city.strip().splitlines()] == ["--width", "--name"]
    assert [line.split()[0] for line in others.strip().splitlines()] == ["--most", "--times", "--help"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--width", "0.4"), "--width must be at least 0.5, got 0.4"),
        (("--width", "nan"), "--width must be at least 0.5, got nan"),
        (("--width", "1", "--most", "0"), "--most must be at least 1, got 0"),
    ],
)
def test_a_number_below_the_least_is_refused_by_the_name_of_its_option(words: tuple[str, ...], message: str) -> None:
    result = invoke("hello", *words)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"error: {message}\n")


def test_two_options_of_one_name_are_refused_when_the_command_is_declared() -> None:
    def twice(limits: Limits, most: int) -> None:
        raise AssertionError

    with pytest.raises(TypeError, match="twice has two options of one name: most, most"):
        grouped(twice)
