"""`nas-fpga data jets` and searches on jets, in processes of their own."""

from __future__ import annotations

import os
import shlex
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.data import read_dataset
from tests.cli.conftest import run, spawn

FEW = ["data", "jets", "--events", "38", "--seed", "1"]  # rounded up to 40


def wait_for_parts(folder: Path, n: int, limit_s: float = 120) -> None:
    end = time.monotonic() + limit_s
    while len(list(folder.glob("*.npz"))) < n:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_stopped_killed_and_continued_with_other_processes_gives_the_same_bytes(tmp_path: Path) -> None:
    whole = run(tmp_path, *FEW, "--workers", "1", "--to", "whole.npz")
    assert whole.code == 0, whole.err
    assert whole.out.startswith("whole.npz (40 jets, ")  # and no banner of Pythia or FastJet
    assert whole.err.splitlines()[0] == "0/40 jets"
    assert "40/40 jets, " in whole.err.splitlines()[-1]
    assert " jets/s, 0:00 left" in whole.err.splitlines()[-1]

    parts = tmp_path / "cut.npz.parts"
    arguments = [*FEW, "--workers", "2", "--to", "cut.npz"]
    process = spawn(tmp_path, *arguments)
    wait_for_parts(parts, 1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the group
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("stopped; ")
    assert " of 40 jets are kept in cut.npz.parts. Continue with: nas-fpga data jets" in last
    resume = shlex.split(last.partition("Continue with: ")[2])

    kept = {path.name: path.stat().st_mtime_ns for path in parts.glob("*.npz")}
    process = spawn(tmp_path, *resume[1:])
    wait_for_parts(parts, len(kept) + 1)
    os.kill(process.pid, signal.SIGKILL)  # the parent alone: its workers end by themselves
    process.communicate(timeout=60)  # ends when the workers, which hold the pipes, have ended too
    assert not (tmp_path / "cut.npz").exists()

    ended = run(tmp_path, *resume[1:])
    assert ended.code == 0, ended.err
    assert int(ended.err.split("/")[0]) >= 16  # two parts were there
    assert (tmp_path / "cut.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.npz", "whole.npz"]

    # fewer than read_dataset wants of a class, so several of it
    with np.load(tmp_path / "whole.npz") as arrays:
        thrice = {name: np.tile(arrays[name], 3) for name in arrays.files}
    np.savez(tmp_path / "thrice.npz", **thrice)
    data = read_dataset(tmp_path / "thrice.npz", "class", group="event", signal="top")
    assert data.class_names == ("background", "top")
    assert data.features.shape == (120, 16)


@pytest.mark.slow
def test_search_on_jets_and_on_one_class_of_them(tmp_path: Path) -> None:
    small = ["--budget", "8", "--trials", "2", "--epochs", "1", "--workers", "1"]
    ended = run(tmp_path, "search", "--data", "jets", *small)
    assert ended.code == 0, ended.err
    assert "jets: gluon / quark / W / Z / top; 81,000 / 27,000 / 27,000 rows" in ended.err
    assert "jets is made with Pythia 8 and FastJet; neither the OpenML nor the CERNBox set" in ended.err
    assert "validation, test: error rate;" in ended.out
    assert "best on test, AUC against the rest, gluon: 0." in ended.out
    assert "jets: made with Pythia 8 and FastJet; neither the OpenML nor the CERNBox set" in ended.out

    ended = run(tmp_path, "search", "--data", "jets", "--signal", "top", *small)
    assert ended.code == 0, ended.err
    assert "jets: signal top, background gluon, quark, W, Z, all of the same weight; 81,000" in ended.err
    assert "background efficiency at 95 % top" in ended.out
    assert "best on test, gluon: 0." in ended.out
    assert (tmp_path / "runs" / "jets-8-2" / "front.csv").exists()
