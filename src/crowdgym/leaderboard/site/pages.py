"""The pages of one board: its entries, the comparisons of two, the plots and the players."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.bench.report.statistics import Interval, interquartile_mean
from crowdgym.leaderboard.boards import Board
from crowdgym.leaderboard.entry import Entry, Proof
from crowdgym.leaderboard.folder import EntryFolder
from crowdgym.leaderboard.pack import read_pack
from crowdgym.leaderboard.site.figures import Form, Shown, percent
from crowdgym.leaderboard.site.plots import plot
from crowdgym.leaderboard.site.views import (
    Row,
    TableView,
    cell_rows,
    compare_link,
    heading_of,
    indices_of,
    judgement_of,
    meaning_of,
    shown_difference,
    table_view,
    title_of,
)
from crowdgym.leaderboard.standings import Played, Table
from crowdgym.leaderboard.statistics import paired
from crowdgym.leaderboard.verify import play_again
from crowdgym.player.page import write_player
from crowdgym.registration import environment_spec

Templates = Callable[..., bytes]


@dataclass(frozen=True)
class Fact:
    """Something that an entry says of itself."""

    name: str
    text: str
    link: str = ""


@dataclass(frozen=True)
class Other:
    """An entry against another one."""

    name: str
    link: str
    difference: Shown
    won: Shown
    judgement: str


@dataclass(frozen=True)
class EntryPart:
    """The results of an entry on one set of instances."""

    title: str
    meaning: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    against: tuple[Other, ...]


@dataclass(frozen=True)
class EntryView:
    """The page of an entry."""

    name: str
    title: str
    facts: tuple[Fact, ...]
    parts: tuple[EntryPart, ...]
    player: str | None
    player_meaning: str


@dataclass(frozen=True)
class PairPart:
    """Two entries on one set of instances."""

    title: str
    sentence: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class PairView:
    """The page of two entries."""

    first: str
    second: str
    parts: tuple[PairPart, ...]


@dataclass(frozen=True, eq=False)
class BoardPages:
    """The pages of a board.

    Attributes:
        board: the board.
        folders: its entries.
        tables: its tables, the best proof first.
    """

    board: Board
    folders: Sequence[EntryFolder]
    tables: Sequence[Table]

    def table_views(self) -> Iterator[TableView]:
        """The tables of the page of the board. Beside hidden scores stand those on the public seeds."""
        for table in self.tables:
            public = next(
                (
                    other
                    for other in self.tables
                    if other.proof is Proof.RE_EXECUTED and other.is_clairvoyant == table.is_clairvoyant
                ),
                None,
            )
            yield table_view(table, public if table.proof is Proof.HIDDEN else None)

    def files(self, view: Any, templates: Templates) -> dict[str, bytes]:
        """All files of the board but its own page, by their paths in its folder."""
        content: dict[str, bytes] = {}
        for table, shown in zip(self.tables, view.tables, strict=True):
            content[shown.plot] = plot(table)
        for folder in self.folders:
            name = folder.entry.name
            player = self._player(folder)
            if player is not None:
                content[f"{name}-replay.html"] = player.page
            of_entry = self._entry(folder, player)
            title = f"{name}: {self.board.environment}"
            content[f"{name}.html"] = templates("entry.html", root="../", title=title, board=view, entry=of_entry)
        for pair in self._pairs():
            title = f"{pair.first} and {pair.second}: {self.board.environment}"
            page = templates("compare.html", root="../../", title=title, board=view, pair=pair)
            content[compare_link(pair.first, pair.second)] = page
        return content

    def _entry(self, folder: EntryFolder, player: "_Player | None") -> EntryView:
        name = folder.entry.name
        return EntryView(
            name=name,
            title=folder.entry.title,
            facts=tuple(_facts(folder)),
            parts=tuple(self._part(table, name) for table in self.tables if _place(table, name) is not None),
            player=None if player is None else f"{name}-replay.html",
            player_meaning=f"The player does not show {self.board.environment}." if player is None else player.meaning,
        )

    def _part(self, table: Table, name: str) -> EntryPart:
        i = _place(table, name)
        assert i is not None
        form = Form.of(self.board, self.board.shows.score)
        others = [
            Other(
                table.entries[j].name,
                compare_link(name, table.entries[j].name),
                shown_difference(table, i, j, form),
                percent(table.against(i, j).won),
                judgement_of(table, i, j),
            )
            for j in indices_of(table, table.standings)
            if j != i
        ]
        headings = tuple(heading_of(self.board, metric) for metric in self.board.suite.metrics)
        rows = cell_rows(table.entries[i], self.board)
        return EntryPart(title_of(table), meaning_of(table), headings, rows, tuple(others))

    def _pairs(self) -> Iterator[PairView]:
        names = sorted(folder.entry.name for folder in self.folders)
        for at, first in enumerate(names):
            for second in names[at + 1 :]:
                parts = tuple(self._pair_parts(first, second))
                if parts:
                    yield PairView(first, second, parts)

    def _pair_parts(self, first: str, second: str) -> Iterator[PairPart]:
        form, sign = Form.of(self.board, self.board.shows.score), self.board.sign(self.board.shows.score)
        for table in self.tables:
            i, j = _place(table, first), _place(table, second)
            if i is None or j is None:
                continue
            rows = []
            for at, cell in enumerate(self.board.cells.values()):
                mine, theirs = table.scores[i][:, [at]], table.scores[j][:, [at]]
                one = paired(mine, theirs)
                values = [sign * float(interquartile_mean(scores).value) for scores in (mine, theirs)]
                ends = sorted((sign * one.difference.low, sign * one.difference.high))
                difference = form.difference(Interval(sign * one.difference.value, *ends))
                shown = [Shown(form.number(value) + form.unit, round(value, 9)) for value in values]
                rows.append(Row(cell.title, (*shown, difference, percent(one.won))))
            yield PairPart(title_of(table), _sentence(table, i, j, form), tuple(rows))

    def _player(self, folder: EntryFolder) -> "_Player | None":
        """The player on the median episode of the result with the best proof."""
        if environment_spec(self.board.environment).scene is None:
            return None
        table = next(one for one in self.tables if _place(one, folder.entry.name) is not None)
        i = _place(table, folder.entry.name)
        assert i is not None
        return _median_player(self.board, table, table.entries[i])


@dataclass(frozen=True)
class _Player:
    page: bytes
    meaning: str


def _median_player(board: Board, table: Table, played: Played) -> _Player:
    scores = played.result.scores(board, board.shows.score)
    order = np.argsort(scores, axis=None, kind="stable")
    episode, column = (int(at) for at in np.unravel_index(order[(len(order) - 1) // 2], scores.shape))
    name, cell = list(board.cells.items())[column]
    trace = play_again(board.make_environment(cell), read_pack(played.packs[name]), episode)
    named = replace(trace, header=trace.header.model_copy(update={"agent": played.name}))
    score = Form.of(board, board.shows.score)
    meaning = (
        f"{title_of(table)}, {cell.title}, seed {trace.header.seed}: {board.shows.score} "
        f"{score.number(float(scores[episode, column]))}{score.unit}, the median of {scores.size} episodes."
    )
    with tempfile.TemporaryDirectory(prefix="crowdgym-player-") as scratch:
        file = Path(scratch, "replay.html")
        write_player(file, [named])
        return _Player(file.read_bytes(), meaning)


def _place(table: Table, name: str) -> int | None:
    return next((at for at, one in enumerate(table.entries) if one.name == name), None)


def _sentence(table: Table, i: int, j: int, form: Form) -> str:
    first, second = table.entries[i].name, table.entries[j].name
    shown, won = shown_difference(table, i, j, form), percent(table.against(i, j).won)
    difference = " ".join(part for part in (shown.value, shown.range, form.difference_unit) if part)
    judged = {"better": "is better than", "worse": "is worse than", "": "cannot be told apart from"}
    return (
        f"{first} {judged[judgement_of(table, i, j)]} {second}: difference {difference}, "
        f"{won.value} of the instances won."
    )


def _facts(folder: EntryFolder) -> Iterator[Fact]:
    entry: Entry = folder.entry
    yield Fact("Team", entry.team)
    yield Fact("Authors", ", ".join(_author(author.name, author.affiliation) for author in entry.authors))
    yield Fact("Kind", entry.policy.kind)
    yield Fact("Information", entry.information.value)
    source = entry.policy.name and f"comes with CrowdGym as {entry.policy.name}"
    yield Fact("Policy", source or entry.policy.package or "not published")
    if entry.policy.arguments:
        yield Fact("Arguments", ", ".join(f"{name} = {value}" for name, value in entry.policy.arguments.items()))
    if entry.policy.sha256 is not None:
        yield Fact("SHA-256 of the package", entry.policy.sha256)
    if entry.policy.licence is not None:
        yield Fact("Licence", entry.policy.licence)
    if entry.paper is not None:
        yield Fact("Paper", entry.paper, entry.paper)
    if entry.training is not None:
        trained = entry.training.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        yield Fact("Training", ", ".join(f"{name} {_listed(value)}" for name, value in trained.items()))
    for run in folder.hidden:
        if not run.packs:
            scores = ", ".join(f"{name} {value:,.6g}" for name, value in run.execution.scores.items())
            yield Fact(f"Round {run.round}, open", f"{scores} (interquartile means)")


def _author(name: str, affiliation: str | None) -> str:
    return name if affiliation is None else f"{name} ({affiliation})"


def _listed(value: Any) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, list)
        else f"{value:,.6g}"
        if isinstance(value, float)
        else str(value)
    )
