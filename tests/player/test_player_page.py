"""The file of the player: the packed replay, the page around it, and the command."""

import base64
import gzip
import json
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from player.episodes import places_m, played, recorded
from typer.testing import CliRunner

from crowdgym.cli.main import app
from crowdgym.common.errors import DataError
from crowdgym.envs.rendering.video import ffmpeg
from crowdgym.player.packing import Run, packed
from crowdgym.player.page import page

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "src" / "crowdgym" / "player" / "bundle"


def has_ffmpeg() -> bool:
    try:
        ffmpeg()
    except DataError:
        return False
    return True


def unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A reader of the format, written from its description in docs/player.md."""
    content = gzip.decompress(content)
    (size,) = struct.unpack("<I", content[:4])
    header, at, arrays = json.loads(content[4 : 4 + size]), 4 + size, {}
    for of in header["arrays"]:
        kind = np.dtype(of["type"]).newbyteorder("<")
        count = int(np.prod(of["shape"], dtype=int))
        array = np.frombuffer(content, kind, count, at).reshape(of["shape"])
        arrays[of["name"]] = np.cumsum(array, axis=0, dtype=kind) if of["delta"] else array
        at += -(-count * kind.itemsize // 8) * 8
    assert at == len(content)
    return header, arrays


@pytest.fixture(scope="module")
def replay() -> bytes:
    return packed([Run("a title", "random", played("csc_v0").scene)])


def test_the_same_episode_gives_the_same_bytes(replay: bytes) -> None:
    assert packed([Run("a title", "random", played("csc_v0").scene)]) == replay


def test_what_is_packed_is_the_scene(replay: bytes) -> None:
    header, arrays = unpacked(replay)
    scene = played("csc_v0").scene
    assert (header["format"], header["format_version"]) == ("crowdgym-replay", 2)
    assert header["runs"][0]["agent"] == "random"
    assert [mark["name"] for mark in header["runs"][0]["site_marks"]] == [
        mark.name for mark in scene.picture.site_marks
    ]
    for name in ("mover_state", "site_state", "mover_start", "links"):
        assert arrays[f"run0.{name}"].tolist() == getattr(scene, name).tolist()
    for name in ("mover", "site", "first", "node"):
        assert arrays[f"run0.leg_{name}"].tolist() == getattr(scene.legs, name).tolist()
    assert np.abs(arrays["run0.leg_at"] / 10 - scene.legs.at_s).max() <= 0.05
    assert arrays["run0.series.revenue"].tolist() == scene.series["revenue"].tolist()
    texts = [header["runs"][0]["texts"][number] for number in arrays["run0.event_text"]]
    assert texts == [event.text for event in scene.events]


def test_packed_places_are_right_to_half_a_metre(replay: bytes) -> None:
    header, arrays = unpacked(replay)
    network, city = played("csc_v0").env.instance.network, header["city"]
    x_m = city["left_m"] + arrays["city.x"] / 65_535 * city["side_m"]
    assert np.abs(x_m - network.x_m).max() < 0.5
    assert arrays["city.streets"].shape == (network.num_edges, 2)


def test_a_page_asks_for_nothing_outside_itself(replay: bytes) -> None:
    text = page(replay, "a <title>")
    assert "<title>a &lt;title&gt;</title>" in text
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=[\"']?http", text)
    stored = re.search(r'<script id="replay"[^>]*>([^<]*)</script>', text)
    assert stored is not None
    assert base64.b64decode(stored.group(1)) == replay
    assert text.count("</script>") == 2


def test_the_command_writes_one_file_of_two_traces(tmp_path: Path) -> None:
    traces = [str(recorded(tmp_path, agent)) for agent in ("greedy", "random")]
    out = tmp_path / "replay.html"
    result = CliRunner().invoke(app, ["view", *traces, "--out", str(out)])
    assert (result.exit_code, result.output) == (0, f"wrote {out}\n")
    assert "csc_v0 on tiny, seed 1" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "kind"), [("two.gif", "GIF"), ("two.mp4", "MP4")])
def test_the_command_draws_two_traces_side_by_side_without_playing_anew(tmp_path: Path, name: str, kind: str) -> None:
    if kind == "MP4" and not has_ffmpeg():
        pytest.skip("there is no ffmpeg on this machine")
    traces = [str(recorded(tmp_path, agent, horizon_s=300.0)) for agent in ("greedy", "random")]
    options = ["--every", "4", "--fps", "10", "--size", "261", "--out", str(tmp_path / name)]
    result = CliRunner().invoke(app, ["view", *traces, *options])
    assert (result.exit_code, result.output) == (0, f"wrote {tmp_path / name}\n")
    if kind == "MP4":
        assert (tmp_path / name).read_bytes()[4:8] == b"ftyp"
        return
    with Image.open(tmp_path / name) as gif:
        assert gif.size == (500, 261)  # of 2,000 x 1,044: a heading above each picture
        assert gif.n_frames == 4  # the begin, and after 4, 8 and 10 steps
        assert gif.info["duration"] == 100


@pytest.mark.parametrize("option", [("--every", "2"), ("--fps", "5"), ("--size", "300")])
def test_options_of_animations_are_refused_for_a_page(tmp_path: Path, option: tuple[str, str]) -> None:
    trace, out = str(recorded(tmp_path, "hold")), tmp_path / "replay.html"
    result = CliRunner().invoke(app, ["view", trace, *option, "--out", str(out)])
    assert result.exit_code == 2
    assert f"{option[0]} is for animations: give a .gif or .mp4 file as --out" in result.output
    assert not out.exists()


def test_traces_of_two_environments_do_not_go_together(tmp_path: Path) -> None:
    traces = [str(recorded(tmp_path, "hold", environment)) for environment in ("csc_v0", "dasc_v0")]
    result = CliRunner().invoke(app, ["view", *traces, "--out", str(tmp_path / "replay.html")])
    assert result.exit_code == 2
    assert "the player shows traces of one environment and city" in result.output


def test_three_traces_are_too_many(tmp_path: Path) -> None:
    trace = str(recorded(tmp_path, "hold"))
    result = CliRunner().invoke(app, ["view", trace, trace, trace, "--out", str(tmp_path / "replay.html")])
    assert result.exit_code == 2
    assert "the player shows one or two traces, got 3" in result.output
    assert not (tmp_path / "replay.html").exists()


def test_the_bundle_is_what_the_sources_give(tmp_path: Path) -> None:
    if not (ROOT / "viewer" / "node_modules").is_dir():
        pytest.skip("viewer/node_modules is missing: run 'npm ci' in viewer/")
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=ROOT / "viewer", check=True)
    for name in ("player.js", "player.css", "LICENSES.txt"):
        assert (tmp_path / name).read_bytes() == (BUNDLE / name).read_bytes()


def test_places_between_epochs_are_on_the_way() -> None:
    """Half-way between two epochs a worker that drives is not further away than it can have driven."""
    of = played("csc_v0")
    speed_mps = of.env.settings.speed_mps
    for before, now in list(zip(of.snapshots, of.snapshots[1:], strict=False))[:20]:
        half_s = (before.time_s + now.time_s) / 2
        there_m = np.stack([before.worker_x_m, before.worker_y_m], axis=1)
        moved_m = np.linalg.norm(places_m(of, half_s) - there_m, axis=1)
        assert moved_m.max() <= speed_mps * (half_s - before.time_s) + 1e-6
