"""A small table of two classes, and the command line in this process or another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.cli import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "nas_fpga", *arguments]


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    kept = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return kept | {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"} | more


def spawn(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start the command line in a process group of its own."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, *arguments: str, **more: str) -> Ended:
    """Run the command line in another process."""
    process = spawn(folder, *arguments, **more)
    out, err = process.communicate(timeout=600)
    return Ended(process.returncode, out, err)


def write_table(path: Path, n: int = 400, classes: int = 2, weighted: bool = False) -> Path:
    """Write three features that tell the classes apart fairly well; two rows make an event."""
    rng = np.random.default_rng(5)
    label = rng.permutation(np.arange(n) % classes)
    x = rng.normal(size=(n, 3)) + 1.5 * np.stack([label, -label, label % 2], axis=1)
    lines = ["a,b,c,label" + (",event,w" if weighted else "")]
    for i in range(n):
        more = f",{i // 2},{rng.uniform(0.5, 2):.3f}" if weighted else ""
        lines.append(",".join(f"{value:.5f}" for value in x[i]) + f",{label[i]}" + more)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def nas_fpga(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Sequence[str]], Ended]:
    """Run the command line in this process."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)

    def call(arguments: Sequence[str]) -> Ended:
        monkeypatch.setattr(sys, "argv", ["nas-fpga", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, out, err)

    return call
