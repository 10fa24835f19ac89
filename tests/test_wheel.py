"""The wheel holds all that CrowdGym needs: it is built, installed into an empty environment, and used there."""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("src", "envs", "agents", "data", "configs", "pyproject.toml", "setup.py", "README.md", "LICENSE")

pytestmark = pytest.mark.slow


def run(*words: object, folder: Path) -> str:
    done = subprocess.run(list(map(str, words)), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel. The libraries that it depends on are those of this environment.

    They come by a line in a .pth file, behind the environment's own packages: the source tree, which a finder of this
    environment may know, is not found by it.
    """
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tree / name)
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
    run(*build, folder, tree, folder=folder)
    (wheel,) = folder.glob("crowdgym-*.whl")
    shutil.rmtree(tree)
    venv.create(folder / "empty", with_pip=True)
    python = folder / "empty" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, folder=folder)
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip())
    (own / "libraries.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
    return folder


def test_it_is_the_wheel_that_is_used(empty: Path) -> None:
    where = run(empty / "empty" / "bin" / "python", "-c", "import crowdgym; print(crowdgym.__file__)", folder=empty)

    assert Path(where.strip()).is_relative_to(empty / "empty")


def test_the_first_part_of_the_readme_works(empty: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)[0]

    assert "'revenue'" in run(empty / "empty" / "bin" / "python", "-c", first, folder=empty)


def test_commands_find_settings_scenarios_suites_and_trained_weights(empty: Path) -> None:
    command = empty / "empty" / "bin" / "crowdgym"

    assert "num_workers" in run(command, "envs", "csc_v0", folder=empty)
    assert "chengdu-paper" in run(command, "scenarios", folder=empty)
    assert "csc_v0 haikou-paper" in run(command, "agents", "csc_v0", "--json", folder=empty)
    assert "completed" in run(command, "run", "csc_v0", "--scenario", "tiny", folder=empty)
