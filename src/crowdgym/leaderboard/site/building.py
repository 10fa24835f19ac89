"""Writes the site into a folder, whole or not at all."""

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from crowdgym.common.errors import ConfigError
from crowdgym.common.files import make_folder, writing
from crowdgym.leaderboard.boards import Board
from crowdgym.leaderboard.boards import boards as all_boards
from crowdgym.leaderboard.folder import EntryFolder, find_entries, read_entry, rounds_of
from crowdgym.leaderboard.rounds import MOST_RUNS, Round, read_round
from crowdgym.leaderboard.site.figures import Form
from crowdgym.leaderboard.site.pages import BoardPages
from crowdgym.leaderboard.site.views import Line, TableView
from crowdgym.leaderboard.standings import Table, tables_of

_PACKAGE: Final = "crowdgym.leaderboard.site"
_MARK: Final = "results.json"  # a folder that holds it is a site, and may be replaced
_BEST: Final = 5  # lines of a board on the first page


@dataclass(frozen=True)
class BoardView:
    """A board, for the templates."""

    name: str
    environment: str
    title: str
    about: str
    score_meaning: str
    difference_unit: str
    cells: tuple[str, ...]
    episodes: int
    num_entries: int
    tables: tuple[TableView, ...]

    @property
    def best(self) -> Sequence[Line]:
        """The first lines of the first table."""
        return self.tables[0].lines[:_BEST] if self.tables else ()


def build_site(entries: Path, out: Path) -> int:
    """Write the site; returns the number of its files.

    Args:
        entries: the folder of all entries.
        out: is replaced if it holds a site; if not, it must be empty or missing.

    Raises:
        ConfigError: an entry or a round cannot be read, or ``out`` holds something else.
        TraceError: a pack cannot be read.
        UnwritableError: the site cannot be written.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / _MARK).is_file())):
        raise ConfigError(f"--out must be a folder that is empty or holds a site, got {str(out)!r}")
    folders = [read_entry(path) for path in find_entries(entries)]
    content = _content(folders, _rounds(rounds_of(entries)))
    _replace(out, content)
    return len(content)


def _content(folders: Sequence[EntryFolder], rounds: Sequence[Round]) -> dict[str, bytes]:
    """All files by their paths."""
    found = {board.name: [one for one in folders if one.board.name == board.name] for board in all_boards()}
    boards = [board for board in all_boards() if found[board.name]]
    tables = {board.name: tables_of(board, found[board.name]) for board in boards}
    pages = [BoardPages(board, found[board.name], tables[board.name]) for board in boards]
    views = [_view(one) for one in pages]
    templates = _templates(views)
    content = {f"assets/{file.name}": file.read_bytes() for file in (files(_PACKAGE) / "bundle").iterdir()}
    content |= {
        "index.html": templates("index.html", root="", title="CrowdGym leaderboard"),
        "rules.html": templates("rules.html", root="", title="Rules", rounds=rounds, most_runs=MOST_RUNS),
        "submit.html": templates(
            *("submit.html",), root="", title="Hand in an entry",
            example=boards[0].name, example_environment=boards[0].environment,
        ),
        "results.csv": _csv(tables),
        _MARK: _json(tables),
    }  # fmt: skip
    for view, one in zip(views, pages, strict=True):
        title = f"{view.title}: {view.environment}"
        content[f"{view.name}/index.html"] = templates("board.html", root="../", title=title, board=view)
        content |= {f"{view.name}/{name}": file for name, file in one.files(view, templates).items()}
    return content


def _view(pages: BoardPages) -> BoardView:
    board = pages.board
    return BoardView(
        name=board.name,
        environment=board.environment,
        title=board.shows.title,
        about=board.suite.about,
        score_meaning=_score_meaning(board),
        difference_unit=Form.of(board, board.shows.score).difference_unit,
        cells=tuple(cell.title for cell in board.cells.values()),
        episodes=board.suite.episodes,
        num_entries=len(pages.folders),
        tables=tuple(pages.table_views()),
    )


def _score_meaning(board: Board) -> str:
    shows = board.shows
    if shows.cost is not None:
        return f"{shows.score} and {shows.cost}: less is better. Nothing is ranked; the front is shown."
    share = " as a share of what the instance offers" if shows.ceiling is not None else ""
    return f"The score is {shows.score}{share}."


def _templates(boards: Sequence[BoardView]) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    jinja = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,  # entries are foreign text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def rendered(name: str, **values: Any) -> bytes:
        return jinja.get_template(name).render(boards=boards, **values).encode()

    return rendered


def _csv(tables: Mapping[str, Sequence[Table]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    headings = ["suite", "proof", "round", "entry", "kind", "information", "rank", "on_front", "score", "low", "high"]
    writer.writerow([*headings, "cost", "cost_low", "cost_high", "mean_won"])
    for name, of_board in tables.items():
        for table in of_board:
            for line in table.standings:
                entry, cost = line.played.folder.entry, line.cost
                writer.writerow(
                    [name, table.proof.value, table.round or "", entry.name, entry.policy.kind, entry.information.value]
                    + ["" if value is None else str(value) for value in (line.rank, line.on_front)]
                    + [repr(value) for value in (line.interval.value, line.interval.low, line.interval.high)]
                    + ([""] * 3 if cost is None else [repr(value) for value in (cost.value, cost.low, cost.high)])
                    + ["" if line.mean_won is None else repr(line.mean_won)]
                )
    return text.getvalue().encode()


def _json(tables: Mapping[str, Sequence[Table]]) -> bytes:
    """Every metric of every instance, so that others can compare in their own way."""
    content = [
        {
            "suite": name,
            "proof": table.proof.value,
            "round": table.round,
            "clairvoyant": table.is_clairvoyant,
            "cells": list(table.board.cells),
            "entries": [
                {
                    "entry": one.name,
                    "seeds": one.result.seeds.tolist(),
                    "metrics": {metric: values.tolist() for metric, values in one.result.metrics.items()},
                }
                for one in table.entries
            ],
        }
        for name, of_board in tables.items()
        for table in of_board
    ]
    return (json.dumps(content, allow_nan=False) + "\n").encode()


def _rounds(folder: Path) -> list[Round]:
    return [read_round(folder, file.stem) for file in sorted(folder.glob("*.yaml"))]


def _replace(out: Path, content: Mapping[str, bytes]) -> None:
    """Write all files beside the folder, then put them into its place."""
    out = out.absolute()
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    with writing(out):
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)
        for name, file in content.items():
            make_folder((new / name).parent)
            (new / name).write_bytes(file)
        if out.exists():
            out.rename(old)
        new.rename(out)
        shutil.rmtree(old, ignore_errors=True)
