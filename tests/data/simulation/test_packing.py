import numpy as np

from nas_fpga.data.hgcal import read_showers
from nas_fpga.data.simulation import Plan
from nas_fpga.data.simulation._packing import join, pack, read_packed, write_packed

DEPTHS = np.arange(141.0).reshape(47, 3)
PLAN = Plan(23, seed=5)


def packed(chunk):
    rng = np.random.default_rng(chunk.start)
    hits = [
        dict(zip(rng.permutation(27_072)[:n].tolist(), rng.uniform(0.02, 9, n).tolist(), strict=True)) for n in chunk
    ]
    return hits, pack(hits, PLAN.primaries(chunk), PLAN.engine_seed(chunk), DEPTHS)


def test_round_trip_through_the_reader_of_showers(tmp_path):
    """Shower i has i hits; all come back in the order of the cells, with half-precision energies."""
    made = [packed(chunk) for chunk in PLAN.chunks()]
    write_packed(tmp_path / "s.npz", join([part for _, part in made]))
    showers = read_showers(tmp_path / "s.npz")
    assert len(showers) == 23
    assert showers.offsets.dtype == np.int64
    assert (showers.cell.dtype, showers.energy_mev.dtype) == (np.uint16, np.float16)
    assert (showers.pdg.dtype, showers.seed.dtype) == (np.int16, np.int32)
    np.testing.assert_array_equal(showers.depth, DEPTHS)
    every = [shower for hits, _ in made for shower in hits]
    for number, shower in enumerate(every):
        part = slice(showers.offsets[number], showers.offsets[number + 1])
        assert showers.cell[part].tolist() == sorted(shower)
        np.testing.assert_allclose(showers.energy_mev[part], [shower[c] for c in sorted(shower)], rtol=2**-11)
    first, second = PLAN.chunks()
    np.testing.assert_array_equal(showers.energy_gev[20:], PLAN.primaries(second).energy_gev)
    np.testing.assert_array_equal(showers.pdg, [11, -211] * 11 + [11])
    assert showers.seed.tolist() == [PLAN.engine_seed(first)] * 20 + [PLAN.engine_seed(second)] * 3


def test_the_file_has_the_arrays_of_the_shipped_one(tmp_path, shipped_path):
    write_packed(tmp_path / "s.npz", packed(range(3))[1])
    with np.load(tmp_path / "s.npz") as new, np.load(shipped_path) as shipped:
        assert {name: new[name].dtype for name in new} == {name: shipped[name].dtype for name in shipped}
        assert {name: new[name].shape[1:] for name in new} == {name: shipped[name].shape[1:] for name in shipped}


def test_small_hits_are_left_out_and_a_shower_may_be_empty():
    primaries = PLAN.primaries(range(3))
    made = pack([{5: 0.0099, 4: 0.0101}, {}, {7: 1.0}], primaries, 1, DEPTHS)
    assert made["offsets"].tolist() == [0, 1, 1, 2]
    assert made["cell"].tolist() == [4, 7]


def test_the_same_showers_are_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_packed(tmp_path / name, packed(range(20))[1])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]  # and nothing unfinished
    again = read_packed(tmp_path / "a.npz")
    write_packed(tmp_path / "c.npz", join([again]))
    assert (tmp_path / "c.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()
