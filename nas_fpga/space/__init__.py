"""What may be proposed: candidates, and spaces that construct them under the budget."""

from nas_fpga.space._base import C, Space, SpaceExhausted
from nas_fpga.space._candidate import (
    BitWidths,
    Candidate,
    LearnedBits,
    TrainingSettings,
    format_network,
    format_topology,
    parse_candidate,
)
from nas_fpga.space._mlp import MLPSpace, PriorCost, PriorTime
from nas_fpga.space._rows import (
    Rows,
    candidates_of,
    depths_of,
    n_macs_of,
    n_params_of,
    narrowest_of,
    rows_of,
    totals_of,
    widths_of,
)
from nas_fpga.space._training import SETTING_SCALES, TRAINING_PRESETS, TrainingSpace

__all__ = [
    "SETTING_SCALES",
    "TRAINING_PRESETS",
    "BitWidths",
    "C",
    "Candidate",
    "LearnedBits",
    "MLPSpace",
    "PriorCost",
    "PriorTime",
    "Rows",
    "Space",
    "SpaceExhausted",
    "TrainingSettings",
    "TrainingSpace",
    "candidates_of",
    "depths_of",
    "format_network",
    "format_topology",
    "n_macs_of",
    "n_params_of",
    "narrowest_of",
    "parse_candidate",
    "rows_of",
    "totals_of",
    "widths_of",
]
