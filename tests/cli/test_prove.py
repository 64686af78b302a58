"""`front --prove`: RTL simulated and synthesised, both stages in one table, nothing proven twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from nas_fpga.errors import MissingExtraError
from nas_fpga.study import SearchRun
from tests.cli.conftest import Ended, run, write_table
from tests.report.conftest import scripted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prove")
    write_table(folder / "data.csv", n=3000)
    arguments = ["--data", "data.csv", "--target", "label", "--budget", "6", "--max-layers", "1", "--bits", "2:3"]
    ended = run(folder, "search", *arguments, "--trials", "5", "--epochs", "3", "--study", "small", "--polish", "0")
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> Ended:
    return run(folder, "front", "--study", "small", "--prove", "--json")


@pytest.mark.slow
def test_every_point_with_rtl_is_simulated_and_synthesised(folder: Path, first: Ended) -> None:
    assert first.code == 0, first.err
    found = json.loads(first.out)
    assert [proof["point"] for proof in found["proofs"]] == [row["point"] for row in found["front"]]
    proven = [proof for proof in found["proofs"] if not proof["cause"]]
    assert proven
    for proof in found["proofs"]:
        if proof["mapping"] != "da":
            assert proof["cause"] == f"mapping {proof['mapping']} has no RTL here"
            assert proof["synthesised"] is proof["differing"] is None
    for proof in proven:
        assert proof["differing"] == 0
        assert proof["outputs"] == proof["events"] > 1000
        assert proof["synthesised"]["original"] == [proof["cells"]["lut"], "logic-synthesis"]
        assert proof["synthesised"]["stage"] == proof["estimated"]["stage"] == "place-and-route"
        assert 0.5 < proof["synthesised"]["value"] / proof["estimated"]["value"] < 2
        assert (folder / "runs" / "small" / "proof" / proof["point"] / "rtl" / "rtl.json").is_file()


@pytest.mark.slow
def test_what_is_proven_is_not_proven_again_and_the_table_has_both_stages(folder: Path, first: Ended) -> None:
    proofs = json.loads(first.out)["proofs"]
    again = run(folder, "front", "--study", "small", "--prove")
    assert again.code == 0
    assert "Verilator" not in again.err
    for proof in proofs:
        if not proof["cause"]:
            assert f"0 of {proof['outputs']:,}" in again.out
            assert f"{proof['cells']['lut']:,}" in again.out
    n_proven = sum(not proof["cause"] for proof in proofs)
    assert f"proven: {n_proven} of {len(proofs)} points, 0 of " in again.out


@pytest.mark.slow
def test_what_was_proven_is_carried_to_another_stage_without_another_proof(folder: Path, first: Ended) -> None:
    stage = ("--rank-stage", "logic-synthesis")
    again = run(folder, "front", "--study", "small", "--prove", "--json", *stage)
    assert again.code == 0
    assert "Verilator" not in again.err
    proven = [proof for proof in json.loads(again.out)["proofs"] if not proof["cause"]]
    assert {proof["point"] for proof in proven} & {
        p["point"] for p in json.loads(first.out)["proofs"] if not p["cause"]
    }
    for proof in proven:
        assert proof["synthesised"]["value"] == proof["synthesised"]["high"] == proof["cells"]["lut"]
        assert proof["synthesised"]["stage"] == proof["estimated"]["stage"] == "logic-synthesis"


@pytest.mark.parametrize("display", [[], ["--json"]])
def test_the_report_is_there_where_nothing_can_be_proven(
    display: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nas_fpga: Callable[[Sequence[str]], Ended],
) -> None:
    def proven(_: object) -> None:
        raise MissingExtraError("--prove needs pyosys")

    ended = SimpleNamespace(execute=lambda **_: scripted(tmp_path / "study", 3))
    monkeypatch.setattr(SearchRun, "prepare", lambda *_, **__: ended)
    monkeypatch.setattr("nas_fpga.cli._proof.proven", proven)
    failed = nas_fpga(["search", "--runs", str(tmp_path), "--study", "study", "--prove", *display])
    assert failed.code != 0
    assert failed.err.endswith("error: --prove needs pyosys\n")
    assert (tmp_path / "study" / "report.html").is_file()
