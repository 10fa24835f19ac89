"""Ctrl-C ends a command with one line."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli_run import TINY


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_an_interrupt_is_one_line_and_leaves_nothing(policies: Path) -> None:
    """Also where the tests run in the background of a shell, which has its children ignore interrupts."""
    arguments = [*TINY, "--agent", "bad_rules:Sleeps", "--json", "out.json", "--render", "out.gif"]
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = [sys.executable, "-c", f"{heed}; from crowdgym.cli.main import main; main()", *arguments]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=policies, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asleep\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert [line for line in stderr.splitlines() if "is compiling" not in line] == ["interrupted"]
    assert sorted(path.name for path in policies.iterdir() if path.name != "__pycache__") == ["bad_rules.py"]
