"""The Python API: searches and studies in a few lines, for notebooks and scripts."""

import warnings

from nas_fpga.api._estimate import estimate
from nas_fpga.api._search import open_study, search
from nas_fpga.api._study import Front, Study, StudyPoint, plot_front
from nas_fpga.api._table import TEXT_COLUMNS, front_cells, training_note

# Optuna imports tqdm, which complains in notebooks that lack the widgets of its own progress bar; none is shown here.
warnings.filterwarnings("ignore", message="IProgress not found", module="tqdm")

__all__ = [
    "TEXT_COLUMNS",
    "Front",
    "Study",
    "StudyPoint",
    "estimate",
    "front_cells",
    "open_study",
    "plot_front",
    "search",
    "training_note",
]
