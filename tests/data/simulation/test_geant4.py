"""The binding itself, in processes of its own with nothing on standard input: geometry needs no physics tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.data.hgcal import read_showers

ROOT = Path(__file__).parents[3]

DEPTHS = """
import json, sys
from nas_fpga.data.simulation._geant4 import layer_depths, make_materials
materials = make_materials()
density = {name: round(m.GetDensity() / 6.241509074460763e18, 9) for name, m in materials.items()}  # in g/cm3
parts = {name: [density[name], m.GetNumberOfElements()] for name, m in materials.items()}
print(json.dumps([layer_depths(materials).tolist(), parts]))
"""


LOCATE = """
import json, os, sys
import geant4_pybind as g4
from nas_fpga.data.simulation._geant4 import _Detector, layer_depths
detector = _Detector()
world = detector.Construct()
g4.G4GeometryManager.GetInstance().CloseGeometry(True, False, world)
navigator = g4.G4Navigator()
navigator.SetWorldVolume(world)
z_mm = layer_depths(detector.materials)[:, 2]
found = []
for layer, x, y in json.loads(sys.stdin.read()):
    volume = navigator.LocateGlobalPointAndSetup(g4.G4ThreeVector(x, y, float(z_mm[layer])))
    history = navigator.CreateTouchableHistory()
    found.append([volume.GetName(), *(history.GetReplicaNumber(level) for level in (2, 1, 0))])
print(json.dumps(found), flush=True)
os._exit(0)
"""


def python(code: str, given: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("G4", "GEANT4"))}
    environment = kept | {"PYTHONPATH": str(ROOT)} | more
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, input=given or "", capture_output=True, text=True, timeout=120)


def test_the_binding_asks_without_our_variable(tmp_path):
    """The trap exists: if this fails, the care taken with the import has become needless."""
    ended = python("import geant4_pybind", HOME=str(tmp_path), CI="false")
    assert ended.returncode == 1
    assert "Would you like to download" in ended.stdout
    assert "EOFError" in ended.stderr


@pytest.fixture(scope="module")
def in_geant4(tmp_path_factory):
    empty = tmp_path_factory.mktemp("no_tables")
    ended = python(DEPTHS, GEANT4_DATA_DIR=str(empty), HOME=str(empty), CI="true")
    assert ended.returncode == 0, ended.stderr
    assert "download" not in ended.stdout.lower()
    assert not list(empty.iterdir())  # nothing was fetched
    depths, parts = json.loads(ended.stdout.splitlines()[-1])
    return np.array(depths), parts


def test_layers_are_as_deep_as_those_of_the_shipped_showers(in_geant4):
    shipped = read_showers(ROOT / "datasets" / "hgcal_showers.npz").depth
    np.testing.assert_allclose(in_geant4[0], shipped, rtol=1e-12)


def test_mixtures_are_what_the_table_says(in_geant4):
    parts = in_geant4[1]
    assert parts["copper-tungsten"] == [14.98, 2]
    assert parts["circuit board"] == [1.70, 4]
    assert parts["epoxy"] == [1.30, 3]
    assert parts["lead"] == [11.35, 1]


def test_cells_lie_where_their_numbers_say(tmp_path):
    """The numbers that the scorer counts by (copies two, one and no levels up) are layer, x and y of the point."""
    rng = np.random.default_rng(3)
    points = [[layer, *rng.uniform(-260, 260, 2).tolist()] for layer in range(47) for _ in range(4)]
    ended = python(LOCATE, json.dumps(points), GEANT4_DATA_DIR=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    for (layer, x, y), (name, *numbers) in zip(points, found, strict=True):
        assert name == ("silicon" if layer < 33 else "scintillator")
        assert numbers == [layer, int((x + 260.4) // 21.7), int((y + 260.4) // 21.7)]
