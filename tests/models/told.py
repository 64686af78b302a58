"""Reads models in tests and keeps what was said."""

from pathlib import Path

import numpy as np

from nas_fpga.models import read_model


def read(path, **options):
    """The network, its mapping, and the lines told."""
    lines = []
    found = read_model(Path(path), message=lines.append, **options)
    assert all("\n" not in line and str(path) in line for line in lines)
    return found.network, found.mapping, lines


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def weights_of(layer):
    """Weights as numbers."""
    return np.ldexp(layer.weights.astype(np.float64), -layer.weight_fraction_bits)


def biases_of(layer):
    """Biases as numbers."""
    return np.ldexp(layer.bias.astype(np.float64), -layer.bias_fraction_bits)
