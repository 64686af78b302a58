"""Jet tagging: gluon, quark, W, Z and top jets with 16 features, and the generator that makes more.

Neither the OpenML nor the CERNBox set: the same kind of features from another simulation.
"""

from nas_fpga.data.jets._correlators import Correlators, correlators
from nas_fpga.data.jets._definitions import CLASS_NAMES, FEATURES, JET_CLASSES, NOTICE, SELECTION, Feature, JetClass
from nas_fpga.data.jets._physics_checks import physics_checks
from nas_fpga.data.jets._run import Plan, done_jets, generate_jets, parts_folder
from nas_fpga.data.jets._sample import Jets, join, read_jets
from nas_fpga.data.jets._table import JETS_SEED, load_jets, write_table

__all__ = [
    "CLASS_NAMES",
    "FEATURES",
    "JETS_SEED",
    "JET_CLASSES",
    "NOTICE",
    "SELECTION",
    "Correlators",
    "Feature",
    "JetClass",
    "Jets",
    "Plan",
    "correlators",
    "done_jets",
    "generate_jets",
    "join",
    "load_jets",
    "parts_folder",
    "physics_checks",
    "read_jets",
    "write_table",
]
