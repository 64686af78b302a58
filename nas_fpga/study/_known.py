"""What a search knows before its first trial: the trials of other studies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nas_fpga.errors import InputError
from nas_fpga.hardware import Target, as_told, log10_share
from nas_fpga.samplers import Observation
from nas_fpga.space import Candidate
from nas_fpga.study._definition import SearchDefinition
from nas_fpga.study._records import TrialRecord
from nas_fpga.study._storage import StudyStorage

_MAY_DIFFER = (
    *("budget", "min_layers", "max_layers", "max_width", "weight_bits", "activation_bits", "min_params", "max_params"),
    *(
        "include",
        "sampler",
        "grid",
        "goal",
        "acquisition",
        "generation",
        "seed",
        "split_seed",
        "after",
        "search_training",
    ),
    *("polish", "trial_patience"),
)
"""Fields of definitions whose trials are still comparable: what was looked for, and how, but not how it was judged."""


def observation_of(record: TrialRecord, target: Target) -> Observation[Candidate]:
    """Return what a sampler may know of an ended trial."""
    point = record.telling(target)
    if record.state == "failed" or point is None:
        return Observation(record.candidate, "failed")
    share = as_told(point.mapped.figures.constrained_share(target), target)
    return Observation(record.candidate, "complete", point.merits.log10_error, log10_share(share))


def known_before(
    folder: Path,
    definition: SearchDefinition,
    target: Target,
    storage_url: str | None = None,
    n_known: Sequence[int] | None = None,
) -> tuple[tuple[Observation[Candidate], ...], ...]:
    """Return the trials of the studies that a search comes after, study by study.

    Args:
        folder: Of the search; the other studies lie beside it.
        definition: Of the search.
        target: Likewise.
        storage_url: Optuna storage of all of them, None for SQLite in their folders.
        n_known: How many trials each had when this search began, and no others are known to it; None if it begins now.

    Raises:
        StudyError: One of them cannot be read.
        InputError: One was judged on other data or rows, or trained or costed otherwise; or has not ended.
    """
    known: list[tuple[Observation[Candidate], ...]] = []
    for i, name in enumerate(definition.after):
        with StudyStorage(folder.parent / name, storage_url) as storage:
            other = storage.open(write=False)
            trials = storage.trials()[: None if n_known is None else n_known[i]]
        if other.seed_of_split != definition.seed_of_split:
            raise InputError(
                f"--after {name} split its rows by seed {other.seed_of_split}; give --split-seed {other.seed_of_split}"
            )
        if changed := replace(other, **{of: getattr(definition, of) for of in _MAY_DIFFER}).differences(definition):
            raise InputError(f"--after {name} was searched with {', '.join(changed)}; its figures cannot be compared")
        if free := [of for of in other.searched.names if of not in definition.searched.names]:
            raise InputError(
                f"--after {name} searched {', '.join(free)} too, so its figures are not of this training; give "
                f"--search-training {','.join(free)}, or leave it out"
            )
        if (n_ended := sum(trial.ended for trial in trials)) < max(len(trials), 1):
            raise InputError(
                f"--after {name} has ended {n_ended} of {len(trials)} trials; continue it with --resume first, or "
                "leave it out"
            )
        known.append(tuple(observation_of(trial, target) for trial in trials))
    return tuple(known)
