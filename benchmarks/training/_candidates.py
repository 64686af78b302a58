"""The candidates that are trained, and which of them slow peers train.

``python -m benchmarks.training._candidates runs/hgcal-2000-1`` writes ``generations.csv`` of a finished study.
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from nas_fpga.space import BitWidths, Candidate, TrainingSettings, parse_candidate
from nas_fpga.study import StudyStorage

GENERATIONS = Path(__file__).with_name("generations.csv")
DEPTHS = 5
BITS = (2, 8)
SEED = 1

_T = TypeVar("_T")


@dataclass(frozen=True)
class CandidateSet:
    """Candidates that a study trains in this order.

    Attributes:
        name: In tables.
        candidates: By number.
        budget: Most neurons of any.
        generation: So many are proposed together.
    """

    name: str
    candidates: tuple[Candidate, ...]
    budget: int
    generation: int

    def chunks(self, n: int) -> list[list[int]]:
        """Return the numbers in ``n`` parts of consecutive ones, no generation of which is torn apart."""
        n_generations = -(-len(self.candidates) // self.generation)
        ends = [min(k * n_generations // n * self.generation, len(self.candidates)) for k in range(n + 1)]
        return [list(range(first, end)) for first, end in itertools.pairwise(ends) if first < end]

    def short(self, settings: TrainingSettings, n: int | None = None) -> CandidateSet:
        """Return the first ``n`` candidates with other training settings."""
        return replace(self, candidates=tuple(replace(of, settings=settings) for of in self.candidates[:n]))


def random_candidates(n: int, most_neurons: int, seed: int = SEED) -> tuple[Candidate, ...]:
    """Return candidates of 1 to 5 layers by turns, of random total, widths and bits.

    Totals are uniform from two neurons a layer to the most; widths are the pieces between uniform random cuts.
    """
    rng = np.random.default_rng([seed, most_neurons])
    candidates: list[Candidate] = []
    while len(candidates) < n:
        depth = len(candidates) % DEPTHS + 1
        total = int(rng.integers(2 * depth, most_neurons + 1))
        cuts = np.sort(rng.choice(np.arange(1, total), depth - 1, replace=False))
        widths = np.diff(np.concatenate([[0], cuts, [total]])).tolist()
        weights, activations = (int(bits) for bits in rng.integers(BITS[0], BITS[1] + 1, 2))
        candidate = Candidate(tuple(widths), BitWidths(weights, activations))
        if candidate not in candidates:
            candidates.append(candidate)
    return tuple(candidates)


def read_generations(path: Path = GENERATIONS) -> tuple[Candidate, ...]:
    """Return the candidates of a study, in order of their numbers."""
    with path.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["number"]))
    return tuple(parse_candidate(row["candidate"], BitWidths(6, 6)) for row in rows)


def write_generations(study: Path, path: Path = GENERATIONS) -> None:
    """Write the candidates of a study, with the generation each came in."""
    with StudyStorage(study) as storage:
        storage.open(write=False)
        trials = storage.trials()
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["number", "generation", "candidate"])
        writer.writerows((trial.number, trial.generation, str(trial.candidate)) for trial in trials)


def candidate_set(name: str) -> CandidateSet:
    """Return ``100`` or ``400`` (200 candidates of at most so many neurons), or ``generations`` of the main job."""
    if name == "generations":
        return CandidateSet(name, read_generations(), 2000, 4)
    return CandidateSet(name, random_candidates(200, int(name)), int(name), 40)


def stratified(candidates: Sequence[Candidate], n: int, n_inputs: int, n_outputs: int) -> list[int]:
    """Return the places of ``n`` candidates: every so-manieth in order of depth, then of multiplications."""
    order = sorted(
        range(len(candidates)), key=lambda i: (candidates[i].n_layers, candidates[i].n_macs(n_inputs, n_outputs), i)
    )
    return [order[int((k + 0.5) * len(order) / n)] for k in range(min(n, len(order)))]


def dealt(values: Sequence[_T], n: int) -> list[list[_T]]:
    """Return values in ``n`` hands, dealt by turns."""
    return [list(values[k::n]) for k in range(n)]


if __name__ == "__main__":
    write_generations(Path(sys.argv[1]))
