import pytest

from nas_fpga.samplers import GaussianProcessSampler
from nas_fpga.testing import SamplerConformance


class TestGaussianProcessSampler(SamplerConformance):
    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: GaussianProcessSampler(space, seed, n_startup=5)
