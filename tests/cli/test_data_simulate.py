"""`nas-fpga data simulate` as far as it goes without physics tables, which do not travel with the project."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.data.hgcal._showers import PACKED_ARRAYS
from tests.cli.conftest import run, spawn
from tests.data.hgcal.conftest import SHOWERS
from tests.data.simulation.conftest import make_tables
from tests.data.simulation.test_run import leave_chunks

NO_TABLES = {
    "GEANT4_DATA_DIR": "",
    "G4LEDATA": "",
    "G4PARTICLEXSDATA": "",
    "G4LEVELGAMMADATA": "",
    "G4ENSDFSTATEDATA": "",
}


@pytest.mark.parametrize("ci", ["true", "false"])
def test_without_tables_one_line_and_neither_question_nor_download(tmp_path, ci) -> None:
    ended = run(tmp_path, "data", "simulate", "--showers", "40", HOME=str(tmp_path), CI=ci, **NO_TABLES)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("error: Geant4's physics tables are missing: G4EMLOW8.8 (G4LEDATA), ")
    assert "--data-dir or GEANT4_DATA_DIR" in ended.err
    assert list(tmp_path.iterdir()) == []


def kept_run(folder: Path, *more: str) -> list[str]:
    """Leave a run all of whose chunks are kept, of shipped showers; return the command that ends it."""
    from nas_fpga.data.simulation import Plan, chunk_folder
    from nas_fpga.data.simulation._packing import read_packed, write_packed

    tables, plan, to = make_tables(folder / "tables"), Plan(40, seed=3), folder / "new.npz"
    leave_chunks(plan, to, tables, plan.chunks())
    shipped = read_packed(SHOWERS)
    electrons, pions = (np.flatnonzero(shipped["pdg"] == pdg)[::50] for pdg in (11, -211))
    for number, path in enumerate(sorted(chunk_folder(to).glob("*.npz"))):
        chosen = np.concatenate([kind[10 * number : 10 * number + 10] for kind in (electrons, pions)])
        offsets = shipped["offsets"]
        hits = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in chosen])
        part = {name: shipped[name][chosen] for name in ("truth_gev_mm", "pdg", "seed")}
        part |= {name: shipped[name][hits] for name in ("cell", "energy_mev")}
        part["offsets"] = np.concatenate(([0], np.cumsum(np.diff(offsets)[chosen])))
        write_packed(path, part | {PACKED_ARRAYS[-1]: shipped[PACKED_ARRAYS[-1]]})
    return ["data", "simulate", "--showers", "40", "--seed", "3", "--to", "new.npz", "--data-dir", "tables", *more]


def test_what_was_made_is_checked_and_the_next_command_named(tmp_path) -> None:
    ended = run(tmp_path, *kept_run(tmp_path, "--reference", str(SHOWERS)))
    assert ended.code == 0, ended.err
    assert ended.err == "40/40 showers, 40 of them kept from before\n"
    lines = ended.out.splitlines()
    assert re.fullmatch(r"new\.npz \([\d,]+ bytes\): 40 showers", lines[0])
    assert lines[1].split() == ["check", "value", "expected", "passes", "from", "to", "passed"]
    response = next(line for line in lines if line.startswith("electron response of CE-E (MIP/GeV)"))
    assert float(response.split()[5]) == pytest.approx(104, abs=5)
    assert sum(line.startswith("pions against the reference") for line in lines) == 2
    assert re.match(r"(\d+) of \1 physics checks passed", lines[-2])
    assert lines[-1].startswith("To search on it: nas-fpga data hgcal --showers new.npz --to tables, then")


def test_without_a_reference_it_says_so(tmp_path) -> None:
    ended = run(tmp_path, *kept_run(tmp_path))
    assert ended.code == 0
    assert "against the reference" not in ended.out
    assert "not compared with known showers" in ended.err


def test_too_few_showers_for_a_table_are_refused_in_one_line(tmp_path) -> None:
    run(tmp_path, *kept_run(tmp_path))
    library = SHOWERS.with_name("hgcal_pileup_library.npz")
    ended = run(tmp_path, "data", "hgcal", "--showers", "new.npz", "--library", str(library))
    assert ended.code == 2
    assert re.fullmatch(
        r"error: new\.npz: holds \d+ electrons above 41 GeV, too few .*; give a file with at least 56\n", ended.err
    )


def test_ctrl_c_says_how_to_go_on(tmp_path) -> None:
    """A named pipe in place of a chunk's log holds the simulation up, for ever if nothing stops it."""
    words = kept_run(tmp_path)
    kept = sorted((tmp_path / "new.npz.chunks").glob("*.npz"))
    kept[1].unlink()
    os.mkfifo(kept[1].with_suffix(".log"))
    process = spawn(tmp_path, *words)
    first = process.stderr.readline()
    assert first == "20/40 showers, 20 of them kept from before\n"
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == f"stopped; 20 of 40 showers are kept. Go on with: nas-fpga {' '.join(words)}"
    assert kept[0].exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--energy 10", "--energy '10' is not LOWEST:HIGHEST in GeV; give for instance 10:200"),
        ("--energy 1.2.3:9", "--energy '1.2.3:9' holds no two numbers"),
        ("--energy 200:10", "energies of 200 to 10 GeV; give two ascending"),
        ("--showers 0", "0 showers are none"),
        ("--seed -4", "seed -4 is out of range"),
        ("--particle muon", "'muon'"),
        ("--reference nowhere.npz", "nowhere.npz: no such file"),
        ("--data-dir nowhere", "missing in nowhere: G4EMLOW8.8"),
    ],
)
def test_bad_input_is_one_line(nas_fpga, words, said) -> None:
    first = [] if "--showers" in words else ["--showers", "20"]
    ended = nas_fpga(["data", "simulate", *first, *words.split()])
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
