"""Machine code on disk, and what is said when there is none yet. Each test in processes of its own."""

import os
import subprocess
import sys
from pathlib import Path

ANNOUNCED = "CrowdGym is compiling its simulation for this machine, half a minute or so, once"

TWO_KERNELS = """
    from crowdgym.common.compiling import has_compiled
    from crowdgym.envs.core.payment import payment_at
    from crowdgym.envs.core.road_graph import travel_time_s
    print(has_compiled(), payment_at(1.0, 2.0, 3.0, 4.0, 0.1), travel_time_s(30, 1.0, 10.0), has_compiled())
"""

ANOTHER_PERSONS_KERNEL = """
    import numba
    import crowdgym.envs.core.payment
    print(numba.njit(lambda x: x + 1)(1))
"""


ROOT = Path(__file__).parents[2]


def run(program: str, home: Path, **variables: str) -> tuple[str, str]:
    """What a program says on standard output and standard error, in a fresh process of a person whose home is given."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), **variables}
    lines = "\n".join(line.removeprefix("    ") for line in program.splitlines())
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", lines], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_compiling_is_announced_once_in_one_line_of_standard_error_and_not_at_all_when_it_is_done(
    tmp_path: Path,
) -> None:
    assert run(TWO_KERNELS, tmp_path) == ("False 4.0 3.0 True\n", f"{ANNOUNCED}\n")
    assert run(TWO_KERNELS, tmp_path) == ("False 4.0 3.0 False\n", "")


def test_a_program_that_sets_up_logging_can_silence_it(tmp_path: Path) -> None:
    silent = "import logging\nlogging.getLogger('crowdgym').setLevel(logging.ERROR)\n"
    assert run(silent + TWO_KERNELS, tmp_path) == ("False 4.0 3.0 True\n", "")


def test_where_machine_code_cannot_be_kept_it_says_where_and_compiles_every_time(tmp_path: Path) -> None:
    """A file is in the way of the cache folder: that stops even a superuser, whom permissions do not."""
    (tmp_path / "cache").write_text("not a folder")
    for _ in range(2):
        _, said = run(TWO_KERNELS, tmp_path)
        assert said.startswith("CrowdGym is compiling its simulation for this machine, half a minute or so; in every")
        assert said.endswith(f"process, because {tmp_path / 'cache' / 'crowdgym'} cannot be written to\n")


def test_numbas_own_variable_names_another_folder(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    variables = {"NUMBA_CACHE_DIR": str(tmp_path / "elsewhere")}
    assert run(TWO_KERNELS, tmp_path, **variables)[1] == f"{ANNOUNCED}\n"
    assert run(TWO_KERNELS, tmp_path, **variables)[1] == ""


def test_the_compilation_of_other_code_is_not_announced(tmp_path: Path) -> None:
    assert run(ANOTHER_PERSONS_KERNEL, tmp_path) == ("2\n", "")


def test_a_function_that_is_in_no_file_is_compiled_all_the_same(tmp_path: Path) -> None:
    program = "from crowdgym.common.jit import jit\nprint(jit(lambda x: x + 1)(1))"
    assert run(program, tmp_path) == ("2\n", "")


def test_without_compilation_there_is_nothing_to_announce(tmp_path: Path) -> None:
    assert run(TWO_KERNELS, tmp_path, NUMBA_DISABLE_JIT="1") == ("False 4.0 3.0 False\n", "")


def test_a_second_checkout_of_the_same_version_finds_the_machine_code_of_the_first(tmp_path: Path) -> None:
    package = tmp_path / "elsewhere" / "crowdgym"
    package.mkdir(parents=True)
    for part in (*(ROOT / "src/crowdgym").iterdir(), *(ROOT / name for name in ("envs", "agents", "data", "configs"))):
        (package / part.name).symlink_to(part)
    where = "import crowdgym\nprint(crowdgym.__path__[0])\n"
    assert run(where + TWO_KERNELS, tmp_path)[1] == f"{ANNOUNCED}\n"
    said = run(where + TWO_KERNELS, tmp_path, PYTHONPATH=str(package.parent))
    assert said == (f"{package}\nFalse 4.0 3.0 False\n", "")
