"""Activations saturate in hls4ml where they should, also where their steps are finer than those of the sums."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nas_fpga.data import InputFormat
from nas_fpga.export import export, verify
from nas_fpga.export._saturation import with_kept_saturation
from nas_fpga.hardware import Mapping
from nas_fpga.space import Candidate, LearnedBits
from nas_fpga.training import QuantizedLayer, QuantizedNetwork
from tests.export.designs import make_design, silent
from tests.export.networks import raw_features


def coarse_network() -> QuantizedNetwork:
    """Sums on steps of 1/2 and 1: the first two neurons saturate, at 1.75 and always at 1.5; the third never does."""
    form = InputFormat(np.array([4, 3, 5]), np.zeros(3, bool), np.array([1, 0, 2]), np.array([0, 0, 0]))
    hidden = QuantizedLayer(
        weights=np.array([[1, 2, 1], [1, 1, 0], [0, 0, 2]], np.int32),
        weight_fraction_bits=0,
        bias=np.array([-1, 4, 0]),
        bias_fraction_bits=0,
        activation_bits=np.array([3, 2, 8]),
        activation_fraction_bits=np.array([2, 1, 2]),
    )
    output = QuantizedLayer(np.array([[3], [-5], [1]], np.int32), 2, np.array([1]), 2, None, None)
    return QuantizedNetwork(Candidate((3,), LearnedBits()), form, (hidden, output))


def test_a_quarter_of_a_step_is_added_where_it_matters_and_changes_nothing() -> None:
    network = coarse_network()
    kept = with_kept_saturation(network)
    hidden = kept.layers[0]
    # a quarter of the steps 1/4 and 1/2; the third cannot saturate
    assert (hidden.bias * 2.0**-hidden.bias_fraction_bits).tolist() == [-1 + 1 / 16, 4 + 1 / 8, 0]
    features = np.random.default_rng(0).uniform(0, 9, (1000, 3)).astype(np.float32)
    np.testing.assert_array_equal(kept.logits(features), network.logits(features))


def random_coarse_network(seed: int) -> QuantizedNetwork:
    """Coarse weights and fine, narrow activations: many saturate off the grid of their sums."""
    rng = np.random.default_rng(seed)
    widths = (5, 7, 6, 1)
    form = InputFormat(rng.integers(0, 6, 5), rng.random(5) < 0.5, rng.integers(-2, 3, 5), np.zeros(5, np.int64))
    layers = []
    for n_in, n_out in itertools.pairwise(widths):
        hidden = n_out != widths[-1]
        layers.append(
            QuantizedLayer(
                weights=rng.integers(-3, 4, (n_in, n_out)).astype(np.int32),
                weight_fraction_bits=int(rng.integers(-1, 2)),
                bias=rng.integers(-4, 5, n_out),
                bias_fraction_bits=int(rng.integers(-1, 2)),
                activation_bits=rng.integers(0, 5, n_out) if hidden else None,
                activation_fraction_bits=rng.integers(-1, 5, n_out) if hidden else None,
            )
        )
    return QuantizedNetwork(Candidate(widths[1:-1], LearnedBits()), form, tuple(layers))


def test_no_network_changes() -> None:
    n_moved = 0
    for seed in range(100):
        network = random_coarse_network(seed)
        kept = with_kept_saturation(network)
        features = raw_features(network, seed, 300)
        np.testing.assert_array_equal(kept.logits(features), network.logits(features))
        n_moved += sum(
            int((np.ldexp(a.bias, -a.bias_fraction_bits) != np.ldexp(b.bias, -b.bias_fraction_bits)).sum())
            for a, b in zip(kept.layers, network.layers, strict=True)
        )
    assert n_moved > 200  # of 1,300 neurons


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["latency", "distributed_arithmetic"])
@pytest.mark.parametrize("network", [coarse_network(), random_coarse_network(3)], ids=["known", "random"])
def test_no_output_of_the_cpp_differs(tmp_path, strategy, network) -> None:
    mapping = Mapping(strategy, (1,) * len(network.layers))
    export(make_design(network, mapping), tmp_path / "out", message=silent)
    found = verify(tmp_path / "out", proof="cpp", message=silent)
    assert (found.passed, found.differing) == (True, 0)
