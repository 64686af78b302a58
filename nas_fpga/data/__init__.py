"""Data sets: the `Dataset` value, its readers and splits, and the format in which features enter the design."""

from nas_fpga.data._against_rest import against_rest
from nas_fpga.data._dataset import SUBSETS, Dataset, Split, Subset
from nas_fpga.data._input_format import InputFormat, fit_input_format
from nas_fpga.data._inspect import Inspection, inspect_file
from nas_fpga.data._readers import read_dataset
from nas_fpga.data._saved import load_dataset, save_dataset
from nas_fpga.data._split import split
from nas_fpga.data._tables import file_and_object
from nas_fpga.data.hgcal import derive_hgcal, load_hgcal
from nas_fpga.data.jets import load_jets
from nas_fpga.data.variants import load_variant

__all__ = [
    "SUBSETS",
    "Dataset",
    "InputFormat",
    "Inspection",
    "Split",
    "Subset",
    "against_rest",
    "derive_hgcal",
    "file_and_object",
    "fit_input_format",
    "inspect_file",
    "load_dataset",
    "load_hgcal",
    "load_jets",
    "load_variant",
    "read_dataset",
    "save_dataset",
    "split",
]
