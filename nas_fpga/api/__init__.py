"""The Python API: searches and studies in a few lines, for notebooks and scripts."""

from nas_fpga.api._search import open_study, search
from nas_fpga.api._study import Front, Study, StudyPoint, plot_front
from nas_fpga.api._table import front_cells

__all__ = ["Front", "Study", "StudyPoint", "front_cells", "open_study", "plot_front", "search"]
