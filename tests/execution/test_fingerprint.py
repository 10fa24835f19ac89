"""What machines must have in common: every kind of jobs says it, and a machine that differs is refused."""

from pathlib import Path
from typing import Any

import pytest
from adding import Sum, fingerprint, play, prepare

pytest.importorskip("torch", reason="the extra 'agents' is not installed")

import crowdgym.configs
from crowdgym.bench.fingerprint import fingerprint as of_episode
from crowdgym.bench.fingerprint import fingerprint_of_training
from crowdgym.bench.jobs import BoundJob, InstanceSpec
from crowdgym.bench.training import TrainingJob
from crowdgym.common.errors import DataError
from crowdgym.data.registry import load_dataset
from crowdgym.data.store import dataset_checksum
from crowdgym.execution.answers import Answer, prepare_elsewhere
from crowdgym.execution.fingerprint import dataset_of, digest_of_code, fingerprint_of
from crowdgym.execution.jobs import JobKind
from crowdgym.leaderboard.boards import find_board
from crowdgym.leaderboard.verify import PackJob, fingerprint_of_pack
from crowdgym.training.trial import Trial, fingerprint_of_trial
from crowdgym.training.workers import Piece, fingerprint_of_piece

BOARD = "leaderboard-csc-v1"


def instance() -> InstanceSpec:
    return InstanceSpec("csc_v0", "tiny", (), (("num_workers", 4),), 0)


def trial() -> Trial:
    return Trial(0, -1, Path("sweep"), "ippo", "csc_v0", (("scenario", "tiny"),), (), 10, (0,), False)


def test_the_checksum_is_that_of_the_dataset() -> None:
    assert fingerprint_of("tiny")["dataset 'tiny'"] == dataset_checksum(load_dataset("tiny"))
    assert dataset_of("csc_v0", {"scenario": "chengdu-paper"}) == ("chengdu-synth",)


@pytest.mark.parametrize(
    ("found", "dataset"),
    [
        pytest.param(lambda: of_episode(BoundJob("suite", instance())), "tiny", id="episodes and bounds"),
        pytest.param(
            lambda: fingerprint_of_training(
                TrainingJob("suite", "csc_v0", "tiny", "ippo", "ippo", (), 0, 10, None, Path())
            ),
            "tiny",
            id="runs that a suite trains",
        ),
        pytest.param(lambda: fingerprint_of_piece(Piece(0, len, (), ("tiny",))), "tiny", id="shares of an iteration"),
        pytest.param(lambda: fingerprint_of_trial(trial()), "tiny", id="trials of a sweep"),
        pytest.param(
            lambda: fingerprint_of_pack(PackJob(BOARD, next(iter(find_board(BOARD).cells)), Path("none"), ())),
            "chengdu-synth",
            id="packs of the leaderboard",
        ),
    ],
)
def test_every_kind_of_jobs_compares_code_and_data(found: Any, dataset: str) -> None:
    assert fingerprint_of(dataset).items() <= found().items()


def test_networks_also_compare_how_they_round() -> None:
    import torch

    found = fingerprint_of_piece(Piece(0, len, ()))
    assert found["version of PyTorch"] == torch.__version__
    assert found["set of vector instructions"] == torch.backends.cpu.get_cpu_capability()


def test_a_pack_is_compared_as_a_file(tmp_path: Path) -> None:
    job = PackJob(BOARD, next(iter(find_board(BOARD).cells)), tmp_path / "a.npz", ())
    assert fingerprint_of_pack(job)[f"file {job.file}"] == "none"
    job.file.write_bytes(b"abc")
    assert fingerprint_of_pack(job)[f"file {job.file}"] == "ba7816bf8f01"  # SHA-256 of "abc"


def test_settings_in_yaml_belong_to_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowdgym.configs, "__path__", [str(tmp_path)])
    digests = set()
    for text in ("window_s: 300", "window_s: 600"):
        (tmp_path / "csc_v0.yaml").write_text(text)
        digests.add(digest_of_code.__wrapped__())
    assert len(digests) == 2


def test_a_machine_that_differs_is_refused_in_a_sentence() -> None:
    kind: JobKind[Sum] = JobKind(play, prepare, fingerprint=fingerprint)
    assert prepare_elsewhere(kind, Sum(1), {"data": "the same", "code": "1"}, "the node B") == Answer("begun")
    refused = prepare_elsewhere(kind, Sum(1), {"data": "newer", "code": "1"}, "the node B")
    with pytest.raises(DataError, match=r"^the node B has another data \(the same\) than this machine \(newer\): "):
        refused.outcome(0.0)
