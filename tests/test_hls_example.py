"""The example project is what its command writes today, and computes what Keras computes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import run

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "hls" / "example"
FROM_HLS4ML = ("nnet_utils", "ap_types")  # headers that are not kept; the command brings them
ARCHIVES = (".npz", ".keras")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, written again by the command of `hls/README.md`."""
    to = tmp_path_factory.mktemp("example") / "example"
    command = "export hls/electron-pion.npz --data hgcal --strategy latency --to"
    assert f"nas-fpga {command} hls/example\n" in (ROOT / "hls" / "README.md").read_text()
    ended = run(ROOT, *command.split(), str(to))
    assert ended.code == 0, ended.err
    return to


def kept(folder: Path) -> list[str]:
    """Names of all files but hls4ml's own headers."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not set(path.parts) & set(FROM_HLS4ML))


@pytest.mark.slow
def test_the_example_is_what_the_command_writes(project: Path) -> None:
    assert kept(EXAMPLE) == kept(project)
    for name in kept(EXAMPLE):
        if not name.endswith((*ARCHIVES, ".md", ".json")):
            assert (EXAMPLE / name).read_bytes() == (project / name).read_bytes(), name
    for name in ("network.npz", "events.npz"):
        with np.load(EXAMPLE / name) as old, np.load(project / name) as new:
            assert old.files == new.files
            for array in old.files:
                np.testing.assert_array_equal(old[array], new[array])
    # Processors round the last digit of an interval differently.
    old, new = (
        json.loads((folder / "design.json").read_text(), parse_float=lambda text: float(f"{float(text):.12g}"))
        for folder in (EXAMPLE, project)
    )
    assert old["verification"]["passed"]
    for changes in ("verification", "versions", "files_sha256"):  # the day, the versions, the archives' time stamps
        old.pop(changes), new.pop(changes)
    assert old == new


@pytest.mark.slow
def test_the_example_is_proven(project: Path) -> None:
    ended = run(ROOT, "verify", str(project))
    assert ended.code == 0, ended.err
    assert " 0 differing" in ended.out
