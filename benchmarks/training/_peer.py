"""An Optuna study of Keras trainings with `fit`, one or several processes: what the search is compared with."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from benchmarks.training._candidates import CandidateSet, dealt
from benchmarks.training._machine import environment, meet, n_cores, read_json, run_modules, write_json
from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.study import DataSource, SearchDefinition, Setup, load_data

_STUDY = "peer"
_MOST = 10_000  # of a width


@dataclass(frozen=True)
class Peer:
    """A way to train candidates with Keras.

    Attributes:
        backend: Of Keras.
        best_idiom: See :func:`benchmarks.training._fit.fit`.
        pinned: As many processes as cores, one thread on a core each, that share the study; else one process with the
            threads that its libraries take.
        bits: ``fixed``, or ``float`` for no quantizers.
    """

    backend: str
    best_idiom: bool = False
    pinned: bool = False
    bits: str = "fixed"

    @property
    def name(self) -> str:
        """`jax best pinned`."""
        parts = [self.backend, "best" * self.best_idiom, "pinned" * self.pinned, "float" * (self.bits == "float")]
        return " ".join(filter(None, parts))


def run_peer(
    peer: Peer, candidates: CandidateSet, numbers: Sequence[int], folder: Path, *, data: str
) -> dict[str, Any]:
    """Train some candidates of a set in fresh processes.

    Args:
        peer: How.
        candidates: The set; all of one training setting.
        numbers: Which.
        folder: Empty, for the study.
        data: Name of the data set.

    Returns:
        ``wall_s`` that all cores together need, process start left out, and a record of every trial. Processes that
        share a study are taken to end at the same time, which they do in a long one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage(folder), study_name=_STUDY)
    for number in numbers:
        study.enqueue_trial(parameters(candidates.candidates[number]), user_attrs={"number": number})
    n_processes = min(n_cores(), len(numbers)) if peer.pinned else 1
    specifications = []
    for k, mine in enumerate(dealt(numbers, n_processes)):
        specification = vars(peer) | {
            "folder": str(folder),
            "data": data,
            "process": k,
            "n_processes": n_processes,
            "n_trials": len(mine),
            "settings": vars(candidates.candidates[numbers[0]].settings),
        }
        specifications.append(folder / f"specification-{k}.json")
        write_json(specifications[-1], specification)
    run_modules(
        "benchmarks.training._peer", specifications, environment(one_thread=peer.pinned, KERAS_BACKEND=peer.backend)
    )
    results = [read_json(folder / f"result-{k}.json") for k in range(n_processes)]
    trials = sorted((trial for result in results for trial in result["trials"]), key=lambda trial: trial["number"])
    return {"wall_s": sum(result["busy_s"] for result in results) / n_processes, "trials": trials}


def storage(folder: Path) -> optuna.storages.BaseStorage:
    """Return the study's storage: a journal, since two processes can take the same waiting trial out of SQLite."""
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / "study.log")))


def parameters(candidate: Candidate) -> dict[str, int]:
    """Return a candidate as Optuna's parameters."""
    widths = {f"width_{i}": width for i, width in enumerate(candidate.topology)}
    bits = candidate.uniform_bits
    return {"layers": candidate.n_layers, **widths, "weight_bits": bits.weights, "activation_bits": bits.activations}


def suggested(trial: optuna.Trial, settings: TrainingSettings) -> Candidate:
    """Return the candidate that a trial asks for."""
    layers = trial.suggest_int("layers", 1, 64)
    topology = tuple(trial.suggest_int(f"width_{i}", 1, _MOST) for i in range(layers))
    bits = BitWidths(trial.suggest_int("weight_bits", 1, 16), trial.suggest_int("activation_bits", 1, 16))
    return Candidate(topology, bits, settings)


def main(specification: dict[str, Any]) -> None:
    """Run in the measured process: train the share of trials that is its own."""
    if specification["pinned"]:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[specification["process"] % len(cores)]})
    import keras
    import numpy as np

    from benchmarks.training._fit import (
        Calibration,
        early_stopping,
        fit,
        fixed_bits_model,
        float_model,
        predict,
        start_at_means,
    )
    from benchmarks.training._ours import figures
    from nas_fpga.training._rows import Rows

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    setup = Setup(SearchDefinition(), load_data(DataSource(specification["data"])))
    data, form, settings = setup.dataset, setup.input_format, TrainingSettings(**specification["settings"])
    parts = {subset: form.apply(data.features[setup.split[subset]]) for subset in ("train", "validation", "test")}
    training, validation = (Rows.of(data, setup.split[s], parts[s]) for s in ("train", "validation"))
    folder = Path(specification["folder"])
    study = optuna.load_study(storage=storage(folder), study_name=_STUDY)
    trials: list[dict[str, Any]] = []
    left_out = 0.0  # test rows are not part of a trial

    def objective(trial: optuna.Trial) -> float:
        nonlocal left_out
        candidate, number = suggested(trial, settings), trial.user_attrs["number"]
        keras.utils.set_random_seed(number)
        callbacks = [early_stopping(settings.patience)]
        if specification["bits"] == "float":
            model = float_model(candidate, data.features.shape[1], data.n_outputs)
        else:
            model = fixed_bits_model(candidate, form, data.n_outputs)
            callbacks.insert(0, Calibration(candidate, form, training.inputs))
        start_at_means(model, training.inputs)
        history = fit(model, candidate, training, validation, callbacks, best_idiom=specification["best_idiom"])
        logits = predict(model, parts["validation"])
        merits = setup.evaluate(logits, "validation")
        # Not `save_weights`, which takes seconds for the many small variables of quantizers.
        np.savez(folder / f"{number}.npz", *model.get_weights())
        trial.set_user_attr("auc", merits.roc_auc)
        started = time.perf_counter()
        test = predict(model, parts["test"])
        record = {"number": number, "candidate": str(candidate), "epochs": len(history["loss"])}
        trials.append(record | figures(setup, logits, test))
        left_out += time.perf_counter() - started
        keras.backend.clear_session()
        return merits.log10_error

    meet(folder / "meeting", str(specification["process"]), specification["n_processes"])
    ends = [time.perf_counter()]

    def note(_study: optuna.Study, _trial: optuna.trial.FrozenTrial) -> None:
        ends.append(time.perf_counter() - left_out)
        trials[-1]["seconds"] = ends[-1] - ends[-2]

    study.optimize(objective, n_trials=specification["n_trials"], callbacks=[note])
    write_json(folder / f"result-{specification['process']}.json", {"busy_s": ends[-1] - ends[0], "trials": trials})


def run(specification: str) -> None:
    """Do what a file asks for, in the process that is measured."""
    main(read_json(Path(specification)))
