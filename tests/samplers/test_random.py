import pytest

from nas_fpga.samplers import RandomSampler
from nas_fpga.testing import SamplerConformance, SearchedSettingsConformance


class TestRandomSampler(SamplerConformance):
    @pytest.fixture
    def make_sampler(self):
        return RandomSampler


class TestRandomSamplerOfSettings(SearchedSettingsConformance):
    @pytest.fixture
    def make_sampler(self):
        return RandomSampler
