"""Polish: trained networks go on training with learned bits."""

from __future__ import annotations

from dataclasses import replace

from nas_fpga.space import Candidate, LearnedBits, TrainingSettings
from nas_fpga.training._network import QuantizedNetwork

POLISH_PRESSURES = (0.3, 1.0)  # loss for all EBOPs of the start
POLISH_BITS_LEARNING_RATE = 3e-2
POLISH_LEARNING_RATE = 0.6  # of the settings'
POLISH_EPOCHS = 0.8  # of the settings'


def polish_candidates(network: QuantizedNetwork, settings: TrainingSettings) -> tuple[Candidate, ...]:
    """Return what a trained network is polished as: candidates for jobs that have it as their ``start``.

    Args:
        network: Of fixed or learned bits.
        settings: Of the search. Dropout is left out, which learned bits have none of.
    """
    polish = replace(
        settings,
        learning_rate=POLISH_LEARNING_RATE * settings.learning_rate,
        epochs=max(round(POLISH_EPOCHS * settings.epochs), 1),
        dropout=0.0,
    )
    ebops = max(network.ebops, 1)  # a constant has none
    return tuple(
        Candidate(network.topology, LearnedBits(pressure / ebops, POLISH_BITS_LEARNING_RATE), polish)
        for pressure in POLISH_PRESSURES
    )
