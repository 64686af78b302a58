"""Resuming and failing, with real processes; what Geant4 makes of real tables is ``benchmarks/data/simulate.py``."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nas_fpga.data.hgcal import read_showers
from nas_fpga.data.simulation import Plan, chunk_folder, done_showers, simulate
from nas_fpga.data.simulation._chunk import chunk_path
from nas_fpga.data.simulation._packing import pack, write_packed
from nas_fpga.data.simulation._physics_tables import find_tables, fingerprint
from nas_fpga.data.simulation._run import _definition, _open_folder
from nas_fpga.errors import InputError, NasFpgaError

from .conftest import make_tables


@pytest.fixture
def tables(tmp_path):
    """Tables that are found but that Geant4 cannot use."""
    return make_tables(tmp_path / "tables")


def leave_chunks(plan, to, tables, chunks):
    """Leave a folder as a run does that was killed after these chunks."""
    folder = chunk_folder(to)
    _open_folder(folder, _definition(plan, fingerprint(find_tables(tables))))
    for chunk in chunks:
        hits = [{number: 1.0} for number in chunk]
        made = pack(hits, plan.primaries(chunk), plan.engine_seed(chunk), np.zeros((47, 3)))
        write_packed(chunk_path(folder, chunk), made)


def test_a_run_whose_chunks_are_kept_only_joins_them(tmp_path, tables):
    plan, to, told = Plan(45, seed=7), tmp_path / "s.npz", []
    leave_chunks(plan, to, tables, plan.chunks())
    assert done_showers(plan, to) == 45
    simulate(plan, to, workers=2, data_dir=tables, progress=lambda *how_far: told.append(how_far))
    assert told == [(45, 45)]
    assert read_showers(to).cell.tolist() == list(range(45))
    assert not chunk_folder(to).exists()
    made_with = json.loads((tmp_path / "s.npz.json").read_text())
    assert (made_with["showers"], made_with["seed"], made_with["geant4_pybind"]) == (45, 7, "0.1.3")


def test_a_longer_run_takes_over_the_whole_chunks_of_a_shorter_one(tmp_path, tables):
    short, long, to = Plan(45), Plan(60), tmp_path / "s.npz"
    leave_chunks(short, to, tables, short.chunks())
    assert done_showers(long, to) == 40
    leave_chunks(long, to, tables, long.chunks()[2:])
    simulate(long, to, data_dir=tables)
    assert read_showers(to).cell.tolist() == list(range(60))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Plan(40, seed=2), "seed 1 there, 2 here"),
        (Plan(40, "pion"), "particle both there, pion here"),
        (Plan(40, energy_gev=(41.0, 200.0)), r"energy_gev \[10\.0, 200\.0\] there, \[41\.0, 200\.0\] here"),
    ],
)
def test_chunks_of_another_run_are_refused(tmp_path, tables, other, said):
    to = tmp_path / "s.npz"
    leave_chunks(Plan(40), to, tables, [range(20)])
    with pytest.raises(InputError, match=rf"chunks of another run \({said}\); remove it or give another --to"):
        simulate(other, to, data_dir=tables)
    assert done_showers(Plan(40), to) == 20


def test_chunks_of_other_tables_are_refused(tmp_path, tables):
    to = tmp_path / "s.npz"
    leave_chunks(Plan(40), to, tables, [range(20)])
    (tables / "PhotonEvaporation6.1.2" / "z82.a208").write_text("levels")
    with pytest.raises(InputError, match=r"another run \(tables \w{16} there, \w{16} here\)"):
        simulate(Plan(40), to, data_dir=tables)


def test_refused_before_anything_is_made(tmp_path, tables):
    (tmp_path / "there.npz").write_text("")
    for to, said in (("there.npz", "exists already"), ("s.root", "a name that ends so")):
        with pytest.raises(InputError, match=said):
            simulate(Plan(4), tmp_path / to, data_dir=tables)
    with pytest.raises(InputError, match="0 workers"):
        simulate(Plan(4), tmp_path / "s.npz", workers=0, data_dir=tables)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tables", "there.npz"]


def test_geant4_s_own_failure_names_the_process_and_its_words(tmp_path, tables):
    """Geant4 really runs here and aborts for want of data; what is kept stays."""
    plan, to = Plan(25), tmp_path / "s.npz"
    leave_chunks(plan, to, tables, plan.chunks()[:1])
    with pytest.raises(NasFpgaError, match=r"showers 20 to 24 died with SIGABRT; what Geant4 said is in .*\.log"):
        simulate(plan, to, data_dir=tables)
    assert done_showers(plan, to) == 20
    (log,) = chunk_folder(to).glob("*.log")
    assert "G4Exception" in log.read_text()
