"""Forged entries: each is refused with one sentence that says what is wrong."""

import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from leaderboard.tiny_board import CELLS, SECRET, HereEngine, write_round

from crowdgym.execution.jobs import JobKind, Outcome
from crowdgym.leaderboard.execute import execute_hidden
from crowdgym.leaderboard.folder import read_entry
from crowdgym.leaderboard.pack import Pack, read_pack, write_pack
from crowdgym.leaderboard.rounds import read_round
from crowdgym.leaderboard.verify import check_runs, verify_entries

PACK = f"traces/{CELLS[0]}.npz"


def faults(entry: Path) -> list[str]:
    """What is wrong with an entry."""
    ((_, found),) = verify_entries([entry], HereEngine())
    return found


def replayed_only(entry: Path) -> None:
    """Without the maintainer's word, so that a forgery meets the replay alone."""
    (entry / "execution.yaml").unlink(missing_ok=True)


def with_pack(change: Callable[[Pack], Pack]) -> Callable[[Path], None]:
    def forge(entry: Path) -> None:
        replayed_only(entry)
        write_pack(entry / PACK, change(read_pack(entry / PACK)))

    return forge


def with_header(**changes: Any) -> Callable[[Path], None]:
    return with_pack(lambda pack: replace(pack, header=pack.header.model_copy(update=changes)))


def with_episode(number: int, **changes: Any) -> Callable[[Path], None]:
    def change(pack: Pack) -> Pack:
        episodes = list(pack.header.episodes)
        episodes[number] = episodes[number].model_copy(update=changes)
        return replace(pack, header=pack.header.model_copy(update={"episodes": tuple(episodes)}))

    return with_pack(change)


def with_yaml(file: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def forge(entry: Path) -> None:
        content = yaml.safe_load((entry / file).read_text())
        change(content)
        (entry / file).write_text(yaml.safe_dump(content))

    return forge


def changed_action(pack: Pack) -> Pack:
    actions = [one.copy() for one in pack.actions]
    step, worker = np.argwhere(actions[0] == 1)[0]
    actions[0][step, worker] = 0
    return replace(pack, actions=tuple(actions))


def action_that_is_none(pack: Pack) -> Pack:
    actions = [one.copy() for one in pack.actions]
    actions[1][0, 0] = -1
    return replace(pack, actions=tuple(actions))


def picked(*numbers: int) -> Callable[[Pack], Pack]:
    """Only these episodes, in this order."""

    def change(pack: Pack) -> Pack:
        episodes = tuple(pack.header.episodes[number] for number in numbers)
        header = pack.header.model_copy(update={"episodes": episodes})
        return Pack(header, tuple(pack.actions[number] for number in numbers))

    return change


def cut(pack: Pack) -> Pack:
    episodes = (pack.header.episodes[0].model_copy(update={"steps": 5}), *pack.header.episodes[1:])
    return Pack(pack.header.model_copy(update={"episodes": episodes}), (pack.actions[0][:5], *pack.actions[1:]))


def more_revenue(entry: Path) -> None:
    metrics = {**read_pack(entry / PACK).header.episodes[0].metrics, "revenue": 1e6}
    with_episode(0, metrics=metrics)(entry)


def other_workers(entry: Path) -> None:
    settings = {**read_pack(entry / PACK).header.settings, "speed_mps": 100.0}
    with_header(settings=settings)(entry)


def zip_bomb(entry: Path) -> None:
    replayed_only(entry)
    with zipfile.ZipFile(entry / PACK, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("actions.npy", b"\0" * 2**26)


def pickled(entry: Path) -> None:
    replayed_only(entry)
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"a": 1}], object), actions=np.zeros(3, np.uint8), allow_pickle=True)
    (entry / PACK).write_bytes(buffer.getvalue())


def more_episodes_than_bytes(entry: Path) -> None:
    replayed_only(entry)
    pack = read_pack(entry / PACK)
    episodes = tuple(one.model_copy(update={"steps": 1_000_000}) for one in pack.header.episodes)
    header = pack.header.model_copy(update={"episodes": episodes, "agents": 100_000})
    write_pack(entry / PACK, Pack(header, pack.actions))


