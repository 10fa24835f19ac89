"""``crowdgym leaderboard``: hand in, check, run and show entries."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crowdgym.cli.shared.engines import EngineOptions
from crowdgym.cli.shared.grouping import grouped
from crowdgym.cli.shared.options import Jobs, output_folder
from crowdgym.cli.shared.progress import shown_progress
from crowdgym.common.errors import ConfigError
from crowdgym.common.text import one_line
from crowdgym.execution.engines import EngineChoice, EngineName

if TYPE_CHECKING:
    from crowdgym.leaderboard.entry import Execution
    from crowdgym.leaderboard.folder import EntryFolder

REFUSED = 1  # exit code
_OUT = Path("out", "leaderboard")  # of the files of cluster jobs

app = typer.Typer(name="leaderboard", help="Hand in, check, run and show entries.", no_args_is_help=True)

EntryPath = Annotated[Path, typer.Argument(metavar="ENTRY", help="Folder of an entry: entries/ENV/NAME.")]
Kind = Literal["rule", "planner", "learned", "other"]


@dataclass(frozen=True)
class AboutOptions:
    """What the author says of an entry."""

    section = "About the entry"

    title: Annotated[str, typer.Option(help="One line for readers.")]
    team: Annotated[str, typer.Option(help="Who hands it in.")]
    author: Annotated[list[str], typer.Option(help="Name of an author; may be repeated.")]
    kind: Annotated[Kind, typer.Option(help="What the policy is: rule, planner, learned or other.")] = "other"
    package: Annotated[Path | None, typer.Option(help="A .zip file with the policy, so that it can be run.")] = None
    entry_point: Annotated[str | None, typer.Option(metavar="MODULE:CLASS", help="The policy in the package.")] = None
    licence: Annotated[str | None, typer.Option(help="Licence of the package.")] = None
    paper: Annotated[str | None, typer.Option(metavar="URL", help="Where the policy is described.")] = None


@app.command()
@grouped
def submit(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of 'crowdgym bench leaderboard-… --traces'.")],
    entry: Annotated[str, typer.Option(metavar="NAME", help="Name of the entry: a-z, 0-9 and hyphens.")],
    about: AboutOptions,
    agent: Annotated[str | None, typer.Option(help="Agent of the run; default: the only one.")] = None,
    entries: Annotated[Path, typer.Option(help="Folder of all entries, where the entry is written.")] = Path("entries"),
    jobs: Jobs = 1,
) -> None:
    """Make an entry of a finished run, and verify it.

    The run must be of a whole suite, with --traces. Nothing is written if an episode is missing.
    """
    from crowdgym.leaderboard.submit import About
    from crowdgym.leaderboard.submit import submit as write

    of = About(
        *(about.title, about.team, tuple(about.author), about.kind),
        *(about.package, about.entry_point, about.licence, about.paper),
    )
    folder = write(run, agent, entry, of, entries)
    typer.echo(f"wrote {folder}")
    _judge([folder], EngineChoice(EngineName.LOCAL, jobs), [])


@app.command()
@grouped
def verify(
    entries: Annotated[
        list[Path], typer.Argument(metavar="ENTRY...", help="Folders of entries, or a folder with all entries.")
    ],
    machines: EngineOptions,
    only_changed: Annotated[
        str | None,
        typer.Option(metavar="BASE", help="Of all entries, those that differ from this commit: a pull request."),
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Play the episodes of entries again, and check all that they say.

    No code of an entry is run. Each entry gets one line, or a sentence for what is wrong with it. Exit code 1 if an
    entry is refused.
    """
    from crowdgym.leaderboard.changes import changed_entries
    from crowdgym.leaderboard.folder import find_entries

    choice = machines.chosen(jobs)
    if only_changed is None:
        _judge([found for path in entries for found in find_entries(path)], choice, [])
        return
    if len(entries) != 1:
        raise ConfigError(f"--only-changed needs the folder of all entries, got {len(entries)} folders")
    changed, faults = changed_entries(entries[0], only_changed)
    _judge(changed, choice, faults)


@app.command()
def execute(
    entry: EntryPath,
    seeds: Annotated[Literal["public", "hidden"], typer.Option(help="Which instances to play.")] = "public",
    round_name: Annotated[str | None, typer.Option("--round", help="The round of the hidden seeds.")] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="File with the secret of an open round; - for standard input.")
    ] = None,
    vault: Annotated[
        Path | None, typer.Option(help="Folder for the traces of an open round, which are not published yet.")
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Run the frozen policy of an entry: for maintainers.

    The policy plays in a process of its own, which never holds the environment or its seed. It runs as your user: play
    foreign policies in a container without network.
    """
    from crowdgym.leaderboard.execute import execute_hidden, execute_public
    from crowdgym.leaderboard.folder import read_entry
    from crowdgym.leaderboard.playing import engine_for
    from crowdgym.leaderboard.rounds import read_round, secret_of

    folder = read_entry(entry)
    total = len(folder.board.cells) * folder.board.suite.episodes
    if seeds == "public":
        if (round_name, secret_file, vault) != (None, None, None):
            raise ConfigError("--round, --secret-file and --vault are for --seeds hidden")
        with shown_progress(total) as progress, engine_for(folder.entry, folder.path, jobs) as engine:
            _say(folder, execute_public(folder, engine, progress.advance))
        return
    if round_name is None:
        raise ConfigError("--seeds hidden needs --round")
    found = read_round(folder.rounds, round_name)
    secret = secret_of(found, secret_file)
    kept = None if vault is None else vault.absolute()
    with shown_progress(total) as progress, engine_for(folder.entry, folder.path, jobs) as engine:
        _say(folder, execute_hidden(folder, found, secret, kept, engine, progress.advance))


@app.command()
def build(
    entries: Annotated[Path, typer.Argument(metavar="ENTRIES", help="The folder of all entries.")],
    out: Annotated[Path, output_folder("the site")] = Path("site"),
) -> None:
    """Write the site: plain HTML, CSV and JSON, and players.

    The same entries give the same bytes. The site shows what the packs say, so run 'verify' first.
    """
    from crowdgym.leaderboard.site import build_site

    pages = build_site(entries, out)
    typer.echo(f"wrote {pages} files; open {out / 'index.html'}")


def _judge(paths: list[Path], machines: EngineChoice, faults: list[str]) -> None:
    """Verify entries, and print a line for each; exit with `REFUSED` if there is anything wrong."""
    from crowdgym.leaderboard.folder import read_entry
    from crowdgym.leaderboard.verify import check_runs, verify_entries

    refused = list(faults)
    sound: list[EntryFolder] = []
    with machines.open(_OUT) as engine:
        for path, found in verify_entries(paths, engine):
            refused += [f"{path}: refused: {fault}" for fault in found]
            if not found:
                sound.append(read_entry(path))
                typer.echo(one_line(f"{path}: verified, {_proofs(sound[-1])}"))
    refused += check_runs(sound)
    for sentence in refused:
        typer.echo(one_line(sentence), err=True)
    if refused:
        raise typer.Exit(REFUSED)


def _proofs(folder: "EntryFolder") -> str:
    proofs = [folder.public_proof.value, *(f"hidden in {run.round}" for run in folder.hidden)]
    return ", ".join([*proofs, folder.entry.information.value])


def _say(folder: "EntryFolder", execution: "Execution") -> None:
    scores = ", ".join(f"{name} {value:,.6g}" for name, value in execution.scores.items())
    typer.echo(f"{folder.path}: {scores} (interquartile means)")
