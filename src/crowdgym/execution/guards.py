"""What the operating system keeps from a process. Linux only: elsewhere these functions do nothing."""

import ctypes
import signal
import sys
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1  # of prctl
_SET_DUMPABLE: Final = 4
_SET_NO_NEW_PRIVILEGES: Final = 38

_CAPABILITY_VERSION: Final = 0x20080522
# sys_rawio, sys_module, sys_ptrace, sys_admin, perfmon, bpf, checkpoint_restore: each may read another process's memory
_OF_OTHERS_MEMORY: Final = sum(1 << number for number in (16, 17, 19, 21, 38, 39, 40))


def hide_memory() -> None:
    """Keep other processes of the same user from reading the memory of this one.

    Root still can, unless it has given up what `give_up_others_memory` names.
    """
    _prctl(_SET_DUMPABLE, 0)


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
