"""What ``crowdgym bench`` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import typer
from tqdm import tqdm

from crowdgym.bench import SUITES
from crowdgym.bench.episodes import open_run, play_all, read_rows
from crowdgym.cli_output import check_output_folder
from crowdgym.configs.errors import ConfigError
from crowdgym.data.errors import DataError


@dataclass(frozen=True)
class BenchOptions:
    """The options of the command, as they were given."""

    jobs: int
    out: Path
    resume: bool
    scenario: str | None
    only: Sequence[str]
    quick: bool


def bench_command(suite: str, options: BenchOptions) -> None:
    """See `crowdgym.cli.bench`."""
    if suite not in SUITES:
        close = get_close_matches(suite, SUITES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"there is no suite {suite!r}{hint} (known: {', '.join(SUITES)})")
    if options.jobs < 1:
        raise ConfigError(f"--jobs must be at least 1, got {options.jobs}")
    from crowdgym.bench import sensing_paper
    from crowdgym.bench.sensing_report import write_report
    from crowdgym.configs.sensing import SensingSettings
    from crowdgym.data.registry import load_series

    scenario = options.scenario or sensing_paper.SCENARIO
    settings = SensingSettings.load(scenario=scenario)
    try:
        load_series(settings.dataset)
    except DataError as error:
        hint = "; 'crowdgym data fetch piemonte' gets it" if scenario == sensing_paper.SCENARIO else ""
        raise ConfigError(f"{suite} needs the series {settings.dataset!r}{hint} ({error})") from error
    episodes = sensing_paper.only(sensing_paper.grid(scenario, quick=options.quick), _choices(options.only))
    check_output_folder(options.out, "--out")
    finished = open_run(options.out, episodes, resume=options.resume)
    with tqdm(total=len(episodes), unit="episode", leave=False, disable=None) as progress:
        for there in play_all(options.out, episodes, sensing_paper.play, finished=finished, jobs=options.jobs):
            progress.update(there - progress.n)
    for file in write_report(options.out, read_rows(options.out)):
        typer.echo(f"wrote {file}")


def _choices(assignments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """``--only NAME=VALUE[,VALUE]`` as a dict."""
    choices: dict[str, tuple[str, ...]] = {}
    for assignment in assignments:
        name, equals, values = assignment.partition("=")
        if not equals or not values:
            raise ConfigError(f"--only must be NAME=VALUE or NAME=VALUE,VALUE, got {assignment!r}")
        choices[name.strip()] = tuple(value.strip() for value in values.split(","))
    return choices
