"""A search without training: networks drawn from the seed of their trial, returned in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.data import Dataset
from nas_fpga.space import BitWidths, LearnedBits
from nas_fpga.study import DataSource, Progress, SearchDefinition, Setup, TrialRecord
from nas_fpga.training import (
    LearningCurve,
    QuantizedLayer,
    QuantizedNetwork,
    TrainingFailure,
    TrainingJob,
    TrainingResult,
)


def make_setup(**definition: object) -> Setup:
    """Two classes that two of three features tell apart."""
    rng = np.random.default_rng(3)
    n = 240
    labels = np.arange(n) % 2
    dataset = Dataset(
        name="toy",
        features=(rng.normal(size=(n, 3)) + labels[:, None] * [2, -2, 0]).astype(np.float32),
        labels=labels.astype(np.int64),
        class_names=("background", "signal"),
        feature_names=("a", "b", "c"),
        feature_units=("", "", ""),
        weights=np.ones(n),
        groups=np.arange(n),
        counted=np.ones(n, np.bool_),
    )
    values = {"data": DataSource("toy.csv", "label"), "budget": 40, "max_layers": 4, "sampler": "random"}
    values |= {"polish": 0.0} | definition
    return Setup(SearchDefinition(**values), dataset)  # type: ignore[arg-type]


def write_events(path: Path) -> Path:
    """Write 100 events of twelve background objects; a signal is in 17 of them, but in none is it the most."""
    labels = [label for event in range(100) for label in [0] * 12 + [1] * (event % 6 == 0)]
    events = [event for event in range(100) for _ in range(12 + (event % 6 == 0))]
    features = np.random.default_rng(0).normal(size=(len(labels), 3)) + 2 * np.array(labels)[:, None]
    rows = [(*row, label, event) for row, label, event in zip(features, labels, events, strict=True)]
    path.write_text("\n".join(["a,b,c,label,event", *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def network_of(setup: Setup, job: TrainingJob) -> QuantizedNetwork:
    """Return a network with small integer weights that its seed determines, half of them 0 where bits are learned."""
    rng = np.random.default_rng(job.seed)
    shapes, bits = job.candidate.layer_shapes(3, 1), job.candidate.bits
    layers = []
    for i, (n_in, n_out) in enumerate(shapes):
        hidden = i < len(shapes) - 1
        weights = rng.integers(-2, 2, size=(n_in, n_out)).astype(np.int32)
        if isinstance(bits, LearnedBits):
            weights *= rng.integers(2, size=weights.shape).astype(np.int32)
        activation_bits = np.full(n_out, bits.activations if isinstance(bits, BitWidths) else 3) if hidden else None
        fraction_bits = np.zeros(n_out, np.int64) if hidden else None
        layers.append(QuantizedLayer(weights, 1, np.zeros(n_out, np.int64), 2, activation_bits, fraction_bits))
    return QuantizedNetwork(job.candidate, setup.input_format, tuple(layers))


class ScriptedWorkers:
    """Stands where `LocalWorkers` does; `pick` says which of the jobs in hand ends next.

    Attributes:
        most_pending: Most jobs that were in hand at once.
    """

    def __init__(self, setup: Setup, n: int, pick: Callable[[int], int], failing: Sequence[int] = ()) -> None:
        self._setup, self._n, self._pick, self._failing = setup, n, pick, failing
        self._packs: list[list[TrainingJob]] = []
        self.most_pending = 0
        self.stop_after: int | None = None
        self._n_ended = 0

    @property
    def n_idle(self) -> int:
        return self._n - len(self._packs)

    @property
    def n_busy(self) -> int:
        return len(self._packs)

    def submit(self, pack: Sequence[TrainingJob]) -> None:
        assert self.n_idle > 0
        self._packs.append(list(pack))
        self.most_pending = max(self.most_pending, sum(map(len, self._packs)))

    def results(self, timeout_s: float) -> Iterator[TrainingResult | TrainingFailure]:
        if self.stop_after == self._n_ended:
            raise KeyboardInterrupt
        job = self._packs[chosen := self._pick(len(self._packs))].pop(0)
        self._packs = [pack for place, pack in enumerate(self._packs) if place != chosen or pack]
        self._n_ended += 1
        if job.number in self._failing:
            yield TrainingFailure(job, "it was to fail", 0.5)
        else:
            learned = isinstance(job.candidate.bits, LearnedBits)
            networks = tuple(
                network_of(self._setup, replace(job, seed=job.seed + k)) for k in range(3 if learned else 1)
            )
            yield TrainingResult(job, networks, LearningCurve((0.9, 0.8), (0.7, 0.6), 1), 1.5)


class Silent:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.updates: list[tuple[Progress, TrialRecord | None]] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        self.updates.append((progress, ended))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "study"
