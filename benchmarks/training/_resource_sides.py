"""The sides of precision against resources, each in a process whose CPU time is limited from outside."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.data._tasks import load_digits
from benchmarks.training._machine import read_json, write_json
from benchmarks.training._ours import FIXED_BITS_ONLY
from benchmarks.training._points import Point, point_of_model, point_of_network, spread_front
from nas_fpga.data import Dataset, load_hgcal, load_jets
from nas_fpga.space import Candidate, LearnedBits, TrainingSettings, parse_candidate
from nas_fpga.study import (
    SearchDefinition,
    SearchInterruptedError,
    Setup,
    StudyStorage,
    read_outcome,
    summarise,
)

DATA: dict[str, Callable[[], Dataset]] = {"hgcal": load_hgcal, "jets": load_jets, "digits": load_digits}
TOPOLOGIES = ("32-16", "64-32-32", "128-64-64")
PRESSURES = (5e-7, 1e-3)  # first and last of the sweep: of those that HGQ's authors sweep for jets
POINTS = 12  # of a front that are costed
MOST_LUTS = 50_000  # by estimate: da4ml needs minutes for a network above
MOST_EBOPS = 62_500  # the same, at .8 LUTs each

_BY_STUDY_OF_A_FILE = ("digits",)  # what is no name that a search knows
_CHECKPOINT = "epoch={epoch}.weights.h5"


def run(specification: str) -> None:
    """Do what a file asks for, in the process that is measured."""
    given = read_json(Path(specification))
    (train_hgq if given["side"] == "hgq" else search)(given)


# -- our search ----------------------------------------------------------------------------------------------------


def search(given: dict[str, Any]) -> None:
    """Search as a user of Python does, until the last trial or the interrupt."""
    import nas_fpga

    data = load_digits() if given["data"] in _BY_STUDY_OF_A_FILE else given["data"]
    options = dict(given["options"]) | (FIXED_BITS_ONLY if given["side"] == "uniform" else {})
    folder = Path(given["folder"])
    try:
        nas_fpga.search(data, name="study", runs=folder, seed=given["seed"], progress=False, **options)
    except SearchInterruptedError:
        print("interrupted", end=" ", flush=True)


def points_of_search(folder: Path, *, polished: bool = True) -> list[Point]:
    """Return the points of the networks on a study's front.

    Args:
        folder: Holds the study.
        polished: False for the front that the trials alone have: that of a search without polish, which has the same
            trials.
    """
    outcome = read_outcome(folder / "study")
    with StudyStorage(folder / "study") as storage:
        storage.open(write=False)
        if not polished:
            trials = [replace(trial, polished=None) for trial in outcome.trials]
            outcome = summarise(outcome.setup, storage, trials)
        networks = {(row.trial.number, row.point.network): row for row in outcome.front}
        rows = [row for row in networks.values() if row.point.mapped.figures.total("lut") <= MOST_LUTS]
        chosen = spread_front([row.point.error for row in rows], [row.share for row in rows], POINTS)
        points = []
        for k in chosen:
            network = storage.load_network(rows[k].trial, rows[k].point.network)
            name = rows[k].trial.name_of(rows[k].point)
            points.append(point_of_network(outcome.setup, network, network=name))
    return points


# -- HGQ2 alone ----------------------------------------------------------------------------------------------------


def setup_of(data: str, seed: int) -> Setup:
    """Return the split and input format that a search of this seed has."""
    return Setup(SearchDefinition(seed=seed), DATA[data]())


def train_hgq(given: dict[str, Any]) -> None:
    """Train one topology once, the pressure swept upwards, with HGQ2's own callbacks.

    The pressure grows by the same factor for the same CPU time, so that the sweep ends with the time, however long an
    epoch takes. The learning rate falls with half a cosine to a fiftieth, as in the search.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import keras
    import numpy as np
    from hgq.utils.sugar import BetaScheduler, FreeEBOPs, ParetoFront

    from benchmarks.training._fit import labels_of, learned_bits_model, loss_of, start_at_means
    from nas_fpga.training._bucket import batch_size
    from nas_fpga.training._rows import Rows

    setup, settings = setup_of(given["data"], given["seed"]), TrainingSettings(**given["settings"])
    data = setup.dataset
    inputs = setup.input_format.apply(data.features)
    training, validation = (Rows.of(data, rows, inputs[rows]) for rows in (setup.split.train, setup.split.validation))
    keras.utils.set_random_seed(given["seed"])
    model = learned_bits_model(topology_of(given["topology"]), data.features.shape[1], data.n_outputs)
    start_at_means(model, training.inputs)

    def share() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return min((usage.ru_utime + usage.ru_stime) / given["cpu_s"], 1.0)

    first, last = PRESSURES

    def pressure(_epoch: int) -> float:
        return float(first * (last / first) ** share())

    def rate(_epoch: int) -> float:
        left = settings.learning_rate_decay
        return float(settings.learning_rate * (left + (1 - left) * 0.5 * (1 + np.cos(np.pi * share()))))

    class UntilTheTimeIsSpent(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = share() >= 1

    size = batch_size(settings.batch_size, len(training))
    n_used = len(training) // size * size
    model.compile(
        keras.optimizers.Adam(settings.learning_rate),
        loss_of(data.n_outputs),
        jit_compile=True,
        steps_per_execution=n_used // size,
    )
    folder = Path(given["folder"])
    front = ParetoFront(folder / "front", ["val_loss", "ebops"], [1, 1], _CHECKPOINT)
    history = model.fit(
        training.inputs[:n_used],
        labels_of(training, data.n_outputs)[:n_used],
        sample_weight=training.weights[:n_used],
        batch_size=size,
        epochs=1_000_000,
        validation_data=(validation.inputs, labels_of(validation, data.n_outputs), validation.weights),
        validation_batch_size=len(validation),
        callbacks=[
            keras.callbacks.LearningRateScheduler(rate),
            BetaScheduler(pressure),
            FreeEBOPs(),
            front,
            UntilTheTimeIsSpent(),
        ],
        verbose=0,
    )
    checkpoints = [
        {"path": str(path), "val_loss": float(loss), "ebops": float(ebops)}
        for path, (loss, ebops) in zip(front.paths, front.record, strict=True)
    ]
    write_json(folder / "checkpoints.json", {"epochs": len(history.history["loss"]), "checkpoints": checkpoints})


def points_of_hgq(data: str, seed: int, folders: dict[str, Path]) -> list[Point]:
    """Return the points of the common front of several topologies.

    Args:
        data: Name of the data set.
        seed: Of the split.
        folders: Of each topology's training.
    """
    from benchmarks.training._fit import learned_bits_model

    setup = setup_of(data, seed)
    inputs = setup.input_format.apply(setup.dataset.features)
    found = [
        checkpoint | {"network": topology}
        for topology, folder in folders.items()
        for checkpoint in read_json(folder / "checkpoints.json")["checkpoints"]
        if checkpoint["ebops"] <= MOST_EBOPS
    ]
    chosen = spread_front([c["val_loss"] for c in found], [c["ebops"] for c in found], POINTS)
    points = []
    for checkpoint in (found[k] for k in chosen):
        widths = topology_of(checkpoint["network"])
        model = learned_bits_model(widths, inputs.shape[1], setup.dataset.n_outputs)
        model.load_weights(checkpoint["path"])
        points.append(point_of_model(setup, model, inputs, network=checkpoint["network"]))
    return points


def topology_of(text: str) -> tuple[int, ...]:
    """Return the widths of `32-16`."""
    candidate: Candidate = parse_candidate(text, LearnedBits())
    return candidate.topology
