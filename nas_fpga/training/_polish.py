"""How a trained network is trained on with learned bits."""

from __future__ import annotations

from nas_fpga.space import Candidate, LearnedBits, TrainingSettings
from nas_fpga.training._network import QuantizedNetwork

POLISH_EPOCHS = 20


def polish_candidate(network: QuantizedNetwork) -> Candidate:
    """Return what is trained to polish a network."""
    settings = TrainingSettings(learning_rate=1e-3, epochs=POLISH_EPOCHS, patience=POLISH_EPOCHS, pressure=1e-4)
    return Candidate(network.topology, LearnedBits(), settings)
