"""Options in groups: a dataclass declares each option once, and the help shows each group under a heading."""

import inspect
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, get_args, get_type_hints

from typer.core import TyperCommand
from typer.models import ParameterInfo

SECTION = "section"  # the class variable of a dataclass of options that gives its heading in the help


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """Let a command take dataclasses: a parameter of such a type stands for the fields of the dataclass.

    Each field is ``name: Annotated[type, typer.Option(...)] = default``, as a parameter of a command would be. A class
    variable ``section`` is the heading of the options in the help, see `SectionedCommand`.

    Raises:
        TypeError: two options have the same name.

    Example:
        >>> @dataclass(frozen=True)
        ... class Limits:
        ...     episodes: Annotated[int, typer.Option(help="Episodes to play.")] = 1
        >>> @app.command()
        ... @grouped
        ... def play(env: str, limits: Limits) -> None: ...
    """
    types = get_type_hints(function, include_extras=True)
    flat: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = types[name]
        if inspect.isclass(kind) and is_dataclass(kind):
            groups[name] = kind
            flat += _options_of(kind)
        else:
            flat.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))
    names = [parameter.name for parameter in flat]
    if len(set(names)) < len(names):
        raise TypeError(f"{function.__name__} has two options of one name: {', '.join(names)}")

    def command(**values: Any) -> None:
        made = {
            name: kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            for name, kind in groups.items()
        }
        function(**values, **made)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__module__ = function.__module__
    command.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]  # what Typer reads
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
    return command


def _options_of(group: Any) -> Iterator[inspect.Parameter]:
    types = get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=_under(getattr(group, SECTION, None), types[field.name]),
        )


def _default(field: "Field[Any]") -> Any:
    if field.default is not MISSING:
        return field.default
    return inspect.Parameter.empty if field.default_factory is MISSING else field.default_factory()


def _under(section: str | None, annotation: Any) -> Any:
    """The same option, under a heading."""
    if section is None:
        return annotation
    kind, *extras = get_args(annotation)
    placed = []
    for extra in extras:
        if isinstance(extra, ParameterInfo):
            extra = copy(extra)
            extra.rich_help_panel = section
        placed.append(extra)
    return Annotated[kind, *placed]


class SectionedCommand(TyperCommand):
    """A command whose help, in plain text, shows options under the headings of their groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, each section, and the options without a section."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        others: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                sections["Arguments"].append(record)
            elif isinstance(section := getattr(parameter, "rich_help_panel", None), str):
                sections.setdefault(section, []).append(record)
            else:
                others.append(record)
        for heading, records in [*sections.items(), ("Options", others)]:
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
