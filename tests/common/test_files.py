"""Files are there whole or not at all, whatever the disk does, and no leftover outlives the next writer."""

import multiprocessing
import os
from pathlib import Path

import pytest
from common.file_faults import CRASH, FAULTS, FULL, SHORT, CrashedError, file_faults

from crowdgym.common.errors import UnwritableError
from crowdgym.common.files import write_bytes

OLD, NEW = b"old", b"new" * 1000


def operations(folder: Path) -> list[str]:
    with file_faults(folder) as faults:
        write_bytes(folder / "file", NEW)
    return faults.done


def test_it_is_written_forced_onto_the_disk_and_then_renamed(tmp_path: Path) -> None:
    assert operations(tmp_path) == [
        f"mkdir {tmp_path.name}",
        "open .file.tmp",
        "ftruncate .file.tmp",
        "write .file.tmp",
        "fsync .file.tmp",
        "replace .file.tmp",
        f"fsync {tmp_path.name}",
    ]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(7))
def test_a_fault_leaves_the_old_or_the_new_file_and_the_next_write_leaves_no_other(
    tmp_path: Path, fault: str, at: int
) -> None:
    (tmp_path / "file").write_bytes(OLD)
    with file_faults(tmp_path, fault, at):
        try:
            write_bytes(tmp_path / "file", NEW)
        except (CrashedError, UnwritableError) as error:
            stopped: BaseException | None = error
        else:
            stopped = None
    assert (tmp_path / "file").read_bytes() in (OLD, NEW)
    if fault == SHORT:
        assert stopped is None
    elif fault == CRASH:
        assert isinstance(stopped, CrashedError)
    elif stopped is not None:
        assert "\n" not in str(stopped)
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
        assert ("make room there" in str(stopped)) == (fault == FULL)
    assert stopped is not None or (tmp_path / "file").read_bytes() == NEW

    write_bytes(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _write_often(target: Path, content: bytes) -> None:
    for _ in range(200):
        write_bytes(target, content)


def test_two_processes_that_write_one_file_never_mix_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    target = tmp_path / "file"
    write_bytes(target, b"a" * 100_000)
    writers = [context.Process(target=_write_often, args=(target, letter * 100_000)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(frozenset(target.read_bytes()))
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert all(len(letters) == 1 for letters in seen)
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_in_the_way_of_the_temporary_file_gets_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".file.tmp")
    with pytest.raises(UnwritableError, match=r"cannot write .*file: .*in the way, which is no plain file"):
        write_bytes(tmp_path / "file", NEW)
    (tmp_path / ".file.tmp").unlink()
    (tmp_path / ".file.tmp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnwritableError, match="cannot write"):
        write_bytes(tmp_path / "file", NEW)
    assert not (tmp_path / "elsewhere").exists()


def test_the_rights_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "file", NEW)
    (tmp_path / "other").write_bytes(NEW)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    """Not replaced by a file: root, who may do that, would have no ``/dev/null`` any more."""
    device = tmp_path / "null"
    device.symlink_to("/dev/null")
    write_bytes(device, b"content")
    assert device.is_symlink()
    assert device.is_char_device()
    assert [file.name for file in tmp_path.iterdir()] == ["null"]


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_bytes(pipe, b"content")
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
