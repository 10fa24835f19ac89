"""Whatever stands in the file of a trace: it is refused in one sentence, or it is the honest trace."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from traces.trace_files import HONEST, damaged, npy, text
from typer.testing import CliRunner
from worlds.spoilt import EDITS, ODD_PLACES, Edit, often, spoilt, with_odd_values

from crowdgym.cli.main import app
from crowdgym.traces import read_trace

NAMES = ("actions", "digests", "header")


def judge(file: Path) -> None:
    """Verify a trace. It is what was recorded, or there is one sentence."""
    found = CliRunner().invoke(app, ["trace", "verify", str(file)])
    if found.exit_code == 0:
        honest, other = read_trace(HONEST), read_trace(file)
        assert np.array_equal(other.actions, honest.actions)
        assert other.header.metrics == honest.header.metrics
        assert found.output.startswith(f"{file}: verified, 120 steps, ")
    else:
        assert found.exit_code in (1, 2), found.exception
        assert found.output.startswith(f"{file}: ")
        assert found.output.count("\n") == 1


@often(100)
@given(changes=EDITS)
def test_spoilt_bytes(tmp_path: Path, changes: list[Edit]) -> None:
    file = tmp_path / "spoilt.trace"
    file.write_bytes(spoilt(HONEST.read_bytes(), changes))
    judge(file)


@often(100)
@given(changes=ODD_PLACES)
def test_odd_values_in_the_header(tmp_path: Path, changes: list[tuple[int, Any]]) -> None:
    header = with_odd_values(json.loads(read_trace(HONEST).header.to_json()), changes)
    judge(damaged(tmp_path / "spoilt.trace", header=text(json.dumps(header))))


@often(100)
@given(changes=EDITS)
def test_a_spoilt_text_of_the_header(tmp_path: Path, changes: list[Edit]) -> None:
    header = spoilt(read_trace(HONEST).header.to_json().encode(), changes)
    judge(damaged(tmp_path / "spoilt.trace", header=text(header)))


@pytest.mark.parametrize("name", NAMES)
@often(40)
@given(changes=EDITS)
def test_spoilt_arrays(tmp_path: Path, name: str, changes: list[Edit]) -> None:
    arrays = {
        "actions": npy(read_trace(HONEST).actions),
        "digests": npy(read_trace(HONEST).digests()),
        "header": text(read_trace(HONEST).header.to_json()),
    }
    judge(damaged(tmp_path / "spoilt.trace", **{name: spoilt(arrays[name], changes)}))
