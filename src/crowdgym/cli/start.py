"""How the program begins and ends. It imports the commands only when it is ready to be stopped.

Ctrl-C, SIGTERM and an output that cannot be written end the program with one line on standard error and an exit code
that says so, from the first import on.
"""

import errno
import os
import signal
import sys

from crowdgym.cli.shared.signals import terminate, told
from crowdgym.common.text import shortened

UNWRITABLE, NO_FILE, OUTPUT_CLOSED = 2, 2, 1

_NAME_FAULTS = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)
_OUTPUT_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def main() -> None:
    """Run the command line, ready to be stopped."""
    try:
        signal.signal(signal.SIGTERM, terminate)
        from crowdgym.cli.main import main as run

        run()
    except KeyboardInterrupt as interrupt:
        sys.exit(told(interrupt))
    except BrokenPipeError:
        _end_without_output(OUTPUT_CLOSED)
    except OSError as error:
        if isinstance(error.filename, str | bytes):
            said = "names no file" if error.errno in _NAME_FAULTS else "cannot be used"
            print(f"error: {shortened(os.fsdecode(error.filename))!r} {said}: {error.strerror}", file=sys.stderr)
            sys.exit(NO_FILE)
        if not _is_of_output(error):
            raise
        print(f"error: cannot write the output: {error.strerror}", file=sys.stderr)
        _end_without_output(UNWRITABLE)
    finally:
        _flush()


def _is_of_output(error: OSError) -> bool:
    """Whether it is standard output that cannot be written. The error of a file would name the file."""
    return error.filename is None and error.errno in _OUTPUT_FAULTS


def _flush() -> None:
    """Write what is left of the output, so that its faults are found before Python ends."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _end_without_output(OUTPUT_CLOSED)
    except OSError as error:
        print(f"error: cannot write the output: {error.strerror}", file=sys.stderr)
        _end_without_output(UNWRITABLE)


def _end_without_output(exit_code: int) -> None:
    """End the program; what is left of its output goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(exit_code)
