"""Ctrl-C and SIGTERM end a command with one line, from its first import on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli_run import TINY


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize(
    ("number", "exit_code", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_is_one_line_and_leaves_nothing(
    policies: Path, number: signal.Signals, exit_code: int, said: str
) -> None:
    """Also where the tests run in the background of a shell, which has its children ignore interrupts."""
    arguments = [*TINY, "--agent", "bad_rules:Sleeps", "--json", "out.json", "--render", "out.gif"]
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = [sys.executable, "-c", f"{heed}; from crowdgym.cli.start import main; main()", *arguments]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=policies, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert "asleep\n" in iter(process.stderr.readline, "")  # what a policy prints goes there
        time.sleep(0.2)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == exit_code
    assert [line for line in stderr.splitlines() if "is compiling" not in line] == [said]
    assert sorted(path.name for path in policies.iterdir() if path.name != "__pycache__") == ["bad_rules.py"]


STOPPED_WHILE_IMPORTING = """
import os, signal, sys

class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), int(sys.argv[1]))

sys.meta_path.insert(0, Stop())
signal.signal(signal.SIGINT, signal.default_int_handler)
from crowdgym.cli.start import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize(
    ("number", "exit_code", "said"), [(signal.SIGINT, 130, "interrupted\n"), (15, 143, "terminated\n")]
)
def test_a_signal_during_the_imports_is_one_line(number: int, exit_code: int, said: str) -> None:
    program = [sys.executable, "-c", STOPPED_WHILE_IMPORTING, str(int(number))]
    ended = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (exit_code, "", said)


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3, 0.6])
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for the process in /proc")
def test_ctrl_c_while_the_process_of_a_policy_starts_is_one_line(policies: Path, delay_s: float) -> None:
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = [sys.executable, "-c", f"{heed}; from crowdgym.cli.start import main; main()"]
    with subprocess.Popen(
        [*program, *TINY, "--agent", "bad_rules:Two"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=policies,
        start_new_session=True,
    ) as process:
        while not is_starting_another(process.pid):
            time.sleep(0.01)
        time.sleep(delay_s)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the policy's process, too
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")


def is_starting_another(pid: int) -> bool:
    """Whether a process has a child that `multiprocessing` has started to run a function."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return any(b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes() for child in children)
