"""The rebuilt HGQ2 model computes what the integers say."""

import numpy as np
import pytest

from nas_fpga.export import hgq_model
from nas_fpga.space import BitWidths
from nas_fpga.training import effective_bits
from tests.export.networks import learned_network, random_network, raw_features


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


@pytest.mark.parametrize(
    ("n_inputs", "topology", "n_outputs"), [(6, (8, 5), 1), (9, (12, 7, 5), 3), (13, (16, 8), 5), (3, (5,) * 6, 1)]
)
def test_outputs_of_learned_bits_equal_the_integers(n_inputs, topology, n_outputs):
    network = learned_network(n_inputs, n_inputs, topology, n_outputs)
    features = raw_features(network, 1, 5000)
    expected = network.logits(features)
    assert sum(network.topology) < sum(topology)
    assert not network.input_format.used.all()
    assert max(network.accumulator_bits()) <= 24
    model = hgq_model(network)
    got = np.asarray(model.predict(features, batch_size=1000, verbose=0), np.float64)
    assert np.ptp(expected) > 0
    assert np.count_nonzero(got != expected) == 0


def test_every_number_has_its_own_bits():
    network = learned_network(1, 9, (12, 7, 5), 3)
    layer, dense = network.layers[1], hgq_model(network).layers[2]
    signed, integer, fraction = (np.asarray(bits) for bits in dense.kq.quantizer.kif)
    widths = np.where(layer.weights != 0, effective_bits(layer.weights) + 1, 0)
    power = np.bitwise_count(np.abs(layer.weights)) == 1
    assert ((signed + integer + fraction == widths) | (power & (layer.weights < 0))).all()  # -2^n needs a sign only
    before = network.layers[0]
    assert np.ravel(dense.iq.quantizer.kif[2]).tolist() == before.activation_fraction_bits.tolist()
    assert np.ravel(dense.iq.quantizer.bits).tolist() == before.activation_bits.tolist()


def test_a_flipped_weight_bit_shows():
    network = random_network(3, 9, (8, 3), BitWidths(6, 6))
    features = raw_features(network, 1, 5000)
    before = network.logits(features)
    network.layers[0].weights[0, 0] ^= 1
    assert np.count_nonzero(network.logits(features) != before) > 0
