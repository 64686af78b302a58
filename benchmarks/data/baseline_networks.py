"""What float networks of 2 to 512 neurons reach on every data set: ``python -m benchmarks.data.baseline_networks``.

Writes ``benchmarks/data/baseline_networks.csv``, a row for each data set, feature set, topology and seed, as soon as it
is trained, so that an interrupted run continues (delete the file to start over), and ``baseline_networks.json``, where
they come from. About a quarter of an hour on one core.

Topologies are one hidden layer of n neurons and, from n = 4 on, two equal layers of n / 2. All are trained alike in
Keras on JAX: ReLU, raw logits, He-normal kernels, cross entropy with balanced classes, Adam with half a cosine, stopped
early on the loss of validation, whose best weights are kept. Inputs are standardised on the training rows; those of
``hgcal`` are log(1 + sum / 10 MIP) before. A working point is set on validation and applied to test; intervals (95 %)
are those of ``benchmarks/data/baselines.py``, of the same resamples.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._provenance import provenance
from benchmarks.data._tasks import TASKS, Judge, Task, balanced, transformations
from nas_fpga.data import Dataset, Split
from nas_fpga.errors import InputError

OUT = Path(__file__).with_name("baseline_networks.csv")
SUMMARY = OUT.with_suffix(".json")

NEURONS = tuple(2**k for k in range(1, 10))
SEEDS = (1, 2, 3)
LEARNING_RATE = 5e-3
EPOCHS = 100
PATIENCE = 20
MAX_BATCH = 512
STEPS_PER_EPOCH = 40  # at least: small data sets get smaller batches
TRANSFORMATION = "log(1 + MIP/10)"

Topology = tuple[int, ...]
Matrix = NDArray[np.float32]


def topologies(neurons: int) -> tuple[Topology, ...]:
    """Return one layer of so many neurons and, where they suffice for two neurons each, two equal ones."""
    return ((neurons,), (neurons // 2, neurons // 2)) if neurons >= 4 else ((neurons,),)


def plan() -> Iterator[tuple[Task, Topology]]:
    """Yield every data set with every topology, in the order of the table."""
    for task in TASKS:
        for neurons in NEURONS:
            for topology in topologies(neurons):
                yield task, topology


@dataclass(frozen=True)
class Row:
    """A trained network, and its figure of merit: pion efficiency at 95 % electron efficiency, or accuracy.

    Attributes:
        data: Name of the task.
        features: Its features.
        topology: Widths of the hidden layers, as `8-8`.
        neurons: Their sum.
        seed: Of the initial weights and the order of rows.
        weights: Number of weights and biases.
        epochs: Trained, those after the best one included.
        validation: Figure of merit on validation.
        test: The same on test.
        low: Lower end of its 95 % interval.
        high: Upper end.
        seconds: Wall time.
    """

    data: str
    features: str
    topology: str
    neurons: int
    seed: int
    weights: int
    epochs: int
    validation: float
    test: float
    low: float
    high: float
    seconds: float

    @classmethod
    def parse(cls, line: dict[str, str]) -> Row:
        """Return a row of the file."""
        kinds: dict[str, type[Any]] = {"int": int, "float": float, "str": str}
        return cls(**{field.name: kinds[str(field.type)](line[field.name]) for field in fields(cls)})

    @property
    def layers(self) -> int:
        """Number of hidden layers."""
        return self.topology.count("-") + 1


def read_rows(path: Path = OUT) -> list[Row]:
    """Return the rows of the file, none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [Row.parse(line) for line in csv.DictReader(file)]


def complete_rows(path: Path = OUT) -> list[Row]:
    """Return the rows of the file.

    Raises:
        InputError: A network of the plan is missing.
    """
    rows = read_rows(path)
    there = {(row.data, row.features, row.topology, row.seed) for row in rows}
    for task, topology in plan():
        for seed in SEEDS:
            if (task.name, task.features, name_of(topology), seed) not in there:
                network = f"{task.name} ({task.features}), {name_of(topology)}, seed {seed}"
                raise InputError(f"{path} has no {network}; run python -m benchmarks.data.baseline_networks to the end")
    return rows


def append_row(row: Row, path: Path) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(field.name for field in fields(Row))
        writer.writerow(f"{value:.5g}" if isinstance(value, float) else value for value in astuple(row))


def name_of(topology: Topology) -> str:
    return "-".join(map(str, topology))


@dataclass(frozen=True, eq=False)
class Part:
    """One subset as networks see it.

    Attributes:
        inputs: `(n, d)`, standardised on the training rows.
        labels: `(n,)`.
        weights: `(n,)`, of mean 1, every class of the same total.
    """

    inputs: Matrix
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]


