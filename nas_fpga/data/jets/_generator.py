"""From Pythia's events (arXiv:2203.11601) to labelled jets. Imports Pythia and FastJet, which are an extra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pythia8mc
from numpy.typing import NDArray

from nas_fpga.data.jets._clustering import Jet, find_jets, mmdt
from nas_fpga.data.jets._correlators import correlators
from nas_fpga.data.jets._definitions import FEATURES, JET_CLASSES, PYTHIA_SETTINGS, SELECTION, JetClass
from nas_fpga.data.jets._detector import detect
from nas_fpga.data.jets._kinematics import Floats, delta_r, mass_squared, pt_y_phi
from nas_fpga.data.jets._sample import Jets
from nas_fpga.errors import NasFpgaError

EVENTS_OF_STREAM, EVENTS_OF_CLASS = 100_000, 20_000
"""Numbers of events are unique: each stream has so many, and each class of it."""
_BATCH = 20  # events that Pythia makes at a time
_AFTER_BEAMS = 3  # mother of the outgoing particles of the hard process, in Pythia's event record
_HARD = (-22, -23)  # status codes of these
_W = 24


@dataclass(frozen=True, eq=False)
class Event:
    """An event record: one entry for each particle, in Pythia's numbering.

    Attributes:
        pdg: `(n,)` PDG numbers.
        status: `(n,)` status codes; positive is stable.
        mother: `(n,)` first mother.
        daughters: `(n, 2)` first and last daughter.
        p: `(n, 4)` four-momenta.
    """

    pdg: NDArray[np.int64]
    status: NDArray[np.int64]
    mother: NDArray[np.int64]
    daughters: NDArray[np.int64]
    p: Floats

    @classmethod
    def of(cls, record: Any) -> Event:
        """Read one event of a batch."""
        columns = (record[name].to_numpy() for name in ("id", "status", "mother1", "daughter1", "daughter2"))
        pdg, status, mother, first, last = columns
        p = np.stack([record.p[name].to_numpy() for name in ("px", "py", "pz", "e")], axis=1)
        return cls(pdg, status, mother, np.stack([first, last], axis=1), p)

    def decay(self, particle: int) -> tuple[int, NDArray[np.int64]]:
        """Return the last copy of a particle, before it decays, and what it decays into."""
        while True:
            first, last = self.daughters[particle]
            children = np.arange(first, max(first, last) + 1)
            copies = children[self.pdg[children] == self.pdg[particle]]
            if not len(copies):
                return particle, children
            particle = int(copies[0])

    def decay_quarks(self, particle: int) -> list[int]:
        """Return the products of a decay; a W among them is replaced by its own."""
        children = self.decay(particle)[1].tolist()
        return [quark for child in children for quark in self._without_w(child)]

    def _without_w(self, child: int) -> list[int]:
        return self.decay_quarks(child) if abs(self.pdg[child]) == _W else [child]


def generate(stream: int, label: int, n: int) -> Jets:
    """Return ``n`` jets of one class: a function of the arguments, and a prefix of what a larger ``n`` gives.

    Args:
        stream: Number of the random stream.
        label: Index of the class.
        n: How many jets.

    Raises:
        NasFpgaError: Too few of the stream's events have a jet.
    """
    jet_class = JET_CLASSES[label]
    rng = np.random.default_rng((stream, label))
    features: list[Floats] = []
    pt_gev: list[float] = []
    events: list[int] = []
    first = stream * EVENTS_OF_STREAM + label * EVENTS_OF_CLASS
    for number, event in enumerate(_pythia_events(jet_class, 10 * stream + label), first):
        if number == first + EVENTS_OF_CLASS:
            raise NasFpgaError(f"only {len(events):,} {jet_class.name} jets in {EVENTS_OF_CLASS:,} events")
        for jet, constituents in select(event, jet_class, rng):
            features.append(compute_features(constituents))
            pt_gev.append(jet.pt_gev)
            events.append(number)
        if len(events) >= n:
            break
    return Jets(
        features=np.array(features[:n], np.float32),
        labels=np.full(n, label, np.uint8),
        pt_gev=np.array(pt_gev[:n], np.float32),
        events=np.array(events[:n], np.int64),
    )


def select(event: Event, jet_class: JetClass, rng: np.random.Generator) -> Iterator[tuple[Jet, Floats]]:
    """Yield the jets that match a hard particle of the class, with the four-momenta `(m, 4)` of their constituents."""
    stable = event.status > 0
    objects = detect(event.pdg[stable], event.p[stable], rng)
    jets = find_jets(objects)
    hard = (event.mother == _AFTER_BEAMS) & np.isin(event.status, _HARD)
    for particle in np.flatnonzero(hard & np.isin(np.abs(event.pdg), jet_class.hard_ids)):
        target, quarks = int(particle), []
        if jet_class.decays:
            target, quarks = event.decay(target)[0], event.decay_quarks(target)
        for jet in jets:
            matched = delta_r(jet.p, event.p[target]) < SELECTION.max_match_distance
            if matched and np.all(delta_r(jet.p, event.p[quarks]) < SELECTION.max_decay_distance):
                yield jet, objects[jet.constituents]


def compute_features(constituents: Floats) -> Floats:
    """Return the features of a jet from the four-momenta of its constituents `(n, 4)`, in the order of the list."""
    energy = constituents[:, 3] / constituents[:, 3].sum()
    groomed = constituents[mmdt(constituents)]
    shapes = correlators(*pt_y_phi(groomed)).shapes()
    mass_gev = np.sqrt(mass_squared(groomed.sum(axis=0)))
    features = np.array([np.sum(energy * np.log(energy)), *shapes, mass_gev, len(constituents)])
    assert len(features) == len(FEATURES)
    return features


def _pythia_events(jet_class: JetClass, seed: int) -> Iterator[Event]:
    """Yield events without end."""
    pythia = pythia8mc.Pythia("", False)
    own = ("Print:quiet = on", "Random:setSeed = on", f"Random:seed = {seed}")
    for setting in (*own, *PYTHIA_SETTINGS, *jet_class.processes):
        if not pythia.readString(setting):
            raise NasFpgaError(f"Pythia {pythia8mc.__version__} does not know the setting '{setting}'")
    if not pythia.init():
        raise NasFpgaError(f"Pythia could not start with {jet_class.name} jets, seed {seed}")
    while True:
        for record in pythia.nextBatch(_BATCH).prt:
            yield Event.of(record)
