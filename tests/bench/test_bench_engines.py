"""A suite on a Ray cluster of two nodes gives the files that it gives on one machine, byte for byte."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'crowdgym[ray]'")

import ray
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow

SUITE = """
about: a suite for two nodes
environment: csc_v0
scenarios: [tiny]
grid: [{num_workers: [6, 12], num_tasks: [20]}]
agents: [greedy, pau, random]
first_seed: 1000
episodes: 6
metrics: [revenue]
share_of_bound: true
time_limit_s: 300
quick: {episodes: 1}
"""
EPISODES = 36


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "two-nodes.yaml"
    file.write_text(SUITE)
    return file


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two nodes of one core each."""
    two = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    two.add_node(num_cpus=1)
    yield two
    ray.shutdown()
    two.shutdown()


def played(suite: Path, out: Path, *options: str) -> "subprocess.Popen[str]":
    words = ["bench", str(suite), "--out", str(out), "--traces", *options]
    return subprocess.Popen([sys.executable, "-m", "crowdgym", *words], stderr=subprocess.PIPE, text=True)


def play(suite: Path, out: Path, *options: str) -> None:
    finish(played(suite, out, *options))


def finish(process: "subprocess.Popen[str]") -> None:
    _, said = process.communicate()
    assert process.returncode == 0, said


def files_of(out: Path) -> dict[str, bytes]:
    """The rows and the traces."""
    files = [out / "episodes.jsonl", out / "bounds.jsonl", *sorted((out / "traces").iterdir())]
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def test_two_nodes_give_the_files_of_one_machine_also_if_one_is_killed(
    suite: Path, cluster: Cluster, tmp_path: Path
) -> None:
    play(suite, tmp_path / "local", "--jobs", "1")
    expected = files_of(tmp_path / "local")
    assert len(expected) == 2 + EPISODES

    play(suite, tmp_path / "ray", "--engine", "ray", "--address", cluster.address)
    assert files_of(tmp_path / "ray") == expected

    process = played(suite, tmp_path / "killed", "--engine", "ray", "--address", cluster.address)
    replace_a_node(cluster, tmp_path / "killed" / "episodes.jsonl")
    assert process.poll() is None  # the node was killed in the middle
    finish(process)
    assert files_of(tmp_path / "killed") == expected


def replace_a_node(cluster: Cluster, episodes: Path) -> None:
    """Kill a node when a few episodes are finished, and start another."""
    while not episodes.is_file() or episodes.read_bytes().count(b"\n") < 3:
        time.sleep(0.05)
    victim: Any = next(node for node in cluster.list_all_nodes() if node != cluster.head_node)
    cluster.remove_node(victim, allow_graceful=False)
    cluster.add_node(num_cpus=1)
