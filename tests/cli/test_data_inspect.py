"""`nas-fpga data inspect`, and searches on published data sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import run, write_table
from tests.data.variants.files import (
    cernbox_columns,
    openml_columns,
    shower_arrays,
    write_cernbox,
    write_openml,
    write_showers,
)


def test_a_table(nas_fpga, tmp_path: Path) -> None:
    path = write_table(tmp_path / "data.csv", weighted=True)
    ended = nas_fpga(["data", "inspect", str(path)])
    assert (ended.code, ended.err) == (0, "")
    lines = [line.rstrip() for line in ended.out.splitlines() if line.strip()]
    assert lines[0] == f"{path}: CSV, 400 rows, 6 columns"
    assert lines[1].split() == ["column", "type", "lowest", "highest", "values", "missing", "infinite"]
    label = next(line for line in lines if line.startswith(" label"))
    assert label.split() == ["label", "int64", "0", "1", "2", "the", "target"]
    event = next(line for line in lines if line.startswith(" event"))
    assert event.split()[:5] == ["event", "int64", "0", "199", "200"]
    assert lines[-2:] == [
        "2 classes in label: 0 200 (50.0%), 1 200 (50.0%)",
        f"To search on it: nas-fpga search --data {path} --target label --group event --weight w",
    ]


def test_json(nas_fpga, tmp_path: Path) -> None:
    path = write_table(tmp_path / "data.csv", weighted=True)
    found = json.loads(nas_fpga(["data", "inspect", str(path), "--json"]).out)
    assert found["target"] == "label"
    assert found["classes"] == {"0": 200, "1": 200}
    assert found["columns"][3] == {
        "name": "label",
        "dtype": "int64",
        "role": "target",
        "minimum": 0,
        "maximum": 1,
        "n_distinct": 2,
        "n_missing": 0,
        "n_infinite": 0,
        "note": "the target",
    }


def test_names_that_look_like_markup_are_shown(nas_fpga, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("[red]x[/red],pt[GeV],label\n" + "".join(f"{i},{i % 7},{i % 2}\n" for i in range(60)))
    out = nas_fpga(["data", "inspect", str(path)]).out
    assert "[red]x[/red]" in out
    assert "pt[GeV]" in out


def test_no_target(nas_fpga, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n" + "".join(f"{i / 7},{i / 3}\n" for i in range(60)))
    out = nas_fpga(["data", "inspect", str(path)]).out
    assert "No target is suggested: no column of few values has a telling name; give one with --target" in out
    assert out.endswith(f"To search on it: nas-fpga search --data {path} --target COLUMN\n")


def test_wrong_variants_in_one_exact_line(nas_fpga, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_cernbox(Path("c.z"), cernbox_columns())
    write_openml(Path("o.arff.gz"), openml_columns())
    write_showers(Path("e.h5"), shower_arrays("electron")[0])
    c, o, e = (tmp_path / name for name in ("c.z", "o.arff.gz", "e.h5"))
    for data, line in {
        "openml-jets:c.z": f"{c} is of the CERNBox jets (columns j_*), not the OpenML jets; "
        f"give --data cernbox-jets:{c}",
        "cernbox-jets:o.arff.gz": f"{o} is of the OpenML jets (columns zlogz to multiplicity, classes g, q, t, w, z), "
        f"not the CERNBox jets; give --data openml-jets:{o}",
        "cernbox-jets:e.h5": f"{e} is of the simulated CMS HGCAL beam test (nhits and rechit_*), not the CERNBox jets; "
        "give --data hgcal-beam-test:ELECTRONS.h5,PIONS.h5",
        "hgcal-beam-test:c.z,e.h5": f"{c} is of the CERNBox jets (columns j_*), not the simulated CMS HGCAL beam test; "
        f"give --data cernbox-jets:{c}",
        "cernbox-jets:c.z": f"{c} has 400 rows and the CERNBox jets have 986,806: it is cut; download them with wget "
        "https://cernbox.cern.ch/s/jvFd5MoWhGs1l5v/download -O "
        "processed-pythia82-lhc13-all-pt1-50k-r1_h022_e0175_t220_nonu_truth.z",
    }.items():
        ended = nas_fpga(["search", "--data", data])
        assert (ended.code, ended.out, ended.err) == (2, "", f"error: {line}\n")
    assert not Path("runs").exists()


@pytest.mark.slow
def test_search_on_the_beam_test_and_go_on_from_another_folder(tmp_path: Path) -> None:
    write_showers(tmp_path / "e.h5", shower_arrays("electron", n=400)[0])
    write_showers(tmp_path / "p.h5", shower_arrays("pion", n=400)[0])
    small = ["--budget", "8", "--trials", "1", "--epochs", "1", "--workers", "1"]
    ended = run(tmp_path, "search", "--data", "hgcal-beam-test:e.h5,p.h5", *small)
    assert ended.code == 0, ended.err
    assert "hgcal-beam-test: signal electron, background pion; 480 / 160 / 160 rows" in ended.err
    assert "hgcal-beam-test is the simulated beam test of 2018, not the trigger of hgcal" in ended.err
    assert "28 features: layer_1, layer_2" in ended.err
    assert "pion efficiency at 95 % electron" in ended.out
    (tmp_path / "elsewhere").mkdir()
    ended = run(tmp_path / "elsewhere", "front", "--runs", str(tmp_path / "runs"), "--study", "hgcal-beam-test-8-1")
    assert ended.code == 0, ended.err
