"""Polish: trained networks go on training with learned bits."""

from __future__ import annotations

import math
from dataclasses import replace

from nas_fpga.space import Candidate, LearnedBits, TrainingSettings
from nas_fpga.training._network import QuantizedNetwork

# Both learning rates are among the best of .01 to .1 for bits and .001 to .01, tried on seven points of the main job's
# front (5 to 127 neurons, 1,300 to 32,000 LUT). Epochs and pressure: of 14 points of a later front (1 to 438 neurons,
# 590 to 72,000 LUT), two seeds each, LUTs by the estimate at the same validation figure are fewer than those of the
# start by a factor of (geometric mean) 2.0 in 80 epochs at a pressure of .3, 2.4 in 160, 2.6 in 320; in 160 epochs by
# 2.6 at a pressure of .6 and by 2.5 at 1.2.
_PRESSURE = 0.6  # loss for all EBOPs of the start
_BITS_LEARNING_RATE = 3e-2
_LEARNING_RATE = 0.6  # of the settings', whose default is 5e-3
_EPOCHS = 3.2  # of the settings', whose default is 50

POLISH_SAVING = math.log10(2.6)
"""Decades of resources that polishing saves at the same validation figure: the factor above; of 63 networks that
searches of four seeds polished, the median is .42."""


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
