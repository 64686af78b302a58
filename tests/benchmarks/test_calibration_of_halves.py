"""Calibration on half of the designs helps the other half, by the function that the command calls."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmarks.estimators import calibration


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "calibration.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibration")
    calibration.main(["--out", str(folder)])
    return folder


@pytest.mark.parametrize("kept", [False, True])
def test_every_bar_is_met(written, kept):
    bars = json.loads(((calibration.HERE if kept else written) / "calibration.json").read_text())["bars"]
    assert [(bar["resource"], bar["measure"], bar["met"]) for bar in bars] == [
        ("lut", "error_after", True),
        ("lut", "coverage_after", True),
        ("ff", "error_after", True),
        ("ff", "coverage_after", True),
    ]


def test_the_table_is_the_one_kept(written):
    assert read_rows(written) == read_rows(calibration.HERE)


def test_all_designs_are_known_at_their_stages():
    known = calibration.designs(calibration.REPORTS / "jedi_linear.csv")
    assert len(known) == 20
    assert {tuple(one.stage for one in stages) for stages in known} == {("adder-graph", "estimate", "place-and-route")}
    graph, _, placed = known[0]
    assert (graph.counts["lut"], placed.counts["lut"], placed.counts["ff"]) == (218_614.5, 242_979, 110_726)
