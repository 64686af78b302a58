"""What networks are polished as."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.space import BitWidths, TrainingSettings
from nas_fpga.training import polish_candidates
from tests.export.networks import learned_network, random_network


@pytest.mark.parametrize("network", [random_network(0, 4, (8, 3), BitWidths(6, 6)), learned_network(0, 4, (8, 3))])
def test_pressure_is_counted_against_the_start(network):
    settings = TrainingSettings(learning_rate=1e-2, epochs=10, batch_size=64, beta_1=0.8, dropout=0.2)
    candidates = polish_candidates(network, settings)
    assert len(candidates) == len(set(candidates)) == 2
    for candidate, weight in zip(candidates, (0.3, 1.0), strict=True):
        assert candidate.topology == network.topology
        assert candidate.bits.pressure * network.ebops == pytest.approx(weight)
        assert candidate.settings == replace(settings, learning_rate=6e-3, epochs=16, dropout=0.0)


def test_a_constant_and_a_single_epoch_can_be_polished():
    network = random_network(0, 4, (8, 3), BitWidths(6, 6))
    silent = replace(network.layers[-1], weights=np.zeros_like(network.layers[-1].weights), bias=np.zeros(1, np.int64))
    constant = replace(network, layers=(*network.layers[:-1], silent)).pruned()
    assert constant.ebops == 0
    candidates = polish_candidates(constant, TrainingSettings(epochs=1))
    assert [(candidate.settings.epochs, candidate.bits.pressure) for candidate in candidates] == [(2, 0.3), (2, 1.0)]


def test_it_needs_no_framework():
    code = "import sys; from nas_fpga.training import polish_candidates; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
