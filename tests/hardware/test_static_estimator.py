from __future__ import annotations

import pytest

from nas_fpga.hardware import StaticEstimator
from nas_fpga.testing import EstimatorConformance


class TestStaticEstimator(EstimatorConformance):
    @pytest.fixture
    def make_estimator(self):
        return StaticEstimator
