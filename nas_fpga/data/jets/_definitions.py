"""What the `jets` data set is: its classes, how they are produced, the selection, and the features."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JetClass:
    """One class of jets.

    Attributes:
        name: As printed.
        processes: Settings of Pythia that switch on the hard processes.
        hard_ids: Absolute PDG numbers of the outgoing particle of the hard process that a jet is matched to.
        decays: Whether that particle decays; its decay quarks must then lie inside the jet.
    """

    name: str
    processes: tuple[str, ...]
    hard_ids: tuple[int, ...]
    decays: bool


JET_CLASSES = (
    JetClass("gluon", ("HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"), (21,), decays=False),
    JetClass(
        "quark", ("HardQCD:qq2qq = on", "HardQCD:gg2qqbar = on", "HardQCD:qqbar2qqbarNew = on"), (1, 2, 3), decays=False
    ),
    JetClass("W", ("WeakDoubleBoson:ffbar2WW = on",), (24,), decays=True),
    JetClass("Z", ("WeakDoubleBoson:ffbar2gmZgmZ = on",), (23,), decays=True),
    JetClass("top", ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on"), (6,), decays=True),
)
"""The classes in the order of their labels."""
CLASS_NAMES = tuple(jet_class.name for jet_class in JET_CLASSES)

PYTHIA_SETTINGS = (
    "Beams:eCM = 13000.",
    # The hard process has a transverse momentum of 1 TeV within 1 %, as in arXiv:1804.06913.
    "PhaseSpace:pTHatMin = 990.",
    "PhaseSpace:pTHatMax = 1010.",
    "WeakZ0:gmZmode = 2",  # the Z alone, without the photon
    "23:onMode = off",
    "23:onIfAny = 1 2 3 4 5",
    "24:onMode = off",
    "24:onIfAny = 1 2 3 4 5",
)
"""Settings of all classes. The rest is Pythia's default: the Monash tune (arXiv:1404.5630), with showers from the
initial and the final state, multiple interactions and hadronisation; there is no pile-up."""


@dataclass(frozen=True)
class Selection:
    """Which jets are taken, and how they are groomed.

    Attributes:
        radius: Of the anti-kT algorithm (arXiv:0802.1189), as in arXiv:1804.06913.
        pt_range_gev: Transverse momentum of a jet, as in arXiv:1709.08705.
        max_abs_eta: The edge of a tracker like those of ATLAS and CMS; own choice.
        max_match_distance: Largest Delta R of the jet from the hard particle (its last copy); own choice.
        max_decay_distance: Largest Delta R of the jet from each decay quark: the jet's radius; own choice.
        z_cut: Of the modified mass drop: the smaller share of p_T in a splitting that is kept (arXiv:1307.0007).
    """

    radius: float = 0.8
    pt_range_gev: tuple[float, float] = (800.0, 1600.0)
    max_abs_eta: float = 2.5
    max_match_distance: float = 0.4
    max_decay_distance: float = 0.8
    z_cut: float = 0.1


SELECTION = Selection()


@dataclass(frozen=True)
class Feature:
    """One input of the networks.

    Attributes:
        name: As in the data sets whose features these are.
        unit: Its unit, empty for pure numbers.
        formula: In terms of the correlators of :mod:`nas_fpga.data.jets._correlators`.
        source: Where the formula is from.
    """

    name: str
    unit: str
    formula: str
    source: str


FEATURES = (
    Feature("zlogz", "", "sum x ln x over the constituents before grooming, x = E / sum E", "arXiv:1804.06913"),
    Feature("c1_b0_mmdt", "", "C1 = e2, beta 0", "arXiv:1305.0007"),
    Feature("c1_b1_mmdt", "", "C1 = e2, beta 1", "arXiv:1305.0007"),
    Feature("c1_b2_mmdt", "", "C1 = e2, beta 2", "arXiv:1305.0007"),
    Feature("c2_b1_mmdt", "", "C2 = e3 / e2^2, beta 1", "arXiv:1305.0007"),
    Feature("c2_b2_mmdt", "", "C2 = e3 / e2^2, beta 2", "arXiv:1305.0007"),
    Feature("d2_b1_mmdt", "", "D2 = e3 / e2^3, beta 1", "arXiv:1409.6298"),
    Feature("d2_b2_mmdt", "", "D2 = e3 / e2^3, beta 2", "arXiv:1409.6298"),
    Feature("d2_a1_b1_mmdt", "", "D2 = e3(1) / e2(1)^3, the same as d2_b1_mmdt", "arXiv:1409.6298"),
    Feature("d2_a1_b2_mmdt", "", "D2 = e3(1) / e2(2)^(3/2)", "arXiv:1409.6298"),
    Feature("m2_b1_mmdt", "", "M2 = 1e3 / e2, beta 1", "arXiv:1609.07483"),
    Feature("m2_b2_mmdt", "", "M2 = 1e3 / e2, beta 2", "arXiv:1609.07483"),
    Feature("n2_b1_mmdt", "", "N2 = 2e3 / e2^2, beta 1", "arXiv:1609.07483"),
    Feature("n2_b2_mmdt", "", "N2 = 2e3 / e2^2, beta 2", "arXiv:1609.07483"),
    Feature("mass_mmdt", "GeV", "invariant mass of the groomed jet", "arXiv:1307.0007"),
    Feature("multiplicity", "", "constituents before grooming", "arXiv:1804.06913"),
)
"""The features in their order: `mmdt` marks those of the groomed jet."""
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)

NOTICE = "made with Pythia 8 and FastJet; neither the OpenML nor the CERNBox set: never compare accuracies across them"
"""Said wherever the data set is named."""
