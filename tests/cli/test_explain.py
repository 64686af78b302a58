"""`nas-fpga explain` on a search that trained."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import nas_fpga as package
from nas_fpga.errors import SearchFailedError
from nas_fpga.study import (
    DATASET_FILE,
    DataSource,
    HardwareTarget,
    Search,
    SearchInterruptedError,
    StudyStorage,
)
from tests.cli.conftest import run, write_table
from tests.study.conftest import ScriptedWorkers, Silent, make_setup


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    write_table(folder / "data.csv")
    arguments = ["--data", "data.csv", "--target", "label", "--budget", "60", "--max-layers", "2", "--epochs", "1"]
    more = [
        "--sampler",
        "random",
        "--polish",
        "0",
        "--workers",
        "1",
        "--trials",
        "30",
        "--study",
        "some",
        "--bits",
        "4",
    ]
    ended = run(folder, "search", *arguments, *more)
    assert ended.code == 0, ended.err
    return folder


def test_prints_quality_first_and_writes_beside_the_report(folder: Path, monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    study = Path("runs/some")
    before = (study / "study.db").read_bytes()
    ended = nas_fpga(["explain"])
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "What mattered in some"
    assert lines[2].startswith("log10 0 efficiency at 95 % 1: ")
    assert lines[3].startswith("log10 largest share of the limits: R2 0.")
    assert "total neurons" in ended.out
    assert lines[-1] == "Written: runs/some/explain.png, runs/some/explain.csv"
    assert (study / "explain.png").read_bytes().startswith(b"\x89PNG")
    assert (study / "explain.csv").read_text().startswith("target,figure,of,at,value,low,high\n")
    assert (study / "study.db").read_bytes() == before
    assert "What mattered" in (study / "report.html").read_text(encoding="utf-8")
    assert repr(package.open_study(study).explain()) in ended.out


def test_json_is_the_same_again(folder: Path, monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    first, second = (nas_fpga(["explain", "--study", "some", "--json"]) for _ in range(2))
    assert first.out == second.out
    record = json.loads(first.out)
    assert record["study"] == "some"
    error, resources = record["explanations"]
    assert error["quality"]["trainings"] == 30
    assert resources["verdict"] == ""
    assert {one["group"] for one in resources["importances"]} == {"depth", "total neurons", "shape"}
    assert record["fixed"] == ["weight bits", "activation bits"]
    assert {curve["descriptor"] for curve in resources["dependences"]} >= {"depth", "total neurons"}
    assert record["trials"] == {"complete": 30, "failed": 0}
    assert (record["seed"], record["lost"]) == (0, {})
    assert record["files"] == ["runs/some/explain.png", "runs/some/explain.csv"]


def test_another_seed_prints_other_folds_and_writes_nothing(folder: Path, monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    own, other = (json.loads(nas_fpga(["explain", "--json", "--seed", seed]).out) for seed in ("0", "1"))
    written = Path("runs/some/explain.csv").read_bytes()
    assert own["files"] == ["runs/some/explain.png", "runs/some/explain.csv"]
    assert (other["seed"], other["files"]) == (1, [])
    first, second = ([of["quality"]["r2"] for of in record["explanations"]] for record in (own, other))
    assert first != second
    ended = nas_fpga(["explain", "--seed", "1"])
    assert ended.code == 0
    assert "Written" not in ended.out
    assert Path("runs/some/explain.csv").read_bytes() == written


class TestWhatIsLeftOut:
    """Of studies in which networks were drawn rather than trained."""

    def test_networks_over_the_limits_are_not(self, tmp_path: Path, monkeypatch, nas_fpga) -> None:
        monkeypatch.chdir(tmp_path)
        drawn(24, hardware=HardwareTarget(max_luts=40))
        refused = nas_fpga(["front"])
        assert "no trained network fits the limits" in refused.err
        ended = nas_fpga(["explain"])
        assert (ended.code, ended.err) == (0, "")
        assert "on 24 networks held out in turn" in ended.out
        assert "left out" not in ended.out

    def test_failed_and_lost_ones_are_and_it_is_said(self, tmp_path: Path, monkeypatch, nas_fpga) -> None:
        monkeypatch.chdir(tmp_path)
        study = drawn(25, failing=(3,))
        (study / "trials" / "00007" / "network_0.npz").unlink()
        ended = nas_fpga(["explain"])
        assert "on 23 networks held out in turn" in ended.out
        assert "left out: 1 of 25 trials, which failed" in ended.out
        (lost,) = [line for line in ended.out.splitlines() if "network_0.npz" in line]
        assert lost.startswith("left out: ")
        record = json.loads(nas_fpga(["explain", "--json"]).out)
        assert record["trials"] == {"complete": 24, "failed": 1}
        assert "7.0" in record["lost"]

    def test_what_has_not_ended_is(self, tmp_path: Path, monkeypatch, nas_fpga) -> None:
        monkeypatch.chdir(tmp_path)
        drawn(10, stop_after=5)
        ended = nas_fpga(["explain"])
        assert "left out: 5 of 10 trials, which have not ended" in ended.out
        assert "5 trained candidates are too few, it takes 20" in ended.out

    @pytest.mark.parametrize("options", [{"stop_after": 0}, {"failing": range(10)}])
    def test_no_network_is_no_conclusion(self, tmp_path: Path, monkeypatch, nas_fpga, options) -> None:
        monkeypatch.chdir(tmp_path)
        drawn(10, **options)
        ended = nas_fpga(["explain"])
        assert (ended.code, ended.err) == (0, "")
        assert "no conclusion: 0 trained candidates are too few, it takes 20" in ended.out
        assert re.search(r"left out: (\d+) of \1 trials, which ", ended.out)
        assert ended.out.splitlines()[-1] == "Written: runs/drawn/explain.csv"
        record = json.loads(nas_fpga(["explain", "--json"]).out)
        assert [of["quality"] for of in record["explanations"]] == [None, None]


def drawn(n: int, failing: Sequence[int] = (), stop_after: int | None = None, **definition: object) -> Path:
    """Make the study `runs/drawn` of n trials and return its folder."""
    dataset = make_setup().dataset
    data = DataSource(DATASET_FILE, fingerprint=dataset.fingerprint())
    setup = make_setup(data=data, max_layers=3, **definition)
    workers = ScriptedWorkers(setup, 1, lambda _: 0, failing)
    workers.stop_after = stop_after
    folder = Path("runs/drawn")
    with StudyStorage(folder) as storage:
        storage.create(setup.definition, (setup.merit_name, setup.resource_name), dataset)
        storage.set_n_trials(n)
        with contextlib.suppress(SearchInterruptedError, SearchFailedError):
            Search(setup, storage, n, Silent()).run(workers)  # type: ignore[arg-type]
    return folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--study", "none"], "study 'none' is not in runs"),
        (["--study", "../some"], "../some"),
        (["--runs", "nowhere"], "nowhere"),
        (["--data", "gone.csv"], "gone.csv"),
        (["--storage", "sqlite:///nothing.db", "--study", "some"], "some"),
        (["--trials", "3"], "--trials"),
        (["--seed", "-1"], "--seed -1 must not be negative"),
    ],
)
def test_bad_inputs(folder: Path, monkeypatch, nas_fpga, arguments, words) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["explain", *arguments])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert words in ended.err
