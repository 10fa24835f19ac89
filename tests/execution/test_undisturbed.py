"""Ctrl-C while a process is started reaches neither that process nor the middle of the start."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crowdgym.execution.processes import undisturbed

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs POSIX signals")


@pytest.fixture(autouse=True)
def _heed() -> Iterator[None]:
    """A program that a shell has started in the background ignores Ctrl-C."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def start_block(press: Callable[[], None], reached: list[str]) -> None:
    with undisturbed():
        press()
        time.sleep(0.05)  # a handler would run now
        reached.append("the end of the block")
    reached.append("behind the block")


def test_ctrl_c_waits_for_the_end_of_the_block() -> None:
    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        start_block(lambda: os.kill(os.getpid(), signal.SIGINT), reached)
    assert reached == ["the end of the block"]


def test_so_does_one_that_another_thread_receives() -> None:
    asked, reached = threading.Event(), list[str]()

    def receive() -> None:
        asked.wait()
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    other = threading.Thread(target=receive)
    other.start()  # before the block, so that it blocks nothing

    def press() -> None:
        asked.set()
        other.join()

    with pytest.raises(KeyboardInterrupt):
        start_block(press, reached)
    assert reached == ["the end of the block"]


def test_the_handler_and_the_mask_are_as_before() -> None:
    handler, mask = signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with undisturbed():
        pass
    assert signal.getsignal(signal.SIGINT) is handler
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask


def test_the_first_process_that_a_program_starts_has_it_blocked(tmp_path: Path) -> None:
    """`multiprocessing` starts a process of its own before the first one, and lets Ctrl-C through again after that."""
    program = """
import signal
from multiprocessing import get_context
from crowdgym.execution.processes import undisturbed
def blocked(sending):
    sending.send(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
if __name__ == "__main__":
    start = get_context("spawn")
    receiving, sending = start.Pipe()
    process = start.Process(target=blocked, args=(sending,))
    with undisturbed():
        process.start()
    print(receiving.recv())
    process.join()
"""
    file = tmp_path / "starts_one.py"
    file.write_text(program)
    assert subprocess.check_output([sys.executable, str(file)], text=True) == "True\n"
