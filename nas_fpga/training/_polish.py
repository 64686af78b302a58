"""Polish: trained networks go on training with learned bits."""

from __future__ import annotations

from dataclasses import replace

from nas_fpga.space import Candidate, LearnedBits, TrainingSettings
from nas_fpga.training._network import QuantizedNetwork

# Among the best of pressures from .03 to 3, learning rates of bits from .01 to .1, learning rates from .001 to .01 and
# 10 to 80 epochs, tried on seven points of the main job's front (5 to 127 neurons, 1,300 to 32,000 LUT). By the
# estimate, at the same validation figure, it needs 2.1 times fewer LUTs than the start (geometric mean); with a second
# training of pressure 1 it is 2.2 times, with both in half the epochs each 1.85 times.
_PRESSURE = 0.3  # loss for all EBOPs of the start
_BITS_LEARNING_RATE = 3e-2
_LEARNING_RATE = 0.6  # of the settings', whose default is 5e-3
_EPOCHS = 1.6  # of the settings', whose default is 50


def polish_epochs(settings: TrainingSettings) -> int:
    """Return how many epochs polishing a network takes in a search of these settings."""
    return round(_EPOCHS * settings.epochs)


def polish_candidate(network: QuantizedNetwork, settings: TrainingSettings) -> Candidate:
    """Return what a trained network is polished as: the candidate of a job that has it as its ``start``.

    Args:
        network: Of fixed or learned bits.
        settings: Of the search. Dropout is left out, which learned bits have none of.
    """
    polish = replace(
        settings,
        learning_rate=_LEARNING_RATE * settings.learning_rate,
        epochs=polish_epochs(settings),
        dropout=0.0,
        pressure=_PRESSURE / max(network.ebops, 1),  # a constant has none
        bits_learning_rate=_BITS_LEARNING_RATE,
    )
    return Candidate(network.topology, LearnedBits(), polish)
