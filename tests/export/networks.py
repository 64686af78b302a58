"""Random quantized networks and features that reach every corner of their input formats."""

import numpy as np

from nas_fpga.data import InputFormat
from nas_fpga.space import Candidate
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


def raw_features(network, seed, n):
    """Features within, at the edges of, and far beyond the range of the input format; zeros too."""
    rng = np.random.default_rng(seed)
    form = network.input_format
    reach = np.exp2(form.bits - form.fraction_bits.astype(float))
    features = rng.uniform(-2, 2, (n, len(reach))) * reach
    features[0], features[1], features[2] = 0, 1e6, -1e6
    return features.astype(np.float32)
