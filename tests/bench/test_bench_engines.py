"""A suite on a Ray cluster of two nodes gives the files that it gives on one machine, byte for byte."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'crowdgym[ray]'")

from execution.two_nodes import TOO_BUSY, finish, replace_a_node, started, two_nodes

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
def cluster() -> Iterator[Any]:
    with two_nodes(cores=1) as two:
        yield two


def played(suite: Path, out: Path, *options: str) -> Any:
    return started("bench", suite, "--out", out, "--traces", *options)


def files_of(out: Path) -> dict[str, bytes]:
    """The rows and the traces."""
    files = [out / "episodes.jsonl", out / "bounds.jsonl", *sorted((out / "traces").iterdir())]
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def test_two_nodes_give_the_files_of_one_machine_also_if_one_is_killed(
    suite: Path, cluster: Any, tmp_path: Path
) -> None:
    finish(played(suite, tmp_path / "local", "--jobs", "1"))
    expected = files_of(tmp_path / "local")
    assert len(expected) == 2 + EPISODES

    finish(played(suite, tmp_path / "ray", "--engine", "ray", "--address", cluster.address))
    assert files_of(tmp_path / "ray") == expected

    process = played(suite, tmp_path / "killed", "--engine", "ray", "--address", cluster.address)
    rows = tmp_path / "killed" / "episodes.jsonl"
    joined = replace_a_node(cluster, 1, process, lambda: rows.is_file() and rows.read_bytes().count(b"\n") >= 3)
    finish(process)
    assert files_of(tmp_path / "killed") == expected
    if not joined:
        pytest.skip(f"a node was lost, and no other took its place: {TOO_BUSY}")
