"""Published data sets that a user has downloaded, each read as what it is and refused as anything else."""

from __future__ import annotations

from nas_fpga.data._dataset import Dataset
from nas_fpga.data.variants._beam_test import load_beam_test, read_events
from nas_fpga.data.variants._jets import load_cernbox_jets, load_openml_jets
from nas_fpga.data.variants._recognise import is_beam_test, recognise
from nas_fpga.data.variants._variant import (
    CERNBOX_JETS,
    HGCAL_BEAM_TEST,
    OPENML_JETS,
    VARIANTS,
    Variant,
    files_of,
    variant_of,
    with_absolute_files,
)

__all__ = [
    "CERNBOX_JETS",
    "HGCAL_BEAM_TEST",
    "OPENML_JETS",
    "VARIANTS",
    "Variant",
    "is_beam_test",
    "load_beam_test",
    "load_cernbox_jets",
    "load_openml_jets",
    "load_variant",
    "read_events",
    "recognise",
    "variant_of",
    "with_absolute_files",
]


def load_variant(data: str) -> Dataset:
    """Read a published data set.

    Args:
        data: `NAME:FILE`, or `NAME:FILE,FILE` where it has two; names are those of :data:`VARIANTS`.

    Raises:
        InputError: A file is missing or is not what the name says.
    """
    files = files_of(data)
    if variant_of(data) is HGCAL_BEAM_TEST:
        return load_beam_test(*files)
    return load_openml_jets(files[0]) if variant_of(data) is OPENML_JETS else load_cernbox_jets(files[0])
