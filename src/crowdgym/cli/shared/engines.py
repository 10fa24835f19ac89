"""The options that say on which machines a command plays."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from crowdgym.cli.shared.assignments import named_values
from crowdgym.execution.engines import EngineChoice, EngineName

Engine = Annotated[EngineName, typer.Option(help="local: this machine; ray, slurm: a cluster, with the same results.")]
Address = Annotated[
    str | None,
    typer.Option(help="Of a Ray cluster that runs, such as auto; default: one on this machine is started."),
]


@dataclass(frozen=True)
class EngineOptions:
    """The machines that play."""

    section = "Machines"

    engine: Engine = EngineName.LOCAL
    address: Address = None
    engine_arg: Annotated[
        list[str],
        typer.Option(metavar="NAME=VALUE", help="For sbatch, such as partition=cpu or time=60; may be repeated."),
    ] = field(default_factory=list)

    def chosen(self, jobs: int | None) -> EngineChoice:
        """The engine, which runs at most ``jobs`` jobs at the same time. Raises `ConfigError`."""
        given = named_values("--engine-arg", self.engine_arg, "partition=cpu")
        return EngineChoice(self.engine, jobs, self.address, {name: str(value) for name, value in given.items()})
