"""The engine for a Ray cluster of two nodes: the first job of each is prepared alone."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'crowdgym[ray]'")

from two_nodes import two_nodes  # noqa: E402

from crowdgym.execution.jobs import JobKind  # noqa: E402
from crowdgym.execution.ray_engine import RayEngine  # noqa: E402

pytestmark = pytest.mark.slow

CORES = 2  # of each node
WATCHED_S = 4.0  # for so long the first process looks for others; they need about a second to start


@dataclass(frozen=True)
class Compiling:
    """A job that leaves a file in the folder of its node when its preparation begins."""

    number: int
    folder: Path

    def parameters(self) -> dict[str, Any]:
        return {"number": self.number}

    def isolation_group(self) -> str:
        return ""


def prepare(job: Compiling) -> None:
    """The first of a node writes down how many others have begun before it has ended."""
    of_node = job.folder / ray.get_runtime_context().get_node_id()
    of_node.mkdir(exist_ok=True)
    (of_node / f"{job.number}.begun").touch()
    try:
        (of_node / "first").touch(exist_ok=False)
    except FileExistsError:
        return
    until = time.monotonic() + WATCHED_S
    while time.monotonic() < until and len(list(of_node.glob("*.begun"))) == 1:
        time.sleep(0.05)
    (of_node / "first").write_text(str(len(list(of_node.glob("*.begun"))) - 1))


def play(job: Compiling) -> dict[str, Any]:
    time.sleep(0.3)
    return {}


def test_the_first_job_of_each_node_is_prepared_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # the jobs are of this folder
    jobs = [Compiling(number, tmp_path) for number in range(8 * CORES)]
    with two_nodes(CORES) as cluster, RayEngine(address=cluster.address) as engine:
        list(engine.run(JobKind(play, prepare), jobs))
    others = {node.name: (node / "first").read_text() for node in tmp_path.iterdir()}
    assert list(others.values()) == ["0", "0"]