def link(entry: Path) -> None:
    (entry / PACK).unlink()
    os.symlink("/etc/hostname", entry / PACK)


def other_cell(entry: Path) -> None:
    replayed_only(entry)
    shutil.copy(entry / f"traces/{CELLS[1]}.npz", entry / PACK)


FORGED = {
    "a changed action": (with_pack(changed_action), "claims revenue"),
    "an action that is none": (with_pack(action_that_is_none), "holds an action that is none"),
    "a changed metric": (more_revenue, "claims revenue 1,000,000, its replay earns"),
    "a metric less": (with_episode(0, metrics={"revenue": 1.0}), "and differs in 'completed'"),
    "another digest": (with_episode(1, digest="0" * 16), "differs from its replay"),
    "a dropped seed": (with_pack(picked(0, 2)), "lacks the episode of seed 40001"),
    "a seed twice": (with_pack(picked(0, 1, 1)), "holds the episode of seed 40001 twice"),
    "seeds in another order": (with_pack(picked(1, 0, 2)), "must be in the order"),
    "a better seed": (with_episode(0, seed=7), "lacks the episode of seed 40000"),
    "a cut episode": (with_pack(cut), "is cut: it goes on after its 5 steps"),
    "other settings": (other_workers, "the setting speed_mps must be that of the board"),
    "another cell": (other_cell, "the pack must be of tiny-num_workers=4"),
    "other data": (with_header(data_checksum="0" * 64), "was played on another road network"),
    "an instance in place of a seed": (with_header(options={"instance": 3}), "begins its episodes with an instance"),
    "an unknown option": (with_header(options={"easy": True}), "cannot begin"),
    "other agents": (with_header(agents=2), "its actions are not those"),
    "a zip bomb": (zip_bomb, "more than 4,194,304"),
    "a bomb of actions": (more_episodes_than_bytes, "would unpack to"),
    "a pickled array": (pickled, "is no pack"),
    "a missing cell": (lambda entry: (entry / PACK).unlink(), f"lacks the cell {CELLS[0]}"),
    "a link": (link, "a link or a device is not opened"),
    "a strange file": (lambda entry: (entry / "run.py").write_text("1"), "does not belong to an entry"),
    "a policy changed after it was run": (
        with_yaml("entry.yaml", lambda of: of["policy"].update(name="pau")),
        "was changed after it was run",
    ),
    "scores of an execution": (
        with_yaml("execution.yaml", lambda of: of["scores"].update(revenue=1e6)),
        "says revenue 1000000.0, its traces",
    ),
    "another name": (with_yaml("entry.yaml", lambda of: of.update(name="best")), "name must be that of the folder"),
    "an unknown key": (with_yaml("entry.yaml", lambda of: of.update(rank=1)), "there is no key 'rank'"),
    "a path as package": (
        with_yaml("entry.yaml", lambda of: of.update(policy={"kind": "rule", "package": "../../x.zip"})),
        "policy.package",
    ),
    "a script as paper": (with_yaml("entry.yaml", lambda of: of.update(paper="javascript:run()")), "paper must be"),
    "an unknown board": (with_yaml("entry.yaml", lambda of: of.update(suite="easy")), "there is no board 'easy'"),
    "a control character": (with_yaml("entry.yaml", lambda of: of.update(title="a\x07b")), "title must be printable"),
}  # fmt: skip


def test_an_honest_entry_is_verified(greedy: Path) -> None:
    assert faults(greedy) == []


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_entry_is_refused_with_one_sentence(name: str, greedy: Path) -> None:
    forge, sentence = FORGED[name]
    forge(greedy)

    found = faults(greedy)

    assert len(found) == 1
    assert sentence in found[0]
    assert "\n" not in found[0]


def test_the_other_entries_are_still_judged(entries: Path) -> None:
    more_revenue(entries / "csc_v0" / "greedy")
    paths = [entries / "csc_v0" / name for name in ("greedy", "hold")]
    assert [len(found) for _, found in verify_entries(paths, HereEngine())] == [1, 0]


