"""Adder graphs compute what their network does, and their cost divides over its layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.data import InputFormat
from nas_fpga.hardware import SPARE_BITS, adder_graph, build_netlist
from nas_fpga.hardware._adder_graph import adder_graph_of_stretch
from nas_fpga.hardware._traits import live_weights
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.training import QuantizedLayer, QuantizedNetwork
from tests.export.networks import learned_network, random_network, raw_features


def one_layer(weights: list[list[int]], bias: list[int], input_bits: int = 4) -> QuantizedNetwork:
    """Unsigned inputs of a step of 1 into integer weights and biases."""
    kernel = np.array(weights, np.int32)
    flat = np.zeros(len(kernel), np.int64)
    form = InputFormat(flat + input_bits, flat.astype(bool), flat, flat)
    layer = QuantizedLayer(kernel, 0, np.array(bias, np.int64), 0, None, None)
    return QuantizedNetwork(Candidate((1,), BitWidths(4, 4)), form, (layer,))  # as if its hidden layer had been pruned


def on_the_grid(network: QuantizedNetwork, seed: int, n: int) -> np.ndarray:
    """Raw features as the input words hold them: cut to half a step, within the ends of the words."""
    form = network.input_format
    steps = np.floor(raw_features(network, seed, n) * np.exp2(form.fraction_bits + 1.0))
    end = 2.0 ** (int(form.bits.max()) + SPARE_BITS - 1)
    return np.clip(steps, -end, end - 1) * np.exp2(-(form.fraction_bits + 1.0))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_outputs_are_those_of_the_network(kind, seed):
    topology = ((5,), (6, 3), (8, 7, 6), (9,))[seed]
    network = (
        random_network(seed, 5, topology, BitWidths(4, 5), n_outputs=1 + seed)
        if kind == "fixed"
        else learned_network(seed, 5, topology, n_outputs=1 + seed)
    )
    features = on_the_grid(network, seed, 400)
    expected = network.logits(features)
    assert np.array_equal(adder_graph(network)._comb.predict(features), expected)
    assert len(np.unique(expected)) > 10


def test_costs_of_parts_add_up_and_belong_to_their_layers():
    network = random_network(1, 6, (8, 8), BitWidths(4, 4))
    graph = adder_graph(network)
    assert len(graph.parts) == 4  # the input format and three layers
    assert sum(graph.parts) == pytest.approx(graph.luts)
    assert min(graph.parts) > 0
    free = replace(network.layers[1], weights=np.sign(network.layers[1].weights) * 8)  # powers of two: fewer adders
    cheaper = adder_graph(replace(network, layers=(network.layers[0], free, network.layers[2])))
    assert cheaper.parts[:2] == graph.parts[:2]
    assert cheaper.parts[2] < graph.parts[2]


def test_a_power_of_two_is_wires_and_a_sum_is_one_adder():
    only_input = adder_graph(one_layer([[1]], [0]))
    assert only_input.parts[1] == 0
    assert adder_graph(one_layer([[8]], [0])).luts == only_input.luts
    added = adder_graph(one_layer([[1], [1]], [0]))
    assert 4 <= added.parts[1] <= 6  # two words of four bits
    assert added.levels == only_input.levels + 1


def test_more_cycles_between_registers_at_a_slower_clock_and_the_same_adders():
    graph = adder_graph(random_network(3, 6, (10, 6), BitWidths(5, 5)))
    fast, slow = build_netlist(graph, clock_ns=2.0), build_netlist(graph, clock_ns=10.0)
    assert fast.latency_cycles > slow.latency_cycles
    assert fast.flip_flops > slow.flip_flops
    assert fast.luts == slow.luts == graph.luts
    assert fast.levels == slow.levels == graph.levels
    assert len(fast.inputs) == 6


@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_a_stretch_computes_what_its_layers_do(kind):
    network = (
        random_network(4, 5, (6, 7, 5), BitWidths(4, 5), n_outputs=3)
        if kind == "fixed"
        else learned_network(3, 5, (8, 7, 6), n_outputs=3)
    )
    values = network.input_format.apply(on_the_grid(network, 4, 300)).astype(np.float64)
    raw = np.ldexp(values, network.input_format.scale_log2)
    used = [weights.any(axis=1) for weights in live_weights(network)]
    for k, layer in enumerate(network.layers, 1):
        entering = raw if k == 1 else values
        sums = values @ np.ldexp(layer.weights.astype(np.float64), -layer.weight_fraction_bits)
        values = layer.activate(sums + np.ldexp(layer.bias.astype(np.float64), -layer.bias_fraction_bits))
        found = adder_graph_of_stretch(network, k, k + 1)._comb.predict(entering)
        expected = values[:, used[k]] if k < len(network.layers) else values
        assert np.array_equal(found, expected)
        assert len(np.unique(expected)) > 3
    whole = adder_graph(network)
    assert adder_graph_of_stretch(network, 0, 3).parts == whole.parts[:3]


def test_neurons_that_nobody_uses_cost_nothing():
    network = random_network(1, 6, (20, 4), BitWidths(4, 4))
    last = network.layers[1].weights.copy()
    last[3:] = 0
    dead = replace(network, layers=(network.layers[0], replace(network.layers[1], weights=last), network.layers[2]))
    parts = adder_graph(dead).parts
    assert min(parts) > 0
    assert parts[1] < 0.3 * adder_graph(network).parts[1]  # three of its twenty neurons
