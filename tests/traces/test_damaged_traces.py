"""Damaged traces: files that are no trace. Each gets one sentence, at once, and the batch goes on."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from traces.trace_files import HONEST, claiming, damaged, forged, npy, text, with_header
from typer.testing import CliRunner

from crowdgym.cli.main import app
from crowdgym.common import archives
from crowdgym.common.errors import DamagedFileError

Make = Callable[[Path], object]


def header(change: Callable[[Any], object]) -> Make:
    return lambda file: damaged(file, header=with_header(change))


def put(name: str, value: Any) -> Make:
    return header(lambda content: content.update({name: value}))


def nested(file: Path) -> None:
    damaged(file, header=text("[" * 100_000))


def twice(file: Path) -> None:
    content = json.dumps({"format": "crowdgym-trace"})
    damaged(file, header=text(content[:-1] + "," + content[1:]))


def declaring(file: Path, size: int) -> None:
    """A trace whose directory declares another size for the actions."""
    damaged(file)
    content = bytearray(file.read_bytes())
    at = content.rindex(b"actions.npy") - 46  # its entry in the directory
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
    file.write_bytes(content)


def crowded(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(2000):
            archive.writestr(f"{number}.npy", b"")


def doubled(file: Path) -> None:
    damaged(file)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("actions.npy", npy(np.zeros((120, 12), np.int8)))


def fifo(file: Path) -> None:
    os.mkfifo(file)


def status_77(file: Path) -> None:
    def changed(status: Any) -> Any:
        status[-1, 0] = 77
        return status

    forged(file, task_status=changed)


DAMAGED: dict[str, tuple[Make, str]] = {
    "a folder": (lambda file: file.mkdir(), "it is no plain file"),
    "a pipe": (fifo, "it is no plain file"),
    "missing": (lambda file: None, "there is no file"),
    "empty": (lambda file: file.write_bytes(b""), "does not end as an archive does"),
    "half of it": (lambda file: file.write_bytes(HONEST.read_bytes()[:4000]), "does not end as an archive does"),
    "a program before it": (
        lambda file: file.write_bytes(b"#!/bin/sh\nexit\n" + HONEST.read_bytes()),
        "does not begin as an archive does",
    ),
    "one bit off": (lambda file: file.write_bytes(HONEST.read_bytes().replace(b"PK\1\2", b"PK\1\3", 1)), "damaged"),
    "unpacks to gigabytes": (lambda file: declaring(file, 2**31), "bytes, more than 1,073,741,824"),
    "unpacks to more than it says": (lambda file: declaring(file, 100), "Bad CRC-32 for file 'actions.npy'"),
    "unpacks to less than it says": (lambda file: declaring(file, 10**6), "damaged"),
    "thousands of arrays": (crowded, "too many for 64 arrays"),
    "an array twice": (doubled, "it holds 'actions' twice"),
    "an array that claims terabytes": (
        lambda file: damaged(file, actions=claiming("'<i8'", "(1000000000000, 12)")),
        "does not have as many numbers as its shape",
    ),
    "an array of negative size": (
        lambda file: damaged(file, actions=claiming("'|i1'", "(-5, 12)")),
        "no type and shape",
    ),
    "an array of nested types": (
        lambda file: damaged(file, actions=claiming("(" * 50 + "'|i1'" + ")" * 50, "(1, 1)")),
        "no type and shape",
    ),
    "pickled objects": (lambda file: damaged(file, actions=npy(np.array([{}], object))), "no type of plain data"),
    "no array": (lambda file: damaged(file, actions=b"revenue,12"), "'actions' is no array"),
    "an unknown array": (
        lambda file: damaged(file, glory=npy(np.zeros(3))),
        "its header does not name the array 'glory'",
    ),
    "actions left out": (lambda file: damaged(file, actions=None), "it lacks whole numbers 'actions'"),
    "digests left out": (lambda file: damaged(file, digests=None), "it lacks whole numbers 'digests'"),
    "wrong digests": (lambda file: damaged(file, digests=npy(np.zeros(121, np.uint64))), "its own digests"),
    "a quantity of letters": (
        lambda file: damaged(file, **{"quantity/paid": npy(np.full((121, 30), "a"))}),
        "it lacks 'paid'",
    ),
    "no header": (lambda file: damaged(file, header=None), "an archive without a header"),
    "a header of floats": (lambda file: damaged(file, header=npy(np.zeros(9))), "its header is no text"),
    "a header of 8 MB": (lambda file: damaged(file, header=text(" " * 2**23)), "its header is no text of at most"),
    "a header that is a list": (lambda file: damaged(file, header=text("[1]")), "its header is not JSON with names"),
    "a header of 100,000 levels": (nested, "it has more than 32 levels"),
    "a header of 40 levels": (put("settings", json.loads("[" * 40 + "]" * 40)), "it has more than 32 levels"),
    "a header in no UTF-8": (lambda file: damaged(file, header=text(b"\xff{}")), "it is no text in UTF-8"),
    "a key twice": (twice, "the key 'format' is there twice"),
    "a number of 5,000 digits": (put("seed", 10**400), "a number has 401 digits"),
    "NaN": (put("metrics", {"revenue": float("nan")}), "NaN is no number of JSON"),
    "half a character": (put("agent", "\ud800"), "it holds half a character"),
    "a zero byte in a name": (put("agent", "gre\0edy"), "a text of its header cannot be printed: 'gre\\x00edy'"),
    "two lines in a name": (put("env", "csc_v0\nverified"), "cannot be printed"),
    "another format": (put("format", "x"), "its format is 'x'"),
    "another version": (put("format_version", 9), "has format version 9; this CrowdGym reads version 1"),
    "a key more": (put("score", 1e12), "score of its header is wrong"),
    "a key less": (header(lambda content: content.pop("agents")), "agents of its header is wrong"),
    "a negative seed": (put("seed", -5), "seed of its header is wrong"),
    "a seed that is text": (put("seed", "5"), "seed of its header is wrong"),
    "negative steps": (put("steps", -1), "steps of its header is wrong"),
    "10^12 steps": (put("steps", 10**12), "it lacks whole numbers 'actions' of shape (1000000000000, 12)"),
    "settings that are a list": (put("settings", [1]), "settings of its header is wrong"),
    "a scenario with a zero byte": (header(lambda content: content["settings"].update(scenario="a\0b")), "be printed"),
    "status 77": (status_77, "task_status expected 77"),
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("damaged")
    files = {name: folder / f"{number}.trace" for number, name in enumerate(DAMAGED)}
    for name, (make, _) in DAMAGED.items():
        make(files[name])
    batch = [HONEST, *files.values(), HONEST]
    result = CliRunner().invoke(app, ["trace", "verify", *map(str, batch)])
    assert result.exit_code == 2
    assert result.stdout.count("verified") == 2
    said = result.stderr.splitlines()
    return {name: [line for line in said if line.startswith(f"{file}: ")] for name, file in files.items()}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_trace_gets_one_sentence_and_the_batch_goes_on(judged: dict[str, list[str]], name: str) -> None:
    assert len(judged[name]) == 1
    assert DAMAGED[name][1] in judged[name][0]


def test_the_name_of_a_file_cannot_pretend_to_be_a_verdict(tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[2J\nb.trace: verified, 120 steps, revenue 9.trace"
    file.write_bytes(HONEST.read_bytes())
    result = CliRunner().invoke(app, ["trace", "verify", str(file)])
    assert result.exit_code == 0
    (verdict,) = result.stdout.splitlines()
    assert verdict.isprintable()
    assert " b.trace: verified, 120 steps, revenue 9.trace: verified, 120 steps, revenue 31,897" in verdict


def test_a_checker_that_replays_nothing_refuses_what_no_episode_holds(tmp_path: Path) -> None:
    status_77(tmp_path / "a.trace")
    result = CliRunner().invoke(app, ["trace", "check", str(tmp_path / "a.trace"), str(HONEST)])
    assert result.exit_code == 2
    assert "the trace holds what no episode of csc_v0 holds (ValueError: np.int8(77) is not a valid" in result.stderr
    assert result.stdout == f"{HONEST}: confirmed, 120 steps\n"


def test_no_array_is_unpacked_beyond_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declaring(tmp_path / "a.npz", 100)
    read: list[int] = []
    original = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: read.append(n) or original(self, n))  # type: ignore[func-returns-value]
    with pytest.raises(DamagedFileError):
        archives.read_archive(tmp_path / "a.npz")
    assert all(0 < count <= 2**20 for count in read)
