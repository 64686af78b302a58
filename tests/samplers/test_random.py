import pytest

from nas_fpga.samplers import RandomSampler
from nas_fpga.testing import (
    ColumnConformance,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
)


class TestRandomSampler(SamplerConformance):
    @pytest.fixture
    def make_sampler(self):
        return RandomSampler


class TestRandomSamplerOfColumns(ColumnConformance):
    @pytest.fixture
    def make_sampler(self):
        return RandomSampler


class TestRandomSamplerOfSettings(SearchedSettingsConformance):
    @pytest.fixture
    def make_sampler(self):
        return RandomSampler


class TestRandomSamplerOfLearnedBits(LearnedBitsConformance):
    @pytest.fixture
    def make_sampler(self):
        return RandomSampler