def standardised(data: Dataset, rows: Split) -> Matrix:
    """Return the inputs of all rows, of mean 0 and spread 1 in training."""
    values = dict(transformations(data))
    features = values[TRANSFORMATION] if data.name == "hgcal" else next(iter(values.values()))
    spread = features[rows.train].std(axis=0)
    # A feature that happens to be constant in training stays constant.
    return ((features - features[rows.train].mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)


def part(data: Dataset, inputs: Matrix, rows: NDArray[np.int64]) -> Part:
    return Part(inputs[rows], data.labels[rows], balanced(data, rows)[rows].astype(np.float32))


@dataclass(frozen=True, eq=False)
class Trained:
    """Logits `(n, n_outputs)` of all rows from the best weights, and what it took."""

    logits: Matrix
    weights: int
    epochs: int
    seconds: float


def train(
    data: Dataset, rows: Split, topology: Topology, seeds: Sequence[int], learning_rate: float = LEARNING_RATE
) -> Iterator[tuple[int, Trained]]:
    """Yield seed by seed the trained network of a topology: one compiled program for all of them."""
    import jax
    import keras

    from benchmarks.data._epochs import Epochs

    inputs = standardised(data, rows)
    training, validation = (part(data, inputs, subset) for subset in (rows.train, rows.validation))
    hidden = [keras.layers.Dense(width, activation="relu") for width in topology]
    model = keras.Sequential([keras.Input(inputs.shape[1:]), *hidden, keras.layers.Dense(data.n_outputs)])
    n = len(training.labels)
    batch_size = int(min(MAX_BATCH, 2 ** int(np.log2(max(n / STEPS_PER_EPOCH, 1)))))
    epochs = Epochs(model, training.inputs, training.labels, training.weights, batch_size)
    for seed in seeds:
        started = time.perf_counter()
        initial, order = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
        for layer in model.layers:
            n_in, n_out = layer.kernel.shape
            layer.kernel.assign(initial.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in))
            layer.bias.assign(np.zeros(n_out))
        for variable in epochs.optimizer.variables:
            variable.assign(np.zeros(variable.shape))
        best_loss, best_epoch, best = np.inf, 0, model.get_weights()
        for epoch in range(EPOCHS):
            epochs.train(order.permutation(n), learning_rate * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS)))
            loss = cross_entropy(model.predict_on_batch(validation.inputs), validation)
            if loss < best_loss:
                best_loss, best_epoch, best = loss, epoch, model.get_weights()
            elif epoch - best_epoch >= PATIENCE:
                break
        model.set_weights(best)
        logits = model.predict_on_batch(inputs)
        yield seed, Trained(logits, model.count_params(), epoch + 1, time.perf_counter() - started)
    keras.backend.clear_session()
    jax.clear_caches()  # a program of some MB for every topology


def cross_entropy(logits: Matrix, part: Part) -> float:
    """Return the weighted mean cross entropy of raw logits; one logit is that of the signal."""
    both = np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits
    losses = np.logaddexp.reduce(both, axis=1) - both[np.arange(len(both)), part.labels]
    return float(np.mean(losses * part.weights))


def measure(judge: Judge, logits: Matrix) -> dict[str, float]:
    """Return the figure of merit on validation and test, and the 95 % interval on test."""
    binary = judge.data.n_classes == 2
    scores = logits[:, 0] if binary else logits
    validation, test = (merits.error for merits in judge.merits(scores))
    low, high = judge.interval(scores)
    if not binary:
        validation, test, low, high = 1 - validation, 1 - test, 1 - high, 1 - low
    return {"validation": validation, "test": test, "low": low, "high": high}


def run(path: Path) -> None:
    """Train what is missing, a data set after the other."""
    there = {(row.data, row.features, row.topology, row.seed) for row in read_rows(path)}
    loaded: tuple[Task, Judge] | None = None
    for task, topology in plan():
        name = name_of(topology)
        missing = [seed for seed in SEEDS if (task.name, task.features, name, seed) not in there]
        if not missing:
            continue
        if loaded is None or loaded[0] != task:
            loaded = task, Judge.of(task.load())
        judge = loaded[1]
        for seed, trained in train(judge.data, judge.rows, topology, missing):
            figures = measure(judge, trained.logits)
            row = Row(
                *(task.name, task.features, name, sum(topology), seed, trained.weights, trained.epochs),
                **figures,
                seconds=trained.seconds,
            )
            append_row(row, path)
            took = f"{row.epochs} epochs, {row.seconds:.1f} s"
            print(f"{task.name} {task.features} {name} seed {seed}: {row.test:.4f}, {took}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "jax")
    origin = provenance()  # before the table changes
    run(OUT)
    rows = complete_rows()
    settings = {
        "learning_rate": LEARNING_RATE,
        "epochs": EPOCHS,
        "patience": PATIENCE,
        "max_batch": MAX_BATCH,
        "steps_per_epoch": STEPS_PER_EPOCH,
    }
    cost = {"cores": len(os.sched_getaffinity(0)), "wall_s": round(sum(row.seconds for row in rows))}
    summary = origin | {"settings": settings, "networks": len(rows)} | cost
    SUMMARY.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
