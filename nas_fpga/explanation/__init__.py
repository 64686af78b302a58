"""Explanations: what mattered among trained candidates, how far that is known, and what goes with what."""

from nas_fpga.explanation._descriptors import Descriptor, describe
from nas_fpga.explanation._explain import (
    FEWEST,
    Dependence,
    Explanation,
    Importance,
    Quality,
    explain,
    rank_correlations,
)
from nas_fpga.explanation._findings import Findings, cells, explain_candidates, explain_study, notes
from nas_fpga.explanation._resamples import Measured
from nas_fpga.explanation._words import PARTS, RANKS, quality

__all__ = [
    "FEWEST",
    "PARTS",
    "RANKS",
    "Dependence",
    "Descriptor",
    "Explanation",
    "Findings",
    "Importance",
    "Measured",
    "Quality",
    "cells",
    "describe",
    "explain",
    "explain_candidates",
    "explain_study",
    "notes",
    "quality",
    "rank_correlations",
]
