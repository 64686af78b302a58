"""The rungs keep what every rung has to."""

from __future__ import annotations

import functools

import pytest

from nas_fpga.hardware import Mapping, cost_by_adder_graph, cost_by_law, cost_by_synthesis
from nas_fpga.testing import RungConformance


class TestLawOfAdders(RungConformance):
    @pytest.fixture
    def cost_of(self):
        return lambda network, target: cost_by_law(
            network, Mapping("distributed_arithmetic", (1,) * len(network.layers)), target
        )


class TestLawOfLatency(RungConformance):
    @pytest.fixture
    def cost_of(self):
        return lambda network, target: cost_by_law(network, Mapping("latency", (1,) * len(network.layers)), target)


class TestAdderGraph(RungConformance):
    @pytest.fixture
    def cost_of(self):
        return cost_by_adder_graph


class TestAdderGraphWithoutTime(RungConformance):
    @pytest.fixture
    def cost_of(self):
        return functools.partial(cost_by_adder_graph, most_graph_s=0)


@pytest.mark.slow
class TestSynthesis(RungConformance):
    @pytest.fixture(scope="class")
    def _cache(self, tmp_path_factory):
        """A cache of its own that all tests share."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
            yield

    @pytest.fixture
    def cost_of(self, _cache):
        return functools.partial(cost_by_synthesis, message=lambda _: None)
