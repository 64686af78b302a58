"""The adder graph of a network's integers is that of the model that is exported from it."""

from __future__ import annotations

import numpy as np
import pytest

from nas_fpga.export import hgq_model
from nas_fpga.export._rtl._formats import input_formats
from nas_fpga.export._rtl._ports import input_words
from nas_fpga.hardware import adder_graph, adder_graph_of_model, build_netlist
from nas_fpga.space import BitWidths
from tests.export.networks import learned_network, random_network


@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_cost_and_pipeline_are_those_of_the_exported_model(kind):
    network = (
        random_network(5, 6, (9, 5), BitWidths(5, 4), n_outputs=2)
        if kind == "fixed"
        else learned_network(5, 6, (9, 5), n_outputs=2)
    )
    model = hgq_model(network)
    names = [f"x{i}" for i in range(6)]
    words = input_words(names, names, input_formats(model))
    fraction = np.array([word.fraction_bits for word in words])
    integer = np.array([word.bits - 1 for word in words]) - fraction
    ours, exported = adder_graph(network), adder_graph_of_model(model, integer, fraction)
    assert (ours.luts, ours.levels) == (exported.luts, exported.levels)
    for clock_ns in (2.0, 5.0):
        one, other = build_netlist(ours, clock_ns), build_netlist(exported, clock_ns)
        assert (one.inputs, one.outputs) == (other.inputs, other.outputs)
        assert (one.latency_cycles, one.flip_flops) == (other.latency_cycles, other.flip_flops)
