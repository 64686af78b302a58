"""Random quantized networks and features that reach every corner of their input formats."""

from dataclasses import replace

import numpy as np

from nas_fpga.data import InputFormat
from nas_fpga.space import Candidate, LearnedBits
from nas_fpga.training import QuantizedLayer, QuantizedNetwork


def random_network(seed, n_inputs, topology, bits, n_outputs=1):
    """A network of random integers whose input features have signs, steps and scales of their own."""
    rng = np.random.default_rng(seed)
    signed, fraction_bits = rng.random(n_inputs) < 0.5, rng.integers(-3, 8, n_inputs)
    rng.integers(-1, 2, n_inputs)
    input_format = InputFormat(np.full(n_inputs, 10), signed, fraction_bits, 8 - fraction_bits)
    candidate = Candidate(topology, bits)
    layers, grid = [], 8
    shapes = candidate.layer_shapes(n_inputs, n_outputs)
    for i, (n_in, n_out) in enumerate(shapes):
        hidden = i < len(shapes) - 1
        reach = 2 ** (bits.weights - 1)
        weight_fraction = bits.weights + int(rng.integers(-1, 2))
        activation_fraction = int(rng.integers(0, bits.activations + 1))
        layers.append(
            QuantizedLayer(
                rng.integers(-reach, reach, (n_in, n_out)).astype(np.int32),
                weight_fraction,
                rng.integers(0, 81, n_out),
                weight_fraction + grid,
                np.full(n_out, bits.activations) if hidden else None,
                np.full(n_out, activation_fraction) if hidden else None,
            )
        )
        grid = activation_fraction
    return QuantizedNetwork(candidate, input_format, tuple(layers))


def learned_network(seed, n_inputs, topology, n_outputs=1):
    """A network as learned bits leave it: every weight, neuron and feature has bits of its own, some have none.

    Neurons have the range of most of their sums.
    """
    rng = np.random.default_rng(seed)
    fraction_bits = rng.integers(-3, 8, n_inputs)
    bits = rng.integers(2, 9, n_inputs) * (np.arange(n_inputs) != 1)
    form = InputFormat(bits, rng.random(n_inputs) < 0.5, fraction_bits, bits - 1 - fraction_bits)
    network = QuantizedNetwork(Candidate(topology, LearnedBits()), form, ())
    values = form.apply(raw_features(network, seed, 1000))
    for i, n_out in enumerate((*topology, n_outputs)):
        shape = (values.shape[1], n_out)
        width, coarser = rng.integers(1, 5, shape), rng.integers(0, 4, shape)
        kept = rng.random(shape) < 0.6
        weights = (rng.integers(-(2**width), 2**width + 1) << coarser) * kept
        sums = values @ (weights / 32)
        bias_fraction = 9
        bias = np.rint(-np.quantile(sums, 0.2, axis=0) * 2**bias_fraction).astype(np.int64)
        of_outputs = None, None
        if i < len(topology):
            reach = np.quantile(sums + bias * 2.0**-bias_fraction, 0.95, axis=0)
            bits = rng.integers(1, 7, n_out) * (np.arange(n_out) != 2)
            of_outputs = bits, bits - np.frexp(np.maximum(reach, 1e-3))[1].astype(np.int64)
        layer = QuantizedLayer(weights.astype(np.int32), 5, bias, bias_fraction, *of_outputs)
        network = replace(network, layers=(*network.layers, layer))
        values = layer.activate(sums + bias * 2.0**-bias_fraction)
    return network.pruned()


def raw_features(network, seed, n):
    """Features within, at the edges of, and far beyond the range of the input format; zeros too."""
    rng = np.random.default_rng(seed)
    form = network.input_format
    reach = np.exp2(form.bits - form.fraction_bits.astype(float))
    features = rng.uniform(-2, 2, (n, len(reach))) * reach
    features[0], features[1], features[2] = 0, 1e6, -1e6
    return features.astype(np.float32)
