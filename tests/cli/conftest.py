"""Policies that misbehave, and a training run, for several files."""

import sys
from pathlib import Path

import pytest
from training_runs import arguments, ran

POLICIES = """
class Two:  # everyone always wants the second candidate
    def act(self, observations, infos):
        return {agent: 2 for agent in infos}

class Raises:
    def act(self, observations, infos):
        raise RuntimeError("the network\\nis not trained")

class Floats:
    def act(self, observations, infos):
        return {agent: 0.5 for agent in infos}

class Outside:
    def act(self, observations, infos):
        return {agent: 99 for agent in infos}

class Sleeps:
    def act(self, observations, infos):
        import time
        print("asleep", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module ``bad_rules``."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delitem(sys.modules, "bad_rules", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad_rules.py").write_text(POLICIES)
    return tmp_path


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four iterations without an interruption."""
    out = tmp_path_factory.mktemp("whole") / "run"
    ran(*arguments(out))
    return out
