"""How commands end that nobody foresaw."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nas_fpga.study import SearchRun
from tests.cli.conftest import Ended, command, environment, write_table


@pytest.mark.parametrize("unread", ["stdout", "stderr"])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, unread: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    other = {"stdout": "stderr", "stderr": "stdout"}[unread]
    arguments = ["--help"] if unread == "stdout" else ["search", "--trials", "0"]
    ended = subprocess.run(
        command(*arguments),
        cwd=tmp_path,
        env=environment(),
        text=True,
        timeout=60,
        **{unread: writer, other: subprocess.PIPE},  # type: ignore[call-overload]
    )
    os.close(writer)
    assert (ended.returncode, getattr(ended, other)) == (1, "")


def test_another_broken_pipe_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nas_fpga: Callable[[Sequence[str]], Ended]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SearchRun, "execute", fail)
    data = str(write_table(tmp_path / "data.csv"))
    ended = nas_fpga(["search", "--data", data, "--target", "label", "--budget", "30"])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1] == "error: Broken pipe: another program has gone; try again"
