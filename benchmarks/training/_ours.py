"""One study of listed candidates as `nas-fpga search` runs it, in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.training._candidates import CandidateSet
from benchmarks.training._machine import environment, meet, read_json, run_modules, write_json
from nas_fpga.samplers import Sampler
from nas_fpga.samplers._base import History
from nas_fpga.space import BitWidths, Candidate, SpaceExhausted, TrainingSettings, parse_candidate
from nas_fpga.study import Progress, SearchOptions, SearchRun, Setup, StudyStorage, TrialRecord
from nas_fpga.training import Trainer

_OF_LEARNED_BITS = ("pressure", "bits_learning_rate")  # refused beside fixed ones
FIXED_BITS_ONLY: SearchOptions = {"polish": 0.0}
"""What leaves learned bits out of a search."""


@dataclass(frozen=True)
class ListedSampler(Sampler):
    """Proposes the candidates of a list, in its order."""

    candidates: tuple[Candidate, ...]

    def ask(self, history: History, pending: Sequence[Candidate], n: int) -> list[Candidate]:
        """Return the next ``n``; see :meth:`Sampler.ask`."""
        first = len(history) + len(pending)
        proposed = list(self.candidates[first : first + n])
        if len(proposed) < n:
            raise SpaceExhausted(proposed, n)
        return proposed


@dataclass(frozen=True, eq=False)
class MeetingFactory:
    """Makes a trainer, and starts with it when all workers have theirs: starting processes is not measured."""

    make: Any
    folder: Path
    n_workers: int

    def __call__(self) -> Trainer:
        """Return the trainer."""
        trainer: Trainer = self.make()
        meet(self.folder, str(os.getpid()), self.n_workers)
        return trainer


@dataclass(frozen=True, eq=False)
class ListedSetup(Setup):
    """The rooms of a search whose candidates are listed and whose workers start together."""

    candidates: tuple[Candidate, ...] = ()
    meeting: Path = Path()
    n_workers: int = 1

    @cached_property
    def sampler(self) -> Sampler:
        """The list."""
        return ListedSampler(self.candidates)

    @property
    def trainer_factory(self) -> Any:
        """What workers make their trainer with."""
        return MeetingFactory(super().trainer_factory, self.meeting, self.n_workers)


class Clock:
    """Notes when the last trial ended; says nothing."""

    ended = 0.0

    def message(self, text: str) -> None:
        """Do nothing."""

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        """Note the time."""
        if ended is not None:
            self.ended = time.monotonic()


def run_ours(
    candidates: CandidateSet, numbers: Sequence[int], folder: Path, cache: Path, *, n_workers: int = 2, data: str
) -> dict[str, Any]:
    """Train some candidates of a set in a fresh process; see :func:`main` for what is returned.

    Args:
        candidates: The set; all of one training setting.
        numbers: Which.
        folder: Empty, for the study.
        cache: ``XDG_CACHE_HOME``: where compiled programs are kept.
        n_workers: Training processes.
        data: Name of the data set.
    """
    chosen = [candidates.candidates[number] for number in numbers]
    specification = {
        "folder": str(folder),
        "data": data,
        "budget": candidates.budget,
        "generation": candidates.generation,
        "numbers": list(numbers),
        "candidates": [str(candidate) for candidate in chosen],
        "settings": vars(chosen[0].settings),
        "n_workers": n_workers,
    }
    write_json(folder / "specification.json", specification)
    cache.mkdir(parents=True, exist_ok=True)
    # Threads and cores of workers are the search's business.
    env = environment(XDG_CACHE_HOME=str(cache.resolve()), KERAS_BACKEND="jax")
    run_modules("benchmarks.training._ours", [folder / "specification.json"], env)
    result: dict[str, Any] = read_json(folder / "result.json")
    return result


def main(specification: dict[str, Any]) -> dict[str, Any]:
    """Search; return ``wall_s`` from the moment all workers are ready, and a record of every trial."""
    settings = TrainingSettings(**specification["settings"])
    candidates = tuple(parse_candidate(text, BitWidths(6, 6), settings) for text in specification["candidates"])
    folder, n_workers = Path(specification["folder"]), specification["n_workers"]
    options: dict[str, Any] = {name: specification[name] for name in ("data", "budget", "generation")}
    options |= {name: value for name, value in specification["settings"].items() if name not in _OF_LEARNED_BITS}
    options |= {"trials": len(candidates), "sampler": "random", **FIXED_BITS_ONLY}
    run = SearchRun.prepare(folder / "study", options)
    listed = ListedSetup(
        run.setup.definition,
        run.setup.dataset,
        candidates=candidates,
        meeting=folder / "meeting",
        n_workers=n_workers,
    )
    clock = Clock()
    run = replace(run, setup=listed)
    run.execute(n_workers, clock)
    started = max(read_json(path) for path in (folder / "meeting").glob("*.json"))
    with StudyStorage(run.folder) as storage:
        storage.open(write=False)
        trials = [
            _record(trial, number, listed, storage)
            for trial, number in zip(storage.trials(), specification["numbers"], strict=True)
        ]
    return {"wall_s": clock.ended - started, "trials": trials}


def _record(trial: TrialRecord, number: int, setup: Setup, storage: StudyStorage) -> dict[str, Any]:
    record = {"number": number, "candidate": str(trial.candidate), "seconds": trial.outcome.duration_s}
    if trial.state != "complete" or trial.outcome.curve is None:
        return record | {"failed": trial.outcome.cause}
    network = storage.load_network(trial, 0)
    logits = [network.logits(setup.dataset.features[setup.split[subset]]) for subset in ("validation", "test")]
    return record | {"epochs": len(trial.outcome.curve.validation_loss)} | figures(setup, *logits)


def figures(setup: Setup, validation_logits: Any, test_logits: Any) -> dict[str, float]:
    """Return the figures of merit of a network: error rate instead of background efficiency for several classes."""
    chosen = setup.evaluate(validation_logits, "validation")
    test = setup.evaluate(test_logits, "test", validation=chosen)
    return {
        "auc": chosen.roc_auc,
        "background_efficiency": chosen.error,
        "log10_error": chosen.log10_error,
        "test_auc": test.roc_auc,
        "test_background_efficiency": test.error,
    }


def run(specification: str) -> None:
    """Do what a file asks for, in the process that is measured."""
    given = read_json(Path(specification))
    write_json(Path(given["folder"]) / "result.json", main(given))
