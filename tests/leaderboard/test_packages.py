"""Packs and packages: what is written comes back, and nothing leads out of the folder."""

import hashlib
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from leaderboard.tiny_board import CELLS, HereEngine, entry_text, write_yaml

from crowdgym.common.errors import ConfigError
from crowdgym.leaderboard import playing
from crowdgym.leaderboard.entry import Entry
from crowdgym.leaderboard.execute import execute_public
from crowdgym.leaderboard.folder import read_entry
from crowdgym.leaderboard.pack import read_pack, write_pack
from crowdgym.leaderboard.playing import check_information, engine_for, unpack
from crowdgym.leaderboard.verify import verify_entries

POLICY = """
import pathlib, tempfile

class Nearest:
    information = "centralised"

    def act(self, observations, infos):
        if list(pathlib.Path(tempfile.gettempdir()).rglob("*.trace")):
            raise RuntimeError("traces of earlier episodes can be read and replaced")
        return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}
"""


def package(file: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_a_pack_is_written_with_the_same_bytes_and_read_again(greedy: Path, tmp_path: Path) -> None:
    file = greedy / f"traces/{CELLS[0]}.npz"
    pack = read_pack(file)
    write_pack(tmp_path / "again.npz", pack)
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()
    assert [one.shape for one in pack.actions] == [(episode.steps, 4) for episode in pack.header.episodes]
    assert all(np.isin(one, (0, 1)).all() for one in pack.actions)  # greedy takes the nearest task, or holds


def test_a_package_is_unpacked_with_its_folders(tmp_path: Path) -> None:
    unpack(package(tmp_path / "mine.zip", {"mine.py": POLICY, "more/weights.txt": "1"}), tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "mine.py").read_text() == POLICY
    assert (tmp_path / "unpacked" / "more" / "weights.txt").read_text() == "1"


@pytest.mark.parametrize("name", ["../mine.py", "/mine.py", "a/../../mine.py", "a//b.py", "C:mine.py", "a\\b.py"])
def test_a_member_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    file = package(tmp_path / "mine.zip", {"ok.py": "1", name: "2"})
    with pytest.raises(ConfigError, match=r"mine\.zip: .* must "):
        unpack(file, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_link_in_a_package_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("mine.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.writestr(link, "/etc/hostname")
    with pytest.raises(ConfigError, match="must be a plain file below the folder"):
        unpack(tmp_path / "mine.zip", tmp_path / "unpacked")


def test_a_package_that_would_unpack_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "MOST_UNPACKED_BYTES", 2**16)
    with zipfile.ZipFile(tmp_path / "mine.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**16 + 1))
    with pytest.raises(ConfigError, match="has 1 and 65,537"):
        unpack(tmp_path / "mine.zip", tmp_path / "unpacked")


def test_no_package(tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_text("mine")
    with pytest.raises(ConfigError, match="cannot be unpacked"):
        unpack(tmp_path / "mine.zip", tmp_path / "unpacked")


def test_a_policy_that_was_given_more_than_the_entry_says_is_refused() -> None:
    entry = Entry.model_validate(entry_text("greedy"))
    check_information(entry, "decentralised (isolated)")
    with pytest.raises(ConfigError, match="says that its policy is decentralised, but the policy is centralised"):
        check_information(entry, "centralised (isolated)")


def test_an_entry_without_a_policy_cannot_be_run(tiny: None, entries: Path) -> None:
    path = entries / "csc_v0" / "greedy"
    write_yaml(path / "entry.yaml", entry_text("greedy", policy={"kind": "rule"}))
    with pytest.raises(ConfigError, match="has no policy that can be run"):
        execute_public(read_entry(path), HereEngine(), lambda: None)


def test_a_policy_that_is_less_than_the_entry_says_is_refused(tiny: None, entries: Path) -> None:
    path = entries / "csc_v0" / "greedy"
    write_yaml(path / "entry.yaml", entry_text("greedy", information="clairvoyant"))
    with pytest.raises(ConfigError, match="is clairvoyant, but the policy is decentralised"):
        execute_public(read_entry(path), HereEngine(), lambda: None)


@pytest.mark.slow
def test_a_package_is_run_in_a_process_of_its_own_and_earns_what_its_rule_earns(
    entries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where its policy looks for traces
    monkeypatch.setattr("tempfile.tempdir", None)
    path = entries / "csc_v0" / "mine"
    path.mkdir()
    file = package(path / "mine.zip", {"mine.py": POLICY})
    source = {
        "package": "mine.zip",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "entry_point": "mine:Nearest",
    }
    write_yaml(path / "entry.yaml", entry_text("mine", information="centralised", policy={"kind": "rule", **source}))
    folder = read_entry(path)
    with engine_for(folder.entry, path, 1):  # its folder is the current one, where the process of the policy looks
        execution = execute_public(folder, HereEngine(), lambda: None)
    assert execution.scores == read_entry(entries / "csc_v0" / "greedy").execution.scores  # type: ignore[union-attr]
    ((_, found),) = verify_entries([path], HereEngine())
    assert found == []
