"""Tools are run to their end, or to ours."""

import os
import re
import time
from pathlib import Path

import pytest

from nas_fpga import _process
from nas_fpga._process import ToolFailedError, run


def silent(text):
    """Take a message."""


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_tool_that_is_stopped_takes_its_children_along(tmp_path, monkeypatch):
    monkeypatch.setattr(_process, "_TELL_EVERY_S", 0.1)
    told = []

    def stop(text):
        told.append(text)
        if (tmp_path / "pid").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", "sleep 60 & echo $! >pid.new; mv pid.new pid; wait"], tmp_path, "sleeping", message=stop)
    assert re.fullmatch(r"sleeping: \d+ s", told[0])
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not is_running(child):
            break
        time.sleep(0.05)
    assert not is_running(child)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "echo chatter; echo 'a.cpp:1: error: no such thing'; echo more; exit 3",
            "ended with code 3: a.cpp:1: error: no",
        ),
        ("echo first; echo last; exit 1", "ended with code 1: last"),
        ("kill -9 $$", "was killed by signal 9: no output"),
    ],
)
def test_a_failure_is_one_line(tmp_path, script, text):
    with pytest.raises(ToolFailedError) as error:
        run(["sh", "-c", script], tmp_path, "trying", message=silent)
    assert str(error.value).startswith(f"trying {text}")
    assert "\n" not in str(error.value)


def test_variables_are_added_to_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("OURS", "1")
    run(["sh", "-c", 'echo "$OURS $THEIRS" >got'], tmp_path, "trying", message=silent, environment={"THEIRS": "2"})
    assert (tmp_path / "got").read_text() == "1 2\n"
    assert "THEIRS" not in os.environ
