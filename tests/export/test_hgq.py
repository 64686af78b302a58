"""The rebuilt HGQ2 model computes what the integers say."""

import numpy as np
import pytest

from nas_fpga.export import hgq_model
from nas_fpga.space import BitWidths
from tests.export.networks import random_network, raw_features


@pytest.mark.parametrize(
    ("topology", "bits", "n_outputs"),
    [((5,), (2, 2), 1), ((8, 3), (3, 8), 1), ((16, 8, 4), (6, 6), 5), ((7,) * 8, (4, 3), 1), ((32, 2, 32), (8, 5), 3)],
)
def test_outputs_equal_the_integers(topology, bits, n_outputs):
    network = random_network(len(topology), 9, topology, BitWidths(*bits), n_outputs)
    features = raw_features(network, 1, 5000)
    expected = network.logits(features)
    got = np.asarray(hgq_model(network).predict(features, batch_size=1000, verbose=0), np.float64)
    assert max(network.accumulator_bits()) <= 24  # else float32 could round where integers do not
    assert np.ptp(expected) > 0
    assert np.count_nonzero(got != expected) == 0


def test_a_flipped_weight_bit_shows():
    network = random_network(3, 9, (8, 3), BitWidths(6, 6))
    features = raw_features(network, 1, 5000)
    before = network.logits(features)
    network.layers[0].weights[0, 0] ^= 1
    assert np.count_nonzero(network.logits(features) != before) > 0
