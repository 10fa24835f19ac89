"""Prints the standings of all boards as Markdown, for ``docs/leaderboard.md``.

python -m benchmarks.leaderboard_tables leaderboard/entries
"""

import argparse
from pathlib import Path

from crowdgym.bench.report.markdown import markdown_table
from crowdgym.leaderboard.boards import Board, boards
from crowdgym.leaderboard.folder import EntryFolder, find_entries, read_entry
from crowdgym.leaderboard.site.views import TableView, table_view, title_of
from crowdgym.leaderboard.standings import Table, tables_of


def main() -> None:
    """Print a table for each board and proof."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", type=Path)
    folders = [read_entry(path) for path in find_entries(parser.parse_args().entries)]
    for board in boards():
        print("\n\n".join(_parts(board, [folder for folder in folders if folder.board.name == board.name])) + "\n")


def _parts(board: Board, folders: list[EntryFolder]) -> list[str]:
    parts = [f"### `{board.name}`"]
    for table in tables_of(board, folders):
        instances = table.entries[0].result.seeds.size
        parts += [f"{title_of(table)}; {instances} instances.", _markdown(table), table_view(table, None).groups]
    return parts


def _markdown(table: Table) -> str:
    view: TableView = table_view(table, None)
    headings = [view.place_heading.lower(), "entry", "kind", "information", view.score_heading]
    headings += [view.cost_heading] if view.cost_heading else []
    rows = []
    for line in view.lines:
        costs = [f"{line.cost.value} {line.cost.range}"] if line.cost else []
        score = f"{line.score.value} {line.score.range}"
        rows.append([line.place, f"`{line.name}`", line.kind, line.information, score, *costs, line.won.value])
    return markdown_table([*headings, "won"], rows)


if __name__ == "__main__":
    main()
