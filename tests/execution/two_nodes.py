"""A Ray cluster of two nodes on this machine, for tests of commands; and what a command does meanwhile."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

TOO_BUSY = "Ray has not started a node in its 30 s: the machine is too busy"


@contextmanager
def two_nodes(cores: int) -> Iterator[Any]:
    """Two nodes, each with so many cores: a `ray.cluster_utils.Cluster`."""
    import ray
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_worker_niceness", "0")  # else its processes wait for all others of a busy machine
    try:
        two = Cluster(initialize_head=True, head_node_args={"num_cpus": cores, "include_dashboard": False})
    except Exception:  # Ray raises no class of its own
        pytest.skip(TOO_BUSY)
    try:
        if not _add_node(two, cores):
            pytest.skip(TOO_BUSY)
        yield two
    finally:
        ray.shutdown()
        two.shutdown()


def started(*words: object) -> "subprocess.Popen[str]":
    """A command of CrowdGym in a process of its own."""
    program = [sys.executable, "-m", "crowdgym", *map(str, words)]
    return subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> None:
    """Wait for a command, which must succeed."""
    _, said = process.communicate()
    assert process.returncode == 0, said


def replace_a_node(cluster: Any, cores: int, process: "subprocess.Popen[str]", begun: Callable[[], bool]) -> bool:
    """Kill the node that is not the head when the work of a command has begun, and start another.

    The command must still be at work then. Returns whether the other node is there.
    """
    while not begun():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    victim = next(node for node in cluster.list_all_nodes() if node != cluster.head_node)
    cluster.remove_node(victim, allow_graceful=False)
    assert process.poll() is None
    return _add_node(cluster, cores)


def _add_node(cluster: Any, cores: int) -> bool:
    """Start a node. Ray gives up after 30 s, which a busy machine may need for it."""
    for _ in range(3):
        with suppress(Exception):  # Ray raises no class of its own
            cluster.add_node(num_cpus=cores)
            return True
    return False
