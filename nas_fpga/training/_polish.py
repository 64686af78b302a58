"""Polish: trained networks go on training with learned bits."""

from __future__ import annotations

from dataclasses import replace

from nas_fpga.space import Candidate, LearnedBits, TrainingSettings
from nas_fpga.training._network import QuantizedNetwork

# The best of pressures from .03 to 3, learning rates of bits from .01 to .1, learning rates from .001 to .01 and 10 to
# 80 epochs, tried on seven points of the main job's front (5 to 127 neurons, 1,300 to 32,000 LUT). By the estimate, at
# the same validation figure, the two pressures together need 2.2 times fewer LUTs than the start (geometric mean), at a
# figure 2 % worse 2.7 times; with half the epochs it is 1.8 and 1.9, with .3 alone 2.1 and 2.3.
POLISH_PRESSURES = (0.3, 1.0)  # loss for all EBOPs of the start
POLISH_BITS_LEARNING_RATE = 3e-2
POLISH_LEARNING_RATE = 0.6  # of the settings', whose default is 5e-3
POLISH_EPOCHS = 1.6  # of the settings', whose default is 50


def polish_candidates(network: QuantizedNetwork, settings: TrainingSettings) -> tuple[Candidate, ...]:
    """Return what a trained network is polished as: candidates for jobs that have it as their ``start``.

    Args:
        network: Of fixed or learned bits.
        settings: Of the search. Dropout is left out, which learned bits have none of.
    """
    polish = replace(
        settings,
        learning_rate=POLISH_LEARNING_RATE * settings.learning_rate,
        epochs=round(POLISH_EPOCHS * settings.epochs),
        dropout=0.0,
    )
    ebops = max(network.ebops, 1)  # a constant has none
    return tuple(
        Candidate(network.topology, LearnedBits(pressure / ebops, POLISH_BITS_LEARNING_RATE), polish)
        for pressure in POLISH_PRESSURES
    )
