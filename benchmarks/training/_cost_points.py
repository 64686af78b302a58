"""One point of the cost of training, in a process of its own: a few candidates with everything but one thing fixed."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training._candidates import random_candidates
from benchmarks.training._machine import read_json, write_json
from nas_fpga.data import Split
from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.study import DataSource, SearchDefinition, Setup, load_data
from nas_fpga.training import Trainer, TrainingFailure, TrainingJob

_TRAININGS, _LEAST_S = 4, 6.0  # short trainings are repeated more often: other work disturbs them more
_EVERY = 50  # candidates between two readings of memory
_ROWS_OF_MEMORY = 8192


def run(specification: str) -> None:
    """Do what a file asks for, in the process that is measured."""
    given = read_json(Path(specification))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[given["process"] % len(cores)]})
    result = memory(given) if given["what"] == "memory" else seconds(given)
    write_json(Path(given["result"]), result)


def trainer_of(rows: int | None, slots: int | None) -> Trainer:
    """Return the trainer of the search, on so many training rows of the reference task."""
    from nas_fpga.training._population_trainer import PopulationTrainer

    setup = Setup(SearchDefinition(), load_data(DataSource()))
    split = setup.split
    if rows is not None:
        # More than there are: some come twice, which costs the same.
        split = Split(np.resize(split.train, rows), split.validation, split.test)
    return PopulationTrainer(setup.dataset, split, setup.input_format, slots)


def seconds(given: dict[str, Any]) -> dict[str, float]:
    """Return the wall time of the first training, with its compilation, and of a candidate in the fastest after it."""
    settings = TrainingSettings(epochs=given["epochs"], patience=given["epochs"])
    candidate = Candidate((given["width"],) * given["depth"], BitWidths(6, 6), settings)
    trainer = trainer_of(given["rows"], given["members"])
    jobs = [TrainingJob(k, candidate, given["process"] * 1000 + k) for k in range(given["members"])]
    times: list[float] = []
    while len(times) < _TRAININGS or sum(times[1:]) < _LEAST_S:  # the first compiles
        started = time.perf_counter()
        failed = [result.cause for result in trainer.train(jobs) if isinstance(result, TrainingFailure)]
        assert not failed, failed[0]
        times.append(time.perf_counter() - started)
    per_candidate = min(times[1:]) / len(jobs)
    return {"first_s": times[0], "seconds_per_candidate": per_candidate}


def memory(given: dict[str, Any]) -> list[dict[str, float]]:
    """Return the resident memory in MB after every fifty candidates of one process."""
    trainer = trainer_of(_ROWS_OF_MEMORY, None)
    settings = TrainingSettings(epochs=1)
    drawn = random_candidates(given["candidates"], 100)
    readings = []
    for first in range(0, len(drawn), _EVERY):
        jobs = [
            TrainingJob(number, replace(drawn[number], settings=settings), number)
            for number in range(first, min(first + _EVERY, len(drawn)))
        ]
        failed = [result.cause for result in trainer.train(jobs) if isinstance(result, TrainingFailure)]
        assert not failed, failed[0]
        readings.append({"candidates": jobs[-1].number + 1, "rss_mb": resident_mb()})
        print(f"{readings[-1]['candidates']} candidates: {readings[-1]['rss_mb']:.0f} MB", flush=True)
    return readings


def resident_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
