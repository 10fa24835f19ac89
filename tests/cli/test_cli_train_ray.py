"""``crowdgym train --engine ray``: the weights of one process, bit for bit, on two nodes and if one of them is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'crowdgym[ray]'")
pytest.importorskip("torch")

from execution.two_nodes import TOO_BUSY, finish, replace_a_node, started, two_nodes
from training_runs import arguments, curve, ran, tensors

pytestmark = pytest.mark.slow

TIMES = ("wall_s", "processor_s", "environment_s")
CORES = 2  # of each node
RUN = {"iterations": 12, "num_envs": 4, "evaluation_every": 4}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with two_nodes(CORES) as two:
        yield two


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """What one process gives."""
    out = tmp_path_factory.mktemp("here")
    ran(*arguments(out, **RUN))
    return results(out)


def results(out: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    rows = [{name: value for name, value in row.items() if name not in TIMES} for row in curve(out)]
    return tensors(out), rows


def rows_in(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.is_file() else 0


def trained(out: Path, workers: int, cluster: Any) -> Any:
    return started(*arguments(out, **RUN), "--workers", workers, "--engine", "ray", "--address", cluster.address)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers(workers: int, cluster: Any, expected: Any, tmp_path: Path) -> None:
    finish(trained(tmp_path, workers, cluster))
    assert results(tmp_path) == expected


def test_a_node_that_is_killed_and_another_that_joins(cluster: Any, expected: Any, tmp_path: Path) -> None:
    process = trained(tmp_path, 4, cluster)
    joined = replace_a_node(cluster, CORES, process, lambda: rows_in(tmp_path / "curve.csv") >= 3)
    finish(process)
    assert results(tmp_path) == expected
    if not joined:
        pytest.skip(f"a node was lost, and no other took its place: {TOO_BUSY}")
