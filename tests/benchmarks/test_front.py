"""The comparison of fronts says what the outcomes of the same study say."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.estimators import front
from benchmarks.estimators.front import Side, compare, reversals, write
from nas_fpga.hardware import log10_share
from nas_fpga.samplers import hypervolume
from nas_fpga.study import StudyStorage, summarise
from tests.study.conftest import make_setup
from tests.study.test_search import search


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory):
    folder, setup = tmp_path_factory.mktemp("front") / "study", make_setup(epochs=5, polish=1.0)
    trials, _, _ = search(folder, setup, 25)
    with StudyStorage(folder) as storage:
        storage.open(write=False)
        return compare(setup, storage), summarise(setup, storage, trials), trials


def test_fronts_are_those_of_the_search(compared) -> None:
    found, outcome, trials = compared
    on_ladder = [(row["ladder_point"], row["ladder_lut"]) for row in found.rows if row["ladder_place"]]
    assert sorted(on_ladder) == sorted((row.point.name, row.point.mapped.figures.lut.value) for row in outcome.front)
    by_law = {p.name: p.mapped.figures.lut.value for trial in trials for p in trial.points}
    assert all(row["law_lut"] == by_law[row["law_point"]] for row in found.rows)
    for rung in ("law", "ladder", "every_graph"):
        placed = sorted((row for row in found.rows if row[f"{rung}_place"]), key=lambda row: row[f"{rung}_place"])
        assert [row[f"{rung}_place"] for row in placed] == list(range(1, len(placed) + 1))
        assert [row[f"{rung}_share"] for row in placed] == sorted(row[f"{rung}_share"] for row in placed)
        errors = [row["error"] for row in placed]
        assert errors == sorted(errors, reverse=True)
        assert len(placed) == found.summary["points_on_front"][rung.replace("_", " ")]


def test_what_changed_is_named_and_weighed(compared) -> None:
    found, outcome, _ = compared
    law, ladder = ({row[f"{rung}_point"] for row in found.rows if row[f"{rung}_place"]} for rung in ("law", "ladder"))
    assert set(found.summary["left"]) == law - ladder
    assert set(found.summary["entered"]) == ladder - law
    target = outcome.setup.target
    points = [row.point for row in outcome.front]
    volume = hypervolume(
        np.array([point.merits.log10_error for point in points]),
        np.array([log10_share(point.mapped.figures.share(target)) for point in points]),
    )
    volumes = found.summary["hypervolume"]
    assert volumes["ladder_by_its_own_figures"] == pytest.approx(volume)
    assert volumes["every_graph"] >= volumes["ladder_by_every_graph"] - 1e-12
    assert found.summary["training_s"] == pytest.approx(
        1.5 * (25 + sum(t.polished is not None for t in outcome.trials))
    )
    assert 0 < found.summary["graphs_cpu_s"] < found.summary["training_s"]


def test_pairs_that_turn_are_counted(compared) -> None:
    _, outcome, trials = compared
    target = outcome.setup.target
    law = Side.of(trials, target)
    a, b, c = sorted(law.points, key=lambda key: law.points[key].mapped.figures.share(target))[::10][:3]
    turned = Side({a: law.points[c], b: law.points[b], c: law.points[a]}, ())
    assert reversals(law, law, [a, b, c], target) == []
    assert reversals(law, turned, [a, b, c], target) == [(a, b), (a, c), (b, c)]


def test_tables_are_written(compared, tmp_path: Path) -> None:
    found, _, _ = compared
    write([found, found], tmp_path)
    with (tmp_path / "front.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(found.rows)
    assert float(rows[0]["law_lut"]) == pytest.approx(found.rows[0]["law_lut"], rel=1e-5)
    summary = json.loads((tmp_path / "front.json").read_text())
    assert summary["commit"]
    assert summary["studies"][1]["hypervolume"] == found.summary["hypervolume"]
    assert summary["options"] == front.OPTIONS
