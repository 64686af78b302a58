import numpy as np
import pytest
from scipy.stats import qmc

from nas_fpga.errors import InputError
from nas_fpga.samplers import LatinHypercubeSampler, SobolSampler
from nas_fpga.space import MLPSpace
from nas_fpga.testing import (
    Column,
    ColumnConformance,
    ColumnSpace,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
    observe,
)


@pytest.fixture(params=[SobolSampler, LatinHypercubeSampler])
def make_sampler(request):
    return request.param


class TestQuasiRandomSamplers(SamplerConformance):
    @pytest.fixture
    def make_sampler(self, make_sampler):
        return make_sampler


class TestQuasiRandomSamplersOfColumns(ColumnConformance):
    @pytest.fixture
    def make_sampler(self, make_sampler):
        return make_sampler


class TestQuasiRandomSamplersOfSettings(SearchedSettingsConformance):
    @pytest.fixture
    def make_sampler(self, make_sampler):
        return make_sampler


class TestQuasiRandomSamplersOfLearnedBits(LearnedBitsConformance):
    @pytest.fixture
    def make_sampler(self, make_sampler):
        return make_sampler


FINE = ColumnSpace(tuple(Column(name, tuple(range(4096))) for name in "abc"))  # so fine that no two points meet


def test_sobol_is_the_sequence_of_scipy():
    sequence = qmc.Sobol(3, scramble=True, seed=np.random.default_rng(5)).random(256)
    assert FINE.rows(SobolSampler(FINE, 5).ask([], [], 256)).tolist() == FINE.from_unit(sequence).tolist()
    # Of the first 2^8 points, one lies in each of 2^8 equal boxes of two coordinates.
    assert len(np.unique((sequence[:, :2] * 16).astype(int), axis=0)) == 256


def test_hypercubes_have_one_point_in_each_part():
    rows = FINE.rows(LatinHypercubeSampler(FINE, 5, size=16).ask([], [], 48))
    for cube in rows.reshape(3, 16, 3):
        assert (np.sort(cube // 256, axis=0) == np.arange(16)[:, None]).all()
    assert (rows[:16] != rows[16:32]).any()


@pytest.mark.parametrize("make", [SobolSampler, LatinHypercubeSampler])
def test_a_trial_stands_at_its_place_of_the_sequence(make):
    whole = make(FINE, 1).ask([], [], 150)
    for n, n_pending in ((1, 0), (97, 4), (126, 3)):
        history, pending = list(map(observe_nothing, whole[:n])), whole[n : n + n_pending]
        assert make(FINE, 1).ask(history, pending, 5) == whole[n + n_pending :][:5]


def observe_nothing(candidate):
    from nas_fpga.samplers import Observation

    return Observation(candidate, "failed")


def test_what_is_taken_is_passed_over():
    space = MLPSpace(8, 1, 40, max_layers=4)
    first, second, third = SobolSampler(space, 0).ask([], [], 3)
    assert SobolSampler(space, 0).ask([observe(second)], [], 1) == [third]
    assert SobolSampler(space, 0).ask([], [first, second], 1) == [third]


def test_an_empty_hypercube_is_refused():
    with pytest.raises(InputError, match="size 0 of a Latin hypercube must be at least 1"):
        LatinHypercubeSampler(FINE, 0, size=0)
