"""What the templates show, worked out from the standings."""

from collections.abc import Sequence
from dataclasses import dataclass

from crowdgym.bench.report.statistics import Interval, interquartile_mean
from crowdgym.leaderboard.boards import Board
from crowdgym.leaderboard.entry import Proof
from crowdgym.leaderboard.site.figures import NOTHING, Form, Shown, percent
from crowdgym.leaderboard.standings import Played, Standing, Table
from crowdgym.registration import environment_spec

_MEANINGS = {
    Proof.HIDDEN: "A maintainer ran the frozen policies on seeds that their authors did not know.",
    Proof.RE_EXECUTED: "A maintainer ran the frozen policies on the public seeds.",
    Proof.REPLAYED: "Played by the authors on the public seeds: the actions earn this, from any policy.",
}


@dataclass(frozen=True)
class Line:
    """A line of a table of standings."""

    place: str
    name: str
    title: str
    kind: str
    information: str
    score: Shown
    cost: Shown | None
    public: Shown
    won: Shown


@dataclass(frozen=True)
class MatrixCell:
    """One entry against another."""

    text: str = ""
    link: str = ""
    judgement: str = ""


@dataclass(frozen=True)
class MatrixRow:
    """One entry against all."""

    name: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True)
class Row:
    """A cell of a board, and figures of it."""

    name: str
    figures: tuple[Shown, ...]


@dataclass(frozen=True)
class TableView:
    """A table on the page of its board."""

    board: str
    anchor: str
    title: str
    meaning: str
    place_heading: str
    score_heading: str
    cost_heading: str | None
    public_heading: str | None
    lines: tuple[Line, ...]
    groups: str
    plot: str
    plot_meaning: str
    matrix: tuple[MatrixRow, ...]


def anchor_of(table: Table) -> str:
    """The name of a table in addresses."""
    parts = [table.proof.value, table.round, "clairvoyant" if table.is_clairvoyant else None]
    return "-".join(part for part in parts if part)


def title_of(table: Table) -> str:
    """The heading of a table."""
    seeds = {
        Proof.HIDDEN: f"Hidden seeds, round {table.round}",
        Proof.RE_EXECUTED: "Public seeds, re-executed",
        Proof.REPLAYED: "Public seeds, replayed",
    }[table.proof]
    return f"{seeds}, clairvoyant" if table.is_clairvoyant else seeds


def meaning_of(table: Table) -> str:
    """What the results of a table are worth."""
    return _MEANINGS[table.proof]


def heading_of(board: Board, metric: str) -> str:
    """The heading of a column of a metric."""
    if Form.of(board, metric).unit:
        return f"{metric}, % of offer"
    headings = {one.name: one.heading for one in environment_spec(board.environment).metrics}
    return headings.get(metric) or metric


def compare_link(first: str, second: str) -> str:
    """The page of two entries, from the folder of the board."""
    return f"compare/{min(first, second)}--{max(first, second)}.html"


def table_view(table: Table, public: Table | None) -> TableView:
    """A table; ``public`` has the same entries on the public seeds, if it is another one."""
    shows = table.board.shows
    form = Form.of(table.board, shows.score)
    known = {} if public is None else {line.played.name: line.interval for line in public.standings}
    lines = tuple(_line(table.board, line, known.get(line.played.name), form) for line in table.standings)
    return TableView(
        board=table.board.name,
        anchor=anchor_of(table),
        title=title_of(table),
        meaning=meaning_of(table),
        place_heading="Front" if shows.cost else "Rank",
        score_heading=heading_of(table.board, shows.score),
        cost_heading=None if shows.cost is None else heading_of(table.board, shows.cost),
        public_heading="Public seeds" if known else None,
        lines=lines,
        groups=_groups(table),
        plot=f"{anchor_of(table)}.svg",
        plot_meaning=f"Interquartile means of {shows.score} with 95 % intervals, as in the table above.",
        matrix=tuple(_matrix(table, form)),
    )


def cell_rows(played: Played, board: Board) -> tuple[Row, ...]:
    """For each cell, the interquartile mean of every metric; at the end those over all cells."""
    metrics = board.suite.metrics
    columns = {metric: played.result.scores(board, metric) for metric in metrics}
    rows = [
        Row(
            cell.title,
            tuple(Form.of(board, metric).interval(interquartile_mean(columns[metric][:, [at]])) for metric in metrics),
        )
        for at, cell in enumerate(board.cells.values())
    ]
    whole = tuple(Form.of(board, metric).interval(interquartile_mean(columns[metric])) for metric in metrics)
    return (*rows, Row("all", whole))


def _line(board: Board, line: Standing, public: Interval | None, form: Form) -> Line:
    entry = line.played.folder.entry
    cost = (
        None if line.cost is None or board.shows.cost is None else Form.of(board, board.shows.cost).interval(line.cost)
    )
    place = ("on it" if line.on_front else "–") if line.rank is None else str(line.rank)
    return Line(
        *(place, entry.name, entry.title, entry.policy.kind, entry.information.value),
        *(form.interval(line.interval), cost, NOTHING if public is None else form.interval(public)),
        percent(line.mean_won),
    )


def _groups(table: Table) -> str:
    if len(table.entries) < 2:
        return "There is one entry so far."
    apart, chain = table.groups_by_intervals, table.groups_by_pairs
    intervals = f"The intervals of {apart} entries do not meet each other." if apart > 1 else "All intervals meet."
    pairs = (
        f"{chain} entries form a chain in which each is better than the next"
        if chain > 1
        else "no entry is known to be better than another"
    )
    return f"{intervals} On the same instances, {pairs}."


def judgement_of(table: Table, i: int, j: int) -> str:
    """Whether entry i is "better" or "worse" than entry j; empty if that is not known."""
    return "better" if table.is_better[i, j] else "worse" if table.is_better[j, i] else ""


def indices_of(table: Table, lines: Sequence[Standing]) -> list[int]:
    """The places of the lines in the list of entries."""
    index = {one.name: at for at, one in enumerate(table.entries)}
    return [index[line.played.name] for line in lines]


def shown_difference(table: Table, i: int, j: int, form: Form) -> Shown:
    """Entry i less entry j, in the direction of the metric."""
    difference, sign = table.against(i, j).difference, table.board.sign(table.board.shows.score)
    ends = sorted((sign * difference.low, sign * difference.high))
    return form.difference(Interval(sign * difference.value, *ends))


def _matrix(table: Table, form: Form) -> list[MatrixRow]:
    places = indices_of(table, table.standings)
    names = [line.played.name for line in table.standings]
    rows = []
    for row, i in enumerate(places):
        cells = [
            MatrixCell()
            if i == j
            else MatrixCell(
                shown_difference(table, i, j, form).value,
                compare_link(names[row], names[column]),
                judgement_of(table, i, j),
            )
            for column, j in enumerate(places)
        ]
        rows.append(MatrixRow(names[row], tuple(cells)))
    return rows
