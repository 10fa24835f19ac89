"""Memory that the runner and the process of a policy share. It has no name: other processes cannot open it.

The runner writes and never reads it, so it does not matter what the other side does with it. Its size is sealed: if the
other side could cut it short, the runner would die where it writes. Linux only; elsewhere moments go in messages.
"""

import mmap
import os
import socket
import sys
from typing import Final

CAN_SHARE: Final = sys.platform == "linux"


def create(num_bytes: int) -> int:
    """A descriptor of new memory, whose size cannot be changed any more."""
    import fcntl  # not on Windows

    descriptor = os.memfd_create("crowdgym-moment", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.truncate(descriptor, num_bytes)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor


def halves(descriptor: int) -> list[memoryview]:
    """The two halves of the memory of a descriptor, which is closed."""
    try:
        whole = memoryview(mmap.mmap(descriptor, 0))
    finally:
        os.close(descriptor)
    middle = len(whole) // 2
    return [whole[:middle], whole[middle:]]


def send(connection: socket.socket, descriptor: int) -> None:
    """Send a descriptor to the process at the other end; the caller closes its own."""
    socket.send_fds(connection, [b"\0"], [descriptor])


def receive(connection: socket.socket) -> int:
    """Wait for a descriptor. Raises `OSError` if there is none."""
    _, descriptors, *_ = socket.recv_fds(connection, 1, 1)
    if not descriptors:
        raise OSError("the connection has ended")
    return descriptors[0]
