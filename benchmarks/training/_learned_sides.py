"""Learned bits in a process of their own: our trainer with two workers, or HGQ2 layers with `fit`."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.training._machine import meet, read_json, write_json
from benchmarks.training._ours import MeetingFactory
from benchmarks.training._points import point_of_model, point_of_network, spread_front
from nas_fpga.execution import LocalWorkers
from nas_fpga.space import Candidate, LearnedBits, TrainingSettings, parse_candidate
from nas_fpga.study import DataSource, SearchDefinition, Setup, load_data
from nas_fpga.training import TrainingFailure, TrainingJob, TrainingResult, plan

NETWORKS = 8  # of one member that are judged, as many as our trainer keeps
_POLL_S = 0.1


def run(specification: str) -> None:
    """Do what a file asks for, in the process that is measured."""
    given = read_json(Path(specification))
    setup = Setup(SearchDefinition(), load_data(DataSource(given["data"])))
    settings = TrainingSettings(**given["settings"])
    jobs = [
        TrainingJob(number, parse_candidate(text, LearnedBits(), settings), given["seed"] * 10_000 + number)
        for number, text in zip(given["numbers"], given["candidates"], strict=True)
    ]
    result = train_ours(setup, jobs, given) if given["side"] == "ours" else train_hgq(setup, jobs, given)
    write_json(Path(given["result"]), result)


def train_ours(setup: Setup, jobs: Sequence[TrainingJob], given: dict[str, Any]) -> dict[str, Any]:
    """Train all jobs with two workers, planned as a search does.

    When the clock has stopped, the networks of ``given["judged"]`` are judged.
    """
    meeting = Path(given["folder"]) / "meeting"
    data = setup.dataset
    packs = deque(plan(jobs, data.features.shape[1], data.n_outputs, len(setup.split.train)))
    results: list[TrainingResult | TrainingFailure] = []
    with LocalWorkers(
        MeetingFactory(setup.trainer_factory, meeting, given["n_workers"]), given["n_workers"], "jax"
    ) as workers:
        while packs or workers.n_busy:
            while packs and workers.n_idle:
                workers.submit(packs.popleft().jobs)
            results += workers.results(_POLL_S)
        ended = time.monotonic()
    started = max(read_json(path) for path in meeting.glob("*.json"))
    trials = []
    for result in results:
        trial = {"number": result.job.number, "candidate": str(result.job.candidate), "seconds": result.duration_s}
        if isinstance(result, TrainingFailure):
            trial["failed"] = result.cause
        elif result.job.number in given["judged"]:
            trial["points"] = [point_of_network(setup, network) for network in result.networks]
        trials.append(trial)
    return {"wall_s": ended - started, "trials": trials}


def train_hgq(setup: Setup, jobs: Sequence[TrainingJob], given: dict[str, Any]) -> dict[str, Any]:
    """Train the jobs one after the other; judge their checkpoints when the clock has stopped."""
    if given["pinned"]:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[given["process"] % len(cores)]})
    import keras
    from hgq.utils.sugar import BetaScheduler, FreeEBOPs

    from benchmarks.training._fit import fit, learned_bits_model, start_at_means
    from nas_fpga.training._rows import Rows

    data = setup.dataset
    inputs = setup.input_format.apply(data.features)
    training, validation = (Rows.of(data, rows, inputs[rows]) for rows in (setup.split.train, setup.split.validation))

    class Kept(keras.callbacks.Callback):  # type: ignore[misc]
        """Keeps the weights of all epochs with their losses and EBOPs."""

        def __init__(self) -> None:
            super().__init__()
            self.checkpoints: list[tuple[float, float, Any]] = []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.checkpoints.append((logs["val_loss"], logs["ebops"], self.model.get_weights()))

    meet(Path(given["folder"]) / "meeting", str(given["process"]), given["n_processes"])
    trials, kept, busy_s = [], [], 0.0
    for job in jobs:
        started = time.perf_counter()
        keras.utils.set_random_seed(job.seed)
        model = learned_bits_model(job.candidate.topology, data.features.shape[1], data.n_outputs)
        start_at_means(model, training.inputs)
        checkpoints = Kept()
        fit(
            model,
            job.candidate,
            training,
            validation,
            [BetaScheduler(pressure_of(job.candidate)), FreeEBOPs(), checkpoints],
            best_idiom=True,
        )
        keras.backend.clear_session()
        seconds = time.perf_counter() - started
        busy_s += seconds
        trials.append({"number": job.number, "candidate": str(job.candidate), "seconds": seconds})
        kept.append(checkpoints.checkpoints)
    for trial, job, checkpoints_of in zip(trials, jobs, kept, strict=True):
        losses, ebops, weights = zip(*checkpoints_of, strict=True)
        model = learned_bits_model(job.candidate.topology, data.features.shape[1], data.n_outputs)
        trial["points"] = []
        for k in spread_front(losses, ebops, NETWORKS):
            model.set_weights(weights[k])
            trial["points"].append(point_of_model(setup, model, inputs))
    return {"wall_s": busy_s, "trials": trials}


def pressure_of(candidate: Candidate) -> Any:
    """Return the pressure by epoch: it grows a hundredfold to its last value, by the same factor every epoch."""
    pressure, epochs = candidate.settings.pressure, candidate.settings.epochs
    return lambda epoch: pressure * 1e-2 ** (1 - (epoch + 1) / epochs)
