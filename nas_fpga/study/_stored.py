"""What stands in Optuna's storage of a study, and how it is read back, from studies of before too."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nas_fpga.space import Candidate
from nas_fpga.study._json import from_json
from nas_fpga.study._records import Outcome, TrialRecord, TrialState

# What only nas-fpga reads is kept from what Optuna's dashboard and notebooks show: it stands in system attributes.
# Studies that were made before have it, without the prefix, in user attributes.
OURS = "nas-fpga:"

_PIECE = 30_000  # characters of an attribute


def as_of_now(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a stored definition with what was implied when it was stored.

    Before there was polishing, studies were searched without. Before there were goals, all samplers were stored with an
    acquisition function, which concerned but one; that one was after precision.
    """
    definition = {"polish": 0.0} | definition
    if "goal" in definition:
        return definition
    if definition.get("sampler") == "bayesian-optimization":
        return definition | {"goal": "precision"}
    return definition | {"goal": "front", "acquisition": None}


def attributes_of(user: Mapping[str, Any], system: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes by name, wherever they stand, those in pieces joined."""
    ours = {name.removeprefix(OURS): value for name, value in system.items() if name.startswith(OURS)}
    for name in [name for name in ours if f"{name}+1" in ours]:
        more = itertools.takewhile(ours.__contains__, (f"{name}+{k}" for k in itertools.count(1)))
        ours[name] += "".join(ours[key] for key in more)
    return {**user, **ours}


def pieces(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield a text as attributes that every database takes: MySQL's hold 64 kB, quotes twice."""
    for k, first in enumerate(range(0, len(text), _PIECE)):
        yield f"{OURS}{name}" + (f"+{k}" if k else ""), text[first : first + _PIECE]


def record_of(trial: Any, polished: str | None) -> TrialRecord:
    """Return a trial.

    Args:
        trial: As Optuna has it.
        polished: JSON of what polishing added, None where nothing was.
    """
    attributes = attributes_of(trial.user_attrs, trial.system_attrs)
    states: dict[str, TrialState] = {
        "WAITING": "waiting",
        "RUNNING": "running",
        "COMPLETE": "complete",
        "FAIL": "failed",
    }
    record = TrialRecord(
        number=trial.number,
        candidate=from_json(Candidate, json.loads(attributes["candidate"])),
        seed=attributes["seed"],
        generation=attributes["generation"],
        proposed_by=attributes["proposed by"],
        polished=from_json(Outcome, json.loads(polished)) if polished else None,
        started_at=trial.datetime_start,
        ended_at=trial.datetime_complete,
    )
    state = states[trial.state.name]
    if state in ("complete", "failed"):
        return replace(record, state=state, outcome=from_json(Outcome, json.loads(attributes["outcome"])))
    return replace(record, state=state)
