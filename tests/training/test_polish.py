"""What networks are polished as."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.space import BitWidths, LearnedBits, TrainingSettings
from nas_fpga.training import polish_candidate, polish_epochs
from tests.export.networks import learned_network, random_network


@pytest.mark.parametrize("network", [random_network(0, 4, (8, 3), BitWidths(6, 6)), learned_network(0, 4, (8, 3))])
def test_pressure_is_counted_against_the_start(network):
    settings = TrainingSettings(learning_rate=1e-2, epochs=10, batch_size=64, beta_1=0.8, dropout=0.2)
    candidate = polish_candidate(network, settings)
    assert (candidate.topology, candidate.bits) == (network.topology, LearnedBits())
    pressure = candidate.settings.pressure
    assert pressure * network.ebops == pytest.approx(0.6)
    assert candidate.settings == replace(
        settings, learning_rate=6e-3, epochs=32, dropout=0.0, pressure=pressure, bits_learning_rate=3e-2
    )
    assert polish_epochs(settings) == 32


def test_a_constant_and_a_single_epoch_can_be_polished():
    network = random_network(0, 4, (8, 3), BitWidths(6, 6))
    silent = replace(network.layers[-1], weights=np.zeros_like(network.layers[-1].weights), bias=np.zeros(1, np.int64))
    constant = replace(network, layers=(*network.layers[:-1], silent)).pruned()
    assert constant.ebops == 0
    settings = polish_candidate(constant, TrainingSettings(epochs=1)).settings
    assert (settings.epochs, settings.pressure) == (3, 0.6)


def test_it_needs_no_framework():
    code = "import sys; from nas_fpga.training import polish_candidate; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
