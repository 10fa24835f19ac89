"""The site: the same bytes for the same entries, complete without JavaScript, and safe with foreign text."""

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from leaderboard.tiny_board import NAME, SECRET, HereEngine, write_round

from crowdgym.common.errors import ConfigError
from crowdgym.leaderboard.boards import find_board
from crowdgym.leaderboard.execute import execute_hidden
from crowdgym.leaderboard.folder import read_entry
from crowdgym.leaderboard.rounds import read_round
from crowdgym.leaderboard.site import build_site
from crowdgym.leaderboard.site.views import heading_of


class Links(HTMLParser):
    """The targets of all links, pictures, styles, scripts and frames of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def site(entries: Path, tmp_path: Path) -> Path:
    build_site(entries, tmp_path / "site")
    return tmp_path / "site"


def test_the_same_entries_give_the_same_bytes(site: Path, entries: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "entries"
    shutil.copytree(entries, moved)
    build_site(moved, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(site)


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    pages = [file for file in site.rglob("*.html") if not file.name.endswith("-replay.html")]
    assert len(pages) == 3 + 1 + 3 + 3  # first, rules, submit; board; entries; pairs
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for target in Links(text).found:
            if target.startswith("#"):
                assert f'id="{target[1:]}"' in text
            elif target != "data:,":
                assert (page.parent / target).resolve().is_relative_to(site.resolve())
                assert (page.parent / target).is_file(), f"{page} links {target}"


def test_tables_are_complete_without_javascript(site: Path) -> None:
    page = (site / NAME / "index.html").read_text(encoding="utf-8")
    table = page.split("<tbody>")[1].split("</tbody>")[0]
    assert re.findall(r'html">([a-z]+)</a>', table)[-1] == "hold"
    assert table.count("<tr>") == 3
    assert re.findall(r'rank">(\d)<', table)[-1] == "3"


def test_headings_name_the_unit_in_which_a_column_is_shown(tiny: None) -> None:
    board = find_board(NAME)
    assert heading_of(board, "revenue") == "revenue, % of offer"
    assert heading_of(board, "travel_m") == "travel, km"  # shown divided by 1,000
    assert heading_of(board, "completed") == "completed"


def test_a_difference_of_shares_is_in_percentage_points(site: Path) -> None:
    assert '<th class="number">Difference, percentage points</th>' in (site / NAME / "greedy.html").read_text()
    pair = (site / NAME / "compare" / "greedy--hold.html").read_text(encoding="utf-8")
    assert re.search(r"greedy is better than hold: difference \+[\d.]+ \[\+[\d.]+, \+[\d.]+\] percentage points", pair)


def test_cells_are_named_in_words(site: Path) -> None:
    assert "tiny, num_workers 4" in (site / NAME / "greedy.html").read_text(encoding="utf-8")


def test_figures_are_those_of_the_replays(site: Path, entries: Path) -> None:
    rows = {row["entry"]: row for row in rows_of(site)}
    assert {row["proof"] for row in rows.values()} == {"re-executed"}
    assert (rows["hold"]["score"], rows["hold"]["mean_won"]) == ("0.0", "0.0")
    (whole,) = json.loads((site / "results.json").read_text())
    (greedy,) = (one for one in whole["entries"] if one["entry"] == "greedy")
    revenue = sorted(value for row in greedy["metrics"]["revenue"] for value in row)
    # Of six instances one is left out at either end.
    mean = sum(revenue[1:5]) / 4
    assert read_entry(entries / "csc_v0" / "greedy").execution.scores["revenue"] == pytest.approx(mean)  # type: ignore[union-attr]


def test_hidden_scores_come_first_with_the_public_ones_beside_them(entries: Path, tmp_path: Path) -> None:
    write_round(entries, "first", closed=True)
    for name in ("greedy", "hold"):
        folder = read_entry(entries / "csc_v0" / name)
        execute_hidden(folder, read_round(folder.rounds, "first"), SECRET, None, HereEngine(), lambda: None)
    (entries / "csc_v0" / "random" / "execution.yaml").unlink()  # the author's traces alone

    build_site(entries, tmp_path / "site")

    assert [(row["proof"], row["round"], row["entry"]) for row in rows_of(tmp_path / "site")] == [
        ("hidden", "first", "greedy"),
        ("hidden", "first", "hold"),
        ("re-executed", "", "greedy"),
        ("re-executed", "", "hold"),
        ("replayed", "", "random"),
    ]
    page = (tmp_path / "site" / NAME / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<h2 id=\"([a-z-]+)\"", page) == ["hidden-first", "re-executed", "replayed"]
    assert page.count("Public seeds</th>") == 1


def test_scores_of_an_open_round_are_on_the_page_of_the_entry_and_not_ranked(entries: Path, tmp_path: Path) -> None:
    write_round(entries, "first", closed=False)
    folder = read_entry(entries / "csc_v0" / "greedy")
    found = read_round(folder.rounds, "first")
    execute_hidden(folder, found, SECRET, tmp_path / "vault", HereEngine(), lambda: None)
    build_site(entries, tmp_path / "site")
    assert "Round first, open" in (tmp_path / "site" / NAME / "greedy.html").read_text(encoding="utf-8")
    assert {row["proof"] for row in rows_of(tmp_path / "site")} == {"re-executed"}


def test_foreign_text_stays_text(entries: Path, tmp_path: Path) -> None:
    file = entries / "csc_v0" / "greedy" / "entry.yaml"
    content = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**content, "title": "<script>alert(1)</script>", "team": '"><img src=x>'}))
    build_site(entries, tmp_path / "site")
    for page in ("index.html", "greedy.html"):
        text = (tmp_path / "site" / NAME / page).read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<img src=x>" not in text
    assert "&lt;script&gt;alert(1)" in (tmp_path / "site" / NAME / "greedy.html").read_text(encoding="utf-8")


def test_a_site_is_replaced_and_another_folder_is_not(site: Path, entries: Path, tmp_path: Path) -> None:
    (site / "old.html").write_text("old")
    build_site(entries, site)
    assert not (site / "old.html").exists()
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith(".")) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="must be a folder that is empty or holds a site"):
        build_site(entries, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"


def test_the_median_episode_plays_in_a_page_of_its_own(site: Path) -> None:
    page = (site / NAME / "greedy.html").read_text(encoding="utf-8")
    assert 'src="greedy-replay.html"' in page
    assert "the median of 6 episodes" in page
    assert "csc_v0 on tiny, seed 4000" in (site / NAME / "greedy-replay.html").read_text(encoding="utf-8")
