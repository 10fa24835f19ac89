"""What the operating system keeps from a process. Linux only: elsewhere these functions do nothing."""

import ctypes
import signal
import sys
from pathlib import Path
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1  # of prctl
_SET_DUMPABLE: Final = 4
_SET_NO_NEW_PRIVILEGES: Final = 38

_ARGUMENTS_START: Final = 45  # of the numbers after the name in /proc/self/stat; where they end comes next

_CAPABILITY_VERSION: Final = 0x20080522
# sys_rawio, sys_module, sys_ptrace, sys_admin, perfmon, bpf, checkpoint_restore: each may read another process's memory
_OF_OTHERS_MEMORY: Final = sum(1 << number for number in (16, 17, 19, 21, 38, 39, 40))


def hide_memory() -> None:
    """Keep other processes of the same user from reading the memory of this one.

    Root still can, unless it has given up what `give_up_others_memory` names.
    """
    _prctl(_SET_DUMPABLE, 0)


def hide_arguments() -> None:
    """Take the arguments of this process out of what other processes see, such as ``ps``: they may name a seed.

    `sys.argv` keeps them. What is seen of the program that started this one stays as it is.
    """
    if sys.platform != "linux":
        return
    numbers = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(numbers[_ARGUMENTS_START]), int(numbers[_ARGUMENTS_START + 1])
    if 0 < start < end:  # 0 where the system does not say
        program = len(ctypes.string_at(start)) + 1
        ctypes.memset(start + program, 0, max(0, end - start - program))


def end_with_starter() -> None:
    """End this process when the process that started it ends."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def give_up_others_memory() -> None:
    """Give up, for good, the right of root to read the memory of processes that have called `hide_memory`."""
    if sys.platform != "linux":
        return
    _prctl(_SET_NO_NEW_PRIVILEGES, 1)  # programs that it starts do not get the right back
    library = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the same for the higher numbers
    if library.capget(header, sets) == 0:
        for place in range(6):
            sets[place] &= ~(_OF_OTHERS_MEMORY >> 32 * (place // 3)) & 0xFFFFFFFF
        library.capset(header, sets)


def _prctl(option: int, value: int) -> None:
    """A setting of this process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
