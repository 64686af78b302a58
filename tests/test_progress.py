"""What is shown of a search."""

from __future__ import annotations

import pytest

from nas_fpga._progress import LiveDisplay, PlainDisplay
from nas_fpga.study import Progress


def test_lines_are_written_when_trials_and_polishing_have_ended(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay()
    written = []
    for n_ended, n_polished, n_to_polish in ((1, 0, 0), (2, 0, 0), (3, 0, 0), (3, 0, 2), (3, 1, 2), (3, 2, 2)):
        display.update(Progress(3, n_ended, 0, n_polished, n_to_polish, None, 0.0, None, None), None)
        written.append(capsys.readouterr().err.strip())
    # the first at once, then none before a while is over but for the ends
    assert written == ["1/3 trials", "", "3/3 trials", "", "", "3/3 trials, 2/2 polished"]


def test_the_bar_goes_as_far_as_there_are_trials_by_now() -> None:
    display = LiveDisplay()
    for n_ended, n_trials in ((1, 19), (19, 32), (24, 24)):
        display.update(Progress(n_trials, n_ended, 0, 0, 0, None, 0.0, None, None), None)
        (task,) = display._bar.tasks
        assert (task.completed, task.total) == (n_ended, n_trials)
    assert task.finished
