"""`nas-fpga explain` on a search that trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nas_fpga as package
from tests.cli.conftest import run, write_table


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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--study", "none"], "study 'none' is not in runs"),
        (["--study", "../some"], "../some"),
        (["--runs", "nowhere"], "nowhere"),
        (["--data", "gone.csv"], "gone.csv"),
        (["--storage", "sqlite:///nothing.db", "--study", "some"], "some"),
        (["--trials", "3"], "--trials"),
    ],
)
def test_bad_inputs(folder: Path, monkeypatch, nas_fpga, arguments, words) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["explain", *arguments])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert words in ended.err
