"""The commands of Slurm, as far as submitit calls them, with processes of this machine in the place of its nodes.

`install` puts them into a folder for PATH. What they know of a job is files in that folder: the batch script, and for
each task of an array its state, its process, and the reasons for which it was started again.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

NODE = "node-1"
_SIGNALS = {"USR2": signal.SIGUSR2, "SIGUSR2": signal.SIGUSR2, "SIGTERM": signal.SIGTERM}


def install(folder: Path) -> Path:
    """Write the commands into ``folder / "bin"``, which is returned."""
    commands = folder / "bin"
    commands.mkdir(parents=True)
    for function in _COMMANDS:
        command = commands / function.__name__
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" {command.name} "$@"\n')
        command.chmod(0o755)
    return commands


def scripts(folder: Path) -> list[str]:
    """The batch scripts that were submitted, in order."""
    return [file.read_text() for file in sorted(folder.glob("*.sh"))]


def states(folder: Path) -> dict[str, str]:
    """The state of each job, or of each task of an array, by its name."""
    return {file.stem: file.read_text() for file in sorted(folder.glob("*.state"))}


def sbatch(folder: Path, script: str) -> None:
    """Submit a script: its tasks are started by a process of their own."""
    number = 100 + len(scripts(folder))
    (folder / f"{number}.sh").write_text(Path(script).read_text())
    for name in _tasks(folder, str(number)):
        (folder / f"{name}.state").write_text("PENDING")
    words = [sys.executable, __file__, str(folder), "controller", str(number)]
    subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"Submitted batch job {number}")


def controller(folder: Path, number: str) -> None:
    """Start the tasks of a job, as many at a time as it says, until all have ended."""
    text = (folder / f"{number}.sh").read_text()
    limit = re.search(r"--array=\S*%(\d+)", text)
    waiting, running = _tasks(folder, number), dict[str, "subprocess.Popen[bytes]"]()
    while waiting or running:
        while waiting and len(running) < (int(limit[1]) if limit else 1):
            name = waiting.pop(0)
            if (folder / f"{name}.state").read_text() == "PENDING":
                running[name] = _started(folder, name)
        for name, process in list(running.items()):
            if process.poll() is not None:
                del running[name]
                if _ended(folder, name, process.returncode):
                    waiting.append(name)
        time.sleep(0.05)


def srun(_: Path, *words: str) -> None:
    """Start a command, with its output in files."""
    given = list(words)
    task = {"%A": os.environ.get("SLURM_ARRAY_JOB_ID", ""), "%a": os.environ.get("SLURM_ARRAY_TASK_ID", ""), "%t": "0"}
    task["%j"] = os.environ["SLURM_JOB_ID"]
    for stream in (1, 2):
        option = given.index(("--output", "--error")[stream - 1])
        target = given[option + 1]
        for mark, value in task.items():
            target = target.replace(mark, value)
        os.dup2(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644), stream)
        del given[option : option + 2]
    given.remove("--unbuffered")
    os.execvp(given[0], given)


def sacct(folder: Path, *words: str) -> None:
    """The states of the tasks of some jobs, and a line for the step of each."""
    print("JobID|State|NodeList")
    jobs = [word for option, word in pairwise(words) if option == "-j"]
    for name, state in states(folder).items():
        if name.split("_")[0] in jobs:
            print(f"{name}|{state}|{NODE}\n{name}.batch|{state}|{NODE}")


def scancel(folder: Path, name: str, *words: str) -> None:
    """Send a signal to a task, or end it."""
    signalled = _SIGNALS[words[1]] if words else signal.SIGKILL
    if not words and (folder / f"{name}.state").read_text() in ("PENDING", "RUNNING"):
        (folder / f"{name}.state").write_text("CANCELLED by 0")
    with suppress(FileNotFoundError, ProcessLookupError):
        os.killpg(int((folder / f"{name}.process").read_text()), signalled)


def scontrol(folder: Path, deed: str, name: str) -> None:
    """Have a task start again when it has ended."""
    assert deed == "requeue"
    (folder / f"{name}.requeue").touch()


def _tasks(folder: Path, number: str) -> list[str]:
    array = re.search(r"--array=(\d+)-(\d+)", (folder / f"{number}.sh").read_text())
    return [number] if array is None else [f"{number}_{task}" for task in range(int(array[1]), int(array[2]) + 1)]


def _started(folder: Path, name: str) -> "subprocess.Popen[bytes]":
    number, _, task = name.partition("_")
    state = folder / f"{name}.state"
    state.write_text("RUNNING")
    of_array = {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": task} if task else {}
    process = subprocess.Popen(
        ["bash", str(folder / f"{number}.sh")],
        env={**os.environ, "SLURM_JOB_ID": number, "SLURM_JOB_NODELIST": NODE, **of_array},
        start_new_session=True,  # a group of its own, which a signal reaches
    )
    (folder / f"{name}.process").write_text(str(process.pid))
    if state.read_text() != "RUNNING":  # it was cancelled meanwhile
        os.killpg(process.pid, signal.SIGKILL)
    return process


def _ended(folder: Path, name: str, code: int) -> bool:
    """Write down how a task has ended. Returns whether it is to start again."""
    state, again = folder / f"{name}.state", folder / f"{name}.requeue"
    if again.exists():
        again.unlink()
        state.write_text("PENDING")
        return True
    if not state.read_text().startswith("CANCELLED"):
        state.write_text("COMPLETED" if code == 0 else "NODE_FAIL")
    return False


_COMMANDS = (sbatch, srun, sacct, scancel, scontrol)

if __name__ == "__main__":
    place, name, *words = sys.argv[1:]
    {command.__name__: command for command in (*_COMMANDS, controller)}[name](Path(place), *words)
