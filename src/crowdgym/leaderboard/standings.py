"""The standings of a board: who is better than whom on the same instances."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.information import Information
from crowdgym.bench.report.statistics import Interval, interquartile_mean
from crowdgym.leaderboard.boards import Board
from crowdgym.leaderboard.entry import Proof
from crowdgym.leaderboard.folder import EntryFolder
from crowdgym.leaderboard.results import Result, Scores
from crowdgym.leaderboard.rounds import read_round
from crowdgym.leaderboard.statistics import Paired, better, chain, paired, ranks, separated


@dataclass(frozen=True)
class Played:
    """An entry on one set of instances.

    Attributes:
        folder: the entry.
        result: what it earned.
        packs: by cell.
    """

    folder: EntryFolder
    result: Result
    packs: Mapping[str, Path]

    @property
    def name(self) -> str:
        """The name of the entry."""
        return self.folder.entry.name


@dataclass(frozen=True)
class Standing:
    """A line of a table of standings.

    Attributes:
        played: the entry.
        rank: 1 + the number of entries that are better; None on a board with a front.
        interval: of the score.
        cost: of the second metric, on a board with a front.
        on_front: whether no entry of the table beats it in both; None on a board that ranks.
        mean_won: share of the instances won, the mean over all other entries; None without others.
    """

    played: Played
    rank: int | None
    interval: Interval
    cost: Interval | None
    on_front: bool | None
    mean_won: float | None


@dataclass(frozen=True, eq=False)
class Table:
    """Entries of one proof that played the same instances and may be compared.

    Attributes:
        board: of the entries.
        proof: of all of them.
        round: whose hidden seeds were played, or None.
        is_clairvoyant: whether the entries know the instances; others do not.
        entries: at least one, by name.
    """

    board: Board
    proof: Proof
    round: str | None
    is_clairvoyant: bool
    entries: tuple[Played, ...]

    @cached_property
    def scores(self) -> tuple[Scores, ...]:
        """The score of each entry, where more is better. Each [E, C]."""
        metric = self.board.shows.score
        return tuple(self.board.sign(metric) * one.result.scores(self.board, metric) for one in self.entries)

    @cached_property
    def compared(self) -> tuple[tuple[Paired | None, ...], ...]:
        """Entry i against entry j, for i < j."""
        n = len(self.entries)
        return tuple(
            tuple(paired(self.scores[i], self.scores[j]) if i < j else None for j in range(n)) for i in range(n)
        )

    @cached_property
    def is_better(self) -> NDArray[np.bool_]:
        """``[i, j]``: whether entry i is better than entry j, with 95 % after Holm's correction."""
        return better(self.compared)

    def against(self, i: int, j: int) -> Paired:
        """Entry i against entry j."""
        one = self.compared[min(i, j)][max(i, j)]
        assert one is not None
        if i < j:
            return one
        turned = Interval(-one.difference.value, -one.difference.high, -one.difference.low)
        return Paired(turned, 1 - one.won, one.p_value)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """The lines, best first."""
        cost = self.board.shows.cost
        intervals = [interquartile_mean(scores) for scores in self.scores]
        costs = [None if cost is None else interquartile_mean(one.result.metrics[cost]) for one in self.entries]
        front = [None] * len(self.entries) if cost is None else _front(intervals, [c for c in costs if c is not None])
        places = ranks(self.is_better)
        n = len(self.entries)
        won = [[self.against(i, j).won for j in range(n) if j != i] for i in range(n)]
        sign = self.board.sign(self.board.shows.score)
        lines = [
            Standing(
                one,
                places[i] if cost is None else None,
                intervals[i] if sign > 0 else _turned(intervals[i]),
                costs[i],
                front[i],
                float(np.mean(won[i])) if won[i] else None,
            )
            for i, one in enumerate(self.entries)
        ]
        return tuple(sorted(lines, key=lambda line: (line.rank or 0, -sign * line.interval.value, line.played.name)))

    @property
    def groups_by_intervals(self) -> int:
        """The largest number of entries whose intervals do not meet."""
        return separated([line.interval for line in self.standings])

    @property
    def groups_by_pairs(self) -> int:
        """The largest number of entries of which each is better than the next, on the same instances."""
        index = {one.name: at for at, one in enumerate(self.entries)}
        return chain(self.is_better, [index[line.played.name] for line in self.standings])


def tables_of(board: Board, folders: Iterable[EntryFolder]) -> list[Table]:
    """The tables of a board: hidden seeds first, latest round first, and clairvoyant entries apart.

    Raises:
        ConfigError: a round is missing.
        TraceError: a pack cannot be read.
    """
    found: dict[tuple[Proof, str | None, bool], list[Played]] = {}
    for folder in sorted(folders, key=lambda one: one.entry.name):
        knows = folder.entry.information is Information.CLAIRVOYANT
        public = Played(folder, Result.of(board, folder.packs), folder.packs)
        found.setdefault((folder.public_proof, None, knows), []).append(public)
        for run in folder.hidden:
            if run.packs:
                hidden = Played(folder, Result.of(board, run.packs), run.packs)
                found.setdefault((Proof.HIDDEN, run.round, knows), []).append(hidden)
    opened = {name: read_round(_rounds(found), name).opened.isoformat() for _, name, _ in found if name is not None}
    proofs = list(Proof)
    keys = sorted(found, key=lambda key: (opened.get(key[1] or "", ""), key[1] or ""), reverse=True)
    keys.sort(key=lambda key: (proofs.index(key[0]), key[2]))
    return [Table(board, proof, name, knows, tuple(found[proof, name, knows])) for proof, name, knows in keys]


def _rounds(found: Mapping[tuple[Proof, str | None, bool], Sequence[Played]]) -> Path:
    return next(iter(found.values()))[0].folder.rounds


def _front(scores: Sequence[Interval], costs: Sequence[Interval]) -> list[bool | None]:
    """Whether no other entry is at least as good in both and better in one, by the interquartile means."""
    points = [(score.value, -cost.value) for score, cost in zip(scores, costs, strict=True)]
    return [
        not any(other != point and other[0] >= point[0] and other[1] >= point[1] for other in points)
        for point in points
    ]


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.value, -interval.high, -interval.low)