def test_a_package_must_be_the_one_of_the_digest(greedy: Path) -> None:
    replayed_only(greedy)
    package = {"kind": "rule", "package": "mine.zip", "sha256": "0" * 64, "entry_point": "mine:Mine"}
    with_yaml("entry.yaml", lambda of: of.update(policy=package))(greedy)
    assert "lacks mine.zip" in faults(greedy)[0]
    (greedy / "mine.zip").write_bytes(b"other")
    assert "is not the package of the entry: SHA-256 d9298a10d1b0" in faults(greedy)[0]


# Hidden seeds


def run_hidden(entry: Path, name: str = "first") -> None:
    folder = read_entry(entry)
    execute_hidden(folder, read_round(folder.rounds, name), SECRET, None, HereEngine(), lambda: None)


def test_a_run_on_hidden_seeds_is_verified_once_the_secret_is_published(greedy: Path, entries: Path) -> None:
    write_round(entries, "first", closed=True)
    run_hidden(greedy)
    assert faults(greedy) == []


def test_public_traces_are_no_run_on_hidden_seeds(greedy: Path, entries: Path) -> None:
    write_round(entries, "first", closed=True)
    run_hidden(greedy)
    hidden = greedy / "hidden" / "first"
    shutil.copy(greedy / PACK, hidden / f"{CELLS[0]}.npz")
    assert "says revenue" in faults(greedy)[0]
    pack = read_pack(hidden / f"{CELLS[0]}.npz")
    assert [episode.seed for episode in pack.header.episodes] == [40_000, 40_001, 40_002]


def test_an_entry_is_reported_before_the_next_is_played(entries: Path) -> None:
    greedy, hold = entries / "csc_v0" / "greedy", entries / "csc_v0" / "hold"
    begun: list[Path] = []

    class Watched(HereEngine):
        def run(self, kind: JobKind[Any], jobs: Sequence[Any]) -> Iterator[tuple[Any, Outcome]]:
            for job in jobs:
                begun.append(job.file)
                yield from super().run(kind, [job])

    reports = verify_entries([greedy, hold], Watched())
    assert next(reports) == (greedy, [])
    assert {file.parent.parent.name for file in begun} == {"greedy"}
    assert list(reports) == [(hold, [])]


def test_traces_of_an_open_round_are_refused_as_they_tell_its_seeds(greedy: Path, entries: Path) -> None:
    write_round(entries, "first", closed=True)
    run_hidden(greedy)
    write_round(entries, "first", closed=False)
    assert "which is open: they tell its seeds" in faults(greedy)[0]


def test_a_round_about_other_boards_is_refused(greedy: Path, entries: Path) -> None:
    write_round(entries, "first", closed=True)
    run_hidden(greedy)
    write_round(entries, "first", closed=True, suite="leaderboard-csc-v1")
    assert "is not about leaderboard-tiny-v1" in faults(greedy)[0]


def test_a_secret_that_is_not_that_of_the_digest_is_refused(greedy: Path, entries: Path) -> None:
    write_round(entries, "first", closed=True)
    run_hidden(greedy)
    file = entries.parent / "rounds" / "first.yaml"
    file.write_text(file.read_text().replace(SECRET, "f" * 64))
    assert "the secret must be the one whose SHA-256 was published" in faults(greedy)[0]


def test_a_team_has_three_runs_in_a_round_and_policies_of_crowdgym_do_not_count(entries: Path) -> None:
    write_round(entries, "first", closed=False)
    folders = []
    for number in range(4):
        path = entries / "csc_v0" / f"try-{number}"
        shutil.copytree(entries / "csc_v0" / "hold", path)
        (path / "hidden" / "first").mkdir(parents=True)
        with_yaml("entry.yaml", lambda of, n=number: of.update(name=f"try-{n}", policy={"kind": "rule"}))(path)  # type: ignore[misc]
        with_yaml("execution.yaml", lambda of: of.update(round="first"))(path)
        shutil.move(path / "execution.yaml", path / "hidden" / "first" / "execution.yaml")
        folders.append(read_entry(path))
    assert check_runs(folders[:3]) == []
    (sentence,) = check_runs(folders)
    assert sentence.startswith("the team 'CrowdGym' has 4 runs in the round 'first' of leaderboard-tiny-v1")
