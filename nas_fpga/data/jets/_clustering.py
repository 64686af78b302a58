"""Jets and grooming with FastJet (arXiv:1111.6097), which is imported here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import fastjet
import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.jets._definitions import SELECTION
from nas_fpga.data.jets._kinematics import Floats

ANTI_KT = fastjet.JetDefinition(fastjet.antikt_algorithm, SELECTION.radius)
CAMBRIDGE_AACHEN = fastjet.JetDefinition(fastjet.cambridge_algorithm, fastjet.JetDefinition.max_allowable_R)


@dataclass(frozen=True, eq=False)
class Jet:
    """One jet.

    Attributes:
        p: `(4,)` its four-momentum.
        pt_gev: Its transverse momentum, as FastJet has it.
        constituents: Rows of the objects that make it up.
    """

    p: Floats
    pt_gev: float
    constituents: NDArray[np.int64]


def find_jets(p: Floats) -> list[Jet]:
    """Return the jets of objects `(n, 4)` that pass the selection."""
    low, high = SELECTION.pt_range_gev
    sequence = _cluster(p, ANTI_KT)
    return [
        Jet(np.array([jet.px(), jet.py(), jet.pz(), jet.e()]), jet.pt(), _rows(jet))
        for jet in sequence.inclusive_jets(low)
        if jet.pt() < high and abs(jet.eta()) < SELECTION.max_abs_eta
    ]


def mmdt(p: Floats, z_cut: float = SELECTION.z_cut) -> NDArray[np.int64]:
    """Return the rows of a jet's constituents `(n, 4)` that are left by the modified mass drop.

    Steps of Cambridge/Aachen are undone and the softer branch is dropped until both carry more than ``z_cut`` of the
    sum of their p_T (arXiv:1307.0007; the same as soft drop with beta = 0, arXiv:1402.2657).
    """
    sequence = _cluster(p, CAMBRIDGE_AACHEN)  # kept: branches are looked up in it
    jet = max(sequence.inclusive_jets(), key=lambda jet: jet.pt2())
    first, second = fastjet.PseudoJet(), fastjet.PseudoJet()
    while jet.has_parents(first, second) and min(first.pt(), second.pt()) <= z_cut * (first.pt() + second.pt()):
        jet = fastjet.PseudoJet(first if first.pt2() > second.pt2() else second)
    return _rows(jet)


def _cluster(p: Floats, definition: fastjet.JetDefinition) -> fastjet.ClusterSequence:
    objects = [fastjet.PseudoJet(*row) for row in p.tolist()]
    for row, item in enumerate(objects):
        item.set_user_index(row)
    return fastjet.ClusterSequence(objects, definition)


def _rows(jet: fastjet.PseudoJet) -> NDArray[np.int64]:
    return np.array([item.user_index() for item in jet.constituents()], np.int64)
