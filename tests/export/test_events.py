"""The events that a project is proven on."""

import numpy as np

from nas_fpga.export._events import verification_events
from nas_fpga.space import BitWidths
from tests.export.networks import random_network, raw_features


def test_events_reach_the_edges_of_the_format():
    network = random_network(9, 5, (3,), BitWidths(4, 4))
    form = network.input_format
    real = raw_features(network, 3, 50)[3:]
    events = verification_events(real, form)
    assert (events.n_real, events.n_drawn) == (47, 4953)
    assert np.array_equal(events.features[:47], real)
    drawn = events.features[47:5000]
    for i in range(5):
        assert set(drawn[:, i]) <= set(real[:, i])
    edges = events.features[5000:].astype(np.float64)
    assert events.n_edges == len(edges)
    assert (edges == 0).all(axis=1).any()
    steps = edges * np.exp2(form.fraction_bits)
    high = form.highest
    assert (steps == high).all(axis=1).any()
    assert ((steps > 2 * high).sum(axis=0) > 0).all()
    assert ((steps < -2 * high).sum(axis=0) > 0).all()
    ties = (np.abs(steps) < high) & (steps % 1 == 0.5)
    assert (ties.sum(axis=0) >= 100).all()
