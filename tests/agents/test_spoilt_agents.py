"""Whatever stands in the folder of a trained agent: it is refused in one sentence, or an agent is made."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from worlds.spoilt import EDITS, ODD_PLACES, Edit, often, spoilt, with_odd_values

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents import ippo  # noqa: E402
from crowdgym.agents.learning.checkpoint import BEST, from_bytes  # noqa: E402
from crowdgym.agents.learning.description import DESCRIPTION  # noqa: E402
from crowdgym.common.errors import CheckpointError, CrowdGymError  # noqa: E402
from crowdgym.policies import load_policy  # noqa: E402

PACKAGED = Path(ippo.__file__).parent / "weights" / "csc_v0" / "chengdu-synth"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGED, tmp_path / "agent")
    return tmp_path / "agent"


def judge(folder: Path) -> None:
    try:
        load_policy(str(folder), "csc_v0", "chengdu-synth")
    except CrowdGymError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert str(error)  # noqa: PT017


@often(100)
@given(changes=EDITS)
def test_spoilt_weights(folder: Path, changes: list[Edit]) -> None:
    (folder / BEST).write_bytes(spoilt((PACKAGED / BEST).read_bytes(), changes))
    judge(folder)


@often(100)
@given(changes=ODD_PLACES)
def test_odd_values_in_the_header_of_the_weights(folder: Path, changes: list[tuple[int, Any]]) -> None:
    content = (PACKAGED / BEST).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(with_odd_values(json.loads(content[8 : 8 + length]), changes)).encode()
    (folder / BEST).write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    judge(folder)


@often(100)
@given(changes=EDITS)
def test_a_spoilt_description(folder: Path, changes: list[Edit]) -> None:
    (folder / DESCRIPTION).write_bytes(spoilt((PACKAGED / DESCRIPTION).read_bytes(), changes))
    judge(folder)


@often(60)
@given(changes=ODD_PLACES)
def test_odd_values_in_the_description(folder: Path, changes: list[tuple[int, Any]]) -> None:
    document = with_odd_values(yaml.safe_load((PACKAGED / DESCRIPTION).read_text()), changes)
    (folder / DESCRIPTION).write_text(yaml.safe_dump(document))
    judge(folder)


@often(100)
@given(changes=EDITS)
def test_spoilt_messages_of_a_centre(changes: list[Edit]) -> None:
    try:
        stored = from_bytes(spoilt((PACKAGED / BEST).read_bytes(), changes), "an update of a centre")
    except CheckpointError as error:
        assert str(error).startswith("an update of a centre is damaged (")  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert isinstance(stored.facts, dict)


@pytest.mark.parametrize("facts", ["[" * 100_000, "[1]", "9" * 5000, "NaN"])
def test_facts_of_a_message_are_plain_and_few(facts: str) -> None:
    header = json.dumps({"__metadata__": {"crowdgym": facts}}).encode()
    with pytest.raises(CheckpointError, match="an order of the server is damaged"):
        from_bytes(len(header).to_bytes(8, "little") + header, "an order of the server")
