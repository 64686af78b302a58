import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nas_fpga.data.hgcal._split import stratified_subsets


@given(n=st.integers(1, 400), classes=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_every_stratum_is_dealt_two_to_one_to_one(n, classes, seed):
    rng = np.random.default_rng(seed)
    energy, stratum = rng.uniform(41, 200, n), rng.integers(classes, size=n)
    subset = stratified_subsets(energy, stratum, rng)
    for value in np.unique(stratum):
        mine = subset[stratum == value][np.argsort(energy[stratum == value])]
        fours = mine[: len(mine) // 4 * 4].reshape(-1, 4)
        assert (np.sort(fours, axis=1) == [0, 0, 1, 2]).all()


def test_energy_is_balanced_and_the_seed_decides():
    energy = np.random.default_rng(1).uniform(41, 200, 4000)
    stratum = np.zeros(4000, np.int8)
    subset = stratified_subsets(energy, stratum, np.random.default_rng(2))
    means = [energy[subset == number].mean() for number in range(3)]
    assert np.ptp(means) < 0.1  # neighbours differ by 0.04 GeV; a plain random split differs by 3 GeV
    np.testing.assert_array_equal(subset, stratified_subsets(energy, stratum, np.random.default_rng(2)))
    assert (subset != stratified_subsets(energy, stratum, np.random.default_rng(3))).any()
