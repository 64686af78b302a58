"""`nas-fpga calibrate` as a user types it, and what it changes in estimates and studies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nas_fpga.hardware import read_calibration, shipped_ratio
from tests.calibration.reports import csynth, placed
from tests.cli.conftest import ROOT, Ended, run, write_table
from tests.cli.studies import definition, rows_of

SEARCH = ["search", "--data", "data.csv", "--target", "label", "--budget", "30", "--epochs", "2", "--trials", "3"]
SEARCH += ["--polish", "0", "--bits", "4", "--max-layers", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three exports with reports: csynth counts 1,900 LUT, of which 950 are placed."""
    folder = tmp_path_factory.mktemp("calibrate")
    for number in range(3):
        project = folder / "designs" / f"network-{number}"
        (project / "hls" / "implement").mkdir(parents=True)
        shutil.copy(ROOT / "hls" / "example" / "design.json", project)
        (project / "csynth.xml").write_text(csynth(1900, 300))
        (project / "hls" / "implement" / "utilization.rpt").write_text(placed(950 + number, 190))
        shutil.copy(ROOT / "hls" / "example" / "network.npz", project)
        with (project / "network.npz").open("ab") as file:  # of another network, though it reads as the same
            file.write(bytes(number))
    write_table(folder / "data.csv")
    return folder


@pytest.fixture(scope="module")
def calibrated(folder: Path) -> Ended:
    return run(folder, "calibrate", "designs", "--out", "ours.json")


def test_the_table_has_both_ratios_and_how_many_networks(folder: Path, calibrated: Ended) -> None:
    assert calibrated.code == 0
    assert calibrated.err.count(": reports: 2\n") == 3
    assert calibrated.out.startswith("3 designs: place-and-route over what each stage counts\n")
    rows = [line.split() for line in calibrated.out.splitlines()]
    (found,) = [row for row in rows if row[:3] == ["csynth", "latency", "LUT"]]
    learned = read_calibration(folder / "ours.json").ratio("csynth", "latency", "lut")
    assert learned is not None
    assert (found[3], found[6], found[9:]) == ("0.568", f"{learned.ratio:.3f}", ["3", "1,900", "-", "1,900"])
    assert learned.ratio == pytest.approx(0.5, abs=0.01)
    assert learned.spread < shipped_ratio("csynth", "latency", "lut").spread


def test_json_has_the_same_and_nothing_else(folder: Path, calibrated: Ended) -> None:
    ended = run(folder, "calibrate", "designs", "--out", "ours.json", "--json")
    found = json.loads(ended.out)
    assert found["file"] == "ours.json"
    assert len(found["designs"]) == 3
    ratio = next(each for each in found["ratios"] if (each["learned"]["stage"], each["learned"]["resource"]) == (
        "csynth", "lut"
    ))  # fmt: skip
    assert ratio["learned"]["n_designs"] == 3
    assert ratio["shipped"]["ratio"] == pytest.approx(1 / 1.76)


def test_an_estimate_is_carried_by_it(folder: Path, calibrated: Ended) -> None:
    options = ("estimate", "4-5-1", "--strategy", "latency", "--json")
    plain, ours = (json.loads(run(folder, *options, *more).out) for more in ((), ("--calibration", "ours.json")))
    learned = read_calibration(folder / "ours.json").ratio("estimate", "latency", "lut")
    assert learned is not None
    before, after = plain["figures"]["lut"], ours["figures"]["lut"]
    assert after["value"] == pytest.approx(learned.ratio * before["value"])
    assert after["original"] == [before["value"], "place-and-route"]
    assert "calibrated by 3 designs" in after["source"]
    at_csynth = json.loads(run(folder, *options, "--rank-stage", "csynth").out)["figures"]["lut"]
    assert (at_csynth["stage"], at_csynth["value"]) == ("csynth", pytest.approx(1.76 * before["value"]))


@pytest.mark.slow
def test_a_study_keeps_it_and_goes_on_without_the_file(folder: Path, calibrated: Ended) -> None:
    shutil.copy(folder / "ours.json", folder / "gone.json")
    ended = run(folder, *SEARCH, "--study", "ours", "--calibration", "gone.json", "--rank-stage", "csynth")
    assert ended.code == 0, ended.err
    assert "LUT, DSP: one copy, carried to csynth by a calibration (" in ended.out
    (folder / "gone.json").unlink()
    study = folder / "runs" / "ours"
    hardware = definition(study).hardware
    assert (hardware.rank_stage, hardware.calibration) == ("csynth", read_calibration(folder / "ours.json"))
    first = rows_of((study / "front.csv").read_text())
    assert {row["stage"] for row in first} == {"csynth"}

    resumed = run(folder, "search", "--study", "ours", "--resume", "--trials", "4")
    assert resumed.code == 0, resumed.err
    front = json.loads(run(folder, "front", "--study", "ours", "--json").out)["front"]
    kept = rows_of((study / "front.csv").read_text())
    assert [row["lut"] for row in front] == [float(row["lut"]) for row in kept]

    placed_front = json.loads(run(folder, "front", "--study", "ours", "--rank-stage", "place-and-route", "--json").out)[
        "front"
    ]
    assert {row["stage"] for row in placed_front} == {"place-and-route"}
    assert (folder / "runs" / "ours" / "report.html").is_file()

    other = run(folder, "calibrate", "designs/network-0", "--out", "other.json")
    assert other.code == 0
    anew = json.loads(run(folder, "front", "--study", "ours", "--calibration", "other.json", "--json").out)["front"]
    assert [row["lut"] for row in anew] != [row["lut"] for row in front]
    refused = run(folder, "search", "--study", "ours", "--resume", "--calibration", "other.json")
    assert refused.code == 2
    assert "was started with hardware.calibration" in refused.err
    refused = run(folder, "search", "--study", "ours", "--resume", "--rank-stage", "adder-graph")
    assert "was started with hardware.rank_stage csynth (now adder-graph)" in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("calibrate",), "Missing argument 'REPORT...'"),
        (("calibrate", "nowhere"), "nowhere is not there"),
        (("calibrate", "designs", "--out", "data.csv"), "--out data.csv is there and is no calibration"),
        (("calibrate", "designs/network-0/csynth.xml", "--out", "none/c.json"), "there is no folder none"),
        (("calibrate", "data.csv"), "data.csv has columns"),
        (("estimate", "4-5-1", "--calibration", "data.csv"), "data.csv is no calibration"),
        (("estimate", "4-5-1", "--rank-stage", "estimate"), "'estimate'"),
        (("search", "--calibration", "nowhere.json"), "calibration nowhere.json cannot be read"),
    ],
)
def test_wrong_input_is_one_line(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = run(folder, *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
