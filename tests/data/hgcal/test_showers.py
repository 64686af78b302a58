import numpy as np
import pytest

from nas_fpga.data.hgcal import HgcalTable, read_pileup_library, read_showers
from nas_fpga.errors import InputError

from .conftest import LIBRARY, SHOWERS


def test_packed_showers_are_those_of_the_data_sheet(showers):
    electron = showers.pdg == 11
    assert len(showers) == 17_800
    assert electron.sum() == 6_300
    assert (electron & (showers.energy_gev > 41)).sum() == 4_432
    assert (~electron & (showers.energy_gev > 41)).sum() == 9_380


def test_library_keeps_hits_with_their_particle(library):
    raw = np.load(LIBRARY)
    assert len(library) == 2_500
    for particle in (0, 1234, 2499):
        part = slice(library.offsets[particle], library.offsets[particle + 1])
        np.testing.assert_array_equal(library.cell[part], raw["cell"][raw["ev"] == particle])
        np.testing.assert_array_equal(library.energy_mev[part], raw["e"][raw["ev"] == particle])


@pytest.mark.parametrize("read", [read_showers, read_pileup_library, HgcalTable.read])
class TestUnusableFiles:
    def test_missing(self, read, tmp_path):
        with pytest.raises(InputError, match=r"gone\.npz: no such file; give the path"):
            read(tmp_path / "gone.npz")

    def test_folder(self, read, tmp_path):
        with pytest.raises(InputError, match="no such file"):
            read(tmp_path)

    @pytest.mark.parametrize("kept", [0, 100, 300_000])
    def test_truncated(self, read, tmp_path, kept):
        path = tmp_path / "cut.npz"
        path.write_bytes(SHOWERS.read_bytes()[:kept])
        with pytest.raises(InputError, match=r"cut\.npz: truncated or not an npz file; copy the"):
            read(path)

    def test_damaged_inside(self, read, tmp_path):
        path = tmp_path / "bad.npz"
        whole = bytearray((LIBRARY if read is read_pileup_library else SHOWERS).read_bytes())
        whole[2_000:300_000] = bytes(298_000)
        path.write_bytes(whole)
        with pytest.raises(InputError, match=r"bad\.npz: "):
            read(path)

    def test_foreign(self, read, tmp_path):
        np.savez(tmp_path / "other.npz", x=np.zeros(3))
        with pytest.raises(InputError, match=r"other\.npz: not .*, it lacks"):
            read(tmp_path / "other.npz")

    def test_single_array(self, read, tmp_path):
        np.save(tmp_path / "array.npy", np.zeros(3))
        with pytest.raises(InputError, match=r"array\.npy: truncated or not an npz file"):
            read(tmp_path / "array.npy")


SMALL = {
    "offsets": np.array([0, 1, 2]),
    "cell": np.array([3, 4], np.uint16),
    "energy_mev": np.array([1, 2], np.float16),
    "truth_gev_mm": np.full((2, 3), 50, np.float32),
    "pdg": np.array([11, -211], np.int16),
    "seed": np.array([1, 2], np.int32),
    "layer_depth_x0_lambda_mm": np.zeros((47, 3)),
}


def test_small_file_reads(tmp_path):
    np.savez(tmp_path / "s.npz", **SMALL)
    assert len(read_showers(tmp_path / "s.npz")) == 2


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("pdg", np.array([11, 13], np.int16), "other than electrons and pions"),
        ("cell", np.array([3, 30_000], np.uint16), "cell number is not below 27072"),
        ("energy_mev", np.array([1, np.nan], np.float16), "negative or not finite"),
        ("offsets", np.array([0, 1, 3]), "hits do not add up"),
        ("offsets", np.array([0, 3, 2]), "not ascending"),
        ("truth_gev_mm", np.zeros((3, 3), np.float32), "shapes disagree"),
    ],
)
def test_inconsistent_contents(tmp_path, name, value, complaint):
    np.savez(tmp_path / "s.npz", **{**SMALL, name: value})
    with pytest.raises(InputError, match=complaint):
        read_showers(tmp_path / "s.npz")
