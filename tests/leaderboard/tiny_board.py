"""A board that is played in a moment, entries on it, and an engine that needs no processes."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from crowdgym.common.errors import PolicyError
from crowdgym.configs.suites import SuiteSettings, named_suite
from crowdgym.execution.jobs import JobKind, Outcome
from crowdgym.leaderboard import boards
from crowdgym.leaderboard.execute import execute_public
from crowdgym.leaderboard.folder import read_entry
from crowdgym.leaderboard.rounds import digest_of_secret

NAME = "leaderboard-tiny-v1"
CELLS = ("tiny-num_workers=4", "tiny-num_workers=8")
SECRET = "0123456789abcdef" * 4
SUITE = SuiteSettings.model_validate(
    {
        "environment": "csc_v0",
        "scenarios": ["tiny"],
        "grid": [{"num_workers": [4, 8]}],
        "settings": {"num_tasks": 10},
        "agents": ["hold", "greedy", "random"],
        "first_seed": 40_000,
        "episodes": 3,
        "metrics": ["revenue", "completed"],
        "board": {"title": "Tiny", "score": "revenue", "ceiling": "crowdgym.leaderboard.ceilings:csc_payments"},
    }
)


class HereEngine:
    """Runs jobs one after the other in this process."""

    def run(self, kind: JobKind[Any], jobs: Sequence[Any]) -> Iterator[tuple[Any, Outcome]]:
        for job in jobs:
            kind.prepare(job)
            try:
                yield job, Outcome(kind.run(job))
            except PolicyError as error:
                yield job, Outcome({}, str(error))


def know_the_tiny_board(patch: pytest.MonkeyPatch, suite: SuiteSettings = SUITE) -> None:
    """Let `find_board` find it."""
    patch.setattr(boards, "suite_names", lambda: (NAME,))
    patch.setattr(boards, "named_suite", lambda name: suite if name == NAME else named_suite(name))
    boards.find_board.cache_clear()


def entry_text(name: str, **changes: Any) -> dict[str, Any]:
    """``entry.yaml`` of a policy of CrowdGym."""
    return {
        "format": 1,
        "name": name,
        "title": f"the policy {name}",
        "team": "CrowdGym",
        "authors": [{"name": "CrowdGym"}],
        "suite": NAME,
        "information": "centralised" if name == "pau" else "decentralised",
        "policy": {"kind": "rule", "name": name},
        **changes,
    }


def write_yaml(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def write_entry(entries: Path, name: str, **changes: Any) -> Path:
    """An entry that is run on the public seeds."""
    path = entries / "csc_v0" / name
    write_yaml(path / "entry.yaml", entry_text(name, **changes))
    execute_public(read_entry(path), HereEngine(), lambda: None)
    return path


def write_round(entries: Path, name: str, *, closed: bool, suite: str = NAME) -> None:
    """A round whose secret is `SECRET`."""
    content: dict[str, Any] = {
        "format": 1,
        "name": name,
        "suites": [suite],
        "secret_sha256": digest_of_secret(SECRET),
        "opened": date(2026, 1, 1),
    }
    if closed:
        content |= {"closed": date(2026, 2, 1), "secret": SECRET}
    write_yaml(entries.parent / "rounds" / f"{name}.yaml", content)
