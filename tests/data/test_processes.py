"""Work in processes of their own."""

import os
import signal
import time
from pathlib import Path

import pytest

from nas_fpga.data._processes import in_processes


def note(path: Path) -> None:
    path.write_text(str(os.getpid()))


def die_or_note(path: Path) -> None:
    if path.name == "bad":
        os.kill(os.getpid(), signal.SIGKILL)
    if path.name == "worse":
        raise SystemExit(3)
    note(path)


def sleep(path: Path) -> None:
    note(path)
    time.sleep(600)


def test_every_task_has_a_process(tmp_path):
    paths = [tmp_path / str(k) for k in range(3)]
    assert sorted(in_processes(note, paths, 2)) == [(path, "") for path in paths]
    assert len({path.read_text() for path in paths} | {str(os.getpid())}) == 4


def test_deaths_are_told(tmp_path):
    ended = dict(in_processes(die_or_note, [tmp_path / name for name in ("bad", "good", "worse")], 1))
    assert "SIGKILL (out of memory" in ended[tmp_path / "bad"]
    assert ended[tmp_path / "worse"] == "ended with code 3"
    assert ended[tmp_path / "good"] == ""


def test_leaving_ends_the_others(tmp_path):
    ended = in_processes(sleep_or_note, [tmp_path / "long", tmp_path / "short"], 2)
    assert next(ended) == (tmp_path / "short", "")
    pid, began = "", time.monotonic()
    while not pid:
        assert time.monotonic() < began + 60, "the long task has not begun"
        pid = (tmp_path / "long").read_text() if (tmp_path / "long").exists() else ""
        time.sleep(0.05)
    ended.close()  # returns even where killing does nothing, so that this test then fails rather than hangs
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def sleep_or_note(path: Path) -> None:
    (sleep if path.name == "long" else note)(path)
