"""`nas-fpga report`, and the report at the end of a search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import run, write_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    write_table(folder / "data.csv")
    arguments = ["--target", "label", "--budget", "20", "--epochs", "2", "--trials", "3", "--workers", "1"]
    ended = run(folder, "search", "--data", "data.csv", *arguments, "--study", "some", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["study"] == "some"  # the report's path is not in the way
    return folder


def test_search_leaves_a_report(folder: Path) -> None:
    study = folder / "runs" / "some"
    assert (study / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (study / "front.png").read_bytes().startswith(b"\x89PNG")


def test_report_again_is_the_same(folder: Path, monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    study = Path("runs/some")
    before = {name: (study / name).read_bytes() for name in ("report.html", "front.csv", "study.db")}
    (study / "report.html").unlink()
    ended = nas_fpga(["report"])
    assert (ended.code, ended.out) == (0, "Report: runs/some/report.html\n")
    assert {name: (study / name).read_bytes() for name in before} == before


def test_report_elsewhere_under_other_limits(folder: Path, monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["report", "--study", "some", "--rate-mhz", "400", "--to", "new/page.html", "--json"])
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["report"] == "new/page.html"
    text = Path("new/page.html").read_text(encoding="utf-8")
    assert "mapped anew under other limits" in text
    assert "nas-fpga report --study some --rate-mhz 400 --to FILE" in text
    assert "2 copies" in text
    assert Path("new/front.csv").read_text() != Path("runs/some/front.csv").read_text()
    assert Path("new/front.png").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--max-luts", "5"], 2, "runs/some/report.html would replace what the study itself has"),
        (["--to", "runs"], 2, "--to runs is a folder; name a file in it, such as runs/report.html"),
        (["--study", "none"], 2, "study 'none' is not in runs"),
        (["--max-latency-ns", "1", "--to", "x/report.html"], 1, "no trained network fits the limits"),
        (["--to", "/dev/null/report.html"], 2, "/dev/null"),
        (["--part", "xc0", "--to", "x/report.html"], 2, "xc0"),
    ],
)
def test_bad_inputs(folder: Path, monkeypatch, nas_fpga, arguments, code, words) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["report", *([] if "--study" in arguments else ["--study", "some"]), *arguments])
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.count("\n") == 1
    assert words in ended.err


def test_lost_checkpoint_is_named(folder: Path, monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    lost = next(Path("runs/some/trials").glob("*/network_0.npz"))
    kept = lost.read_bytes()
    whole = Path("runs/some/front.csv").read_bytes()
    lost.unlink()
    ended = nas_fpga(["report", "--study", "some"])
    lost.write_bytes(kept)
    assert ended.code == 0
    assert Path("runs/some/front.csv").read_bytes() == whole  # nothing that was found is lost
    assert f"{lost} is gone" in Path("runs/some/report.html").read_text()
