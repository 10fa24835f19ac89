"""How long a process may wait for another."""

from typing import Final

LONGEST_WAIT_S: Final = 1e6  # the system counts waits in milliseconds, of 31 bits
