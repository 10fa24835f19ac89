"""Progress where there is no terminal: a line now and then, with the time left."""

from collections.abc import Callable

import pytest

from crowdgym.cli.shared import progress
from crowdgym.cli.shared.progress import duration, shown_progress

Say = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Say:
    """A clock that the test sets, in seconds."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "LINE_EVERY_S", 10.0)

    def set_to(seconds: float) -> None:
        now[0] = seconds

    return set_to


def test_a_line_says_what_is_done_and_the_time_left(clock: Say, capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(4) as shown:
        clock(12)
        shown.advance()
        clock(15)  # too early for another line
        shown.advance()
        clock(200)
        shown.advance()

    assert capsys.readouterr().err.splitlines() == [
        "1 of 4 episodes: 12 s",
        "3 of 4 episodes: 3 min 20 s, about 1 min 34 s left",
    ]


def test_steps_are_parts_of_an_episode(clock: Say, capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(1) as shown:
        for step in shown.count(0, iter(range(101)), 100):
            clock(30.0 if step >= 75 else 0.0)

    assert capsys.readouterr().err.splitlines() == ["0 of 1 episodes, episode 1, step 76: 30 s, about 10 s left"]


def test_what_was_done_before_and_the_time_until_the_first_part_do_not_count(
    clock: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress(12, "cells", done=8) as shown:
        clock(100)
        shown.advance()
        clock(120)
        shown.advance()

    assert capsys.readouterr().err.splitlines() == [
        "9 of 12 cells: 1 min 40 s",
        "10 of 12 cells: 2 min 0 s, about 40 s left",
    ]


def test_quick_work_says_nothing(clock: Say, capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(2) as shown:
        shown.advance()
        shown.advance()

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (7505, "2 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
