import pytest

from nas_fpga.data.simulation import TABLE_SETS, find_tables
from nas_fpga.data.simulation._physics_tables import demand_binding, environment, fingerprint
from nas_fpga.errors import InputError, MissingExtraError

from .conftest import make_tables


def test_found_in_the_folder_that_is_given(tmp_path):
    make_tables(tmp_path)
    found = find_tables(tmp_path, {"G4LEDATA": "/elsewhere", "GEANT4_DATA_DIR": "/elsewhere"})
    assert found == {tables.variable: tmp_path / tables.folder for tables in TABLE_SETS}


def test_own_variable_goes_before_the_common_one_and_home_comes_last(tmp_path, monkeypatch):
    for name in ("own", "common", "home/.geant4_pybind"):
        make_tables(tmp_path / name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    common = {"GEANT4_DATA_DIR": str(tmp_path / "common")}
    own = tmp_path / "own" / "G4EMLOW8.8"
    found = find_tables(None, common | {"G4LEDATA": str(own)})
    assert found["G4LEDATA"] == own
    assert found["G4PARTICLEXSDATA"] == tmp_path / "common" / "G4PARTICLEXS4.2"
    assert find_tables(None, {})["G4LEDATA"] == tmp_path / "home" / ".geant4_pybind" / "G4EMLOW8.8"


@pytest.mark.parametrize("missing", TABLE_SETS, ids=lambda tables: tables.folder)
def test_each_missing_set_is_named_with_its_variable_and_download(tmp_path, missing):
    make_tables(tmp_path)
    folder = tmp_path / missing.folder
    folder.rename(tmp_path / "moved")
    with pytest.raises(InputError) as raised:
        find_tables(tmp_path, {})
    text = str(raised.value)
    assert f"missing in {tmp_path}: {missing.folder} ({missing.variable})" in text
    assert f"unpack {missing.archive} from https://" in text
    assert "--data-dir" in text
    assert "GEANT4_DATA_DIR" in text
    assert [tables.folder for tables in TABLE_SETS if tables.folder in text] == [missing.folder]
    assert "\n" not in text


def test_a_folder_of_something_else_is_not_taken(tmp_path):
    make_tables(tmp_path)
    (tmp_path / "G4PARTICLEXS4.2" / "neutron" / "inel82").unlink()
    with pytest.raises(InputError, match=r"missing: G4PARTICLEXS4\.2 \(G4PARTICLEXSDATA\);"):
        find_tables(None, {"GEANT4_DATA_DIR": str(tmp_path)})


def test_the_environment_names_every_folder_and_keeps_the_binding_quiet(tmp_path):
    make_tables(tmp_path)
    variables = environment(find_tables(tmp_path, {}))
    assert variables["GEANT4_DATA_DIR"] == str(tmp_path)
    assert {name: value.rpartition("/")[2] for name, value in variables.items() if name != "GEANT4_DATA_DIR"} == {
        "G4LEDATA": "G4EMLOW8.8",
        "G4PARTICLEXSDATA": "G4PARTICLEXS4.2",
        "G4LEVELGAMMADATA": "PhotonEvaporation6.1.2",
        "G4ENSDFSTATEDATA": "G4ENSDFSTATE3.0",
    }


def test_other_tables_have_another_fingerprint(tmp_path):
    for name in ("one", "two"):
        make_tables(tmp_path / name)
    one, two = (fingerprint(find_tables(tmp_path / name, {})) for name in ("one", "two"))
    assert one == two
    (tmp_path / "two" / "PhotonEvaporation6.1.2" / "z82.a208").write_text("levels")
    assert fingerprint(find_tables(tmp_path / "two", {})) != one


def test_a_missing_binding_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"geant4_pybind; install it with pip install '\.\[geant4\]'"):
        demand_binding()
