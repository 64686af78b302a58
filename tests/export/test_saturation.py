"""Activations saturate in hls4ml where they should, also where their steps are finer than those of the sums."""

from __future__ import annotations

import numpy as np
import pytest

from nas_fpga.data import InputFormat
from nas_fpga.export import export, verify
from nas_fpga.export._saturation import with_kept_saturation
from nas_fpga.hardware import Mapping
from nas_fpga.space import Candidate, LearnedBits
from nas_fpga.training import QuantizedLayer, QuantizedNetwork
from tests.export.designs import make_design, silent
from tests.export.networks import learned_network, raw_features


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


@pytest.mark.parametrize("seed", range(40))
def test_no_network_changes(seed: int) -> None:
    network = learned_network(seed, 6, (7, 5), 2)
    features = raw_features(network, seed, 300)
    np.testing.assert_array_equal(with_kept_saturation(network).logits(features), network.logits(features))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["latency", "distributed_arithmetic"])
def test_no_output_of_the_cpp_differs(tmp_path, strategy) -> None:
    export(make_design(coarse_network(), Mapping(strategy, (1, 1))), tmp_path / "out", message=silent)
    found = verify(tmp_path / "out", proof="cpp", message=silent)
    assert (found.passed, found.differing) == (True, 0)
