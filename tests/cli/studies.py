"""What tests see of studies while they are searched and after."""

from __future__ import annotations

import csv
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from nas_fpga.study import SearchDefinition, StudyStorage, TrialRecord


def trials(study: Path) -> list[TrialRecord]:
    with StudyStorage(study) as storage:
        storage.open(write=False)
        return storage.trials()


def definition(study: Path) -> SearchDefinition:
    with StudyStorage(study) as storage:
        return storage.open(write=False)


def essence(study: Path) -> list[tuple[object, ...]]:
    """What must not depend on how a search went: all of its trials but how long they took."""
    return [
        (t.number, t.candidate, t.seed, t.generation, t.proposed_by, t.state, t.outcome.curve, t.points)
        for t in trials(study)
    ]


def n_ended(study: Path) -> int:
    """Count ended trials while another process writes them."""
    return _count(study, "trials where state in ('COMPLETE', 'FAIL')")


def n_running(study: Path) -> int:
    """Count trials that a worker has in its hands while another process writes them."""
    return _count(study, "trials where state = 'RUNNING'")


def n_polished(study: Path) -> int:
    """Count networks that were polished while another process writes them."""
    return _count(study, "study_system_attributes where key like 'nas-fpga:polished:%'")


def _count(study: Path, what: str) -> int:
    if not (study / "study.db").exists():
        return 0
    database = sqlite3.connect(f"file:{study / 'study.db'}?mode=ro", uri=True, timeout=30)
    try:
        return int(database.execute(f"select count(*) from {what}").fetchone()[0])
    finally:
        database.close()


def members(group: int, word: str = "") -> list[int]:
    """Return the living processes of a group whose command line holds a word."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, of_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(of_group) == group and state != "Z" and word in (entry / "cmdline").read_text():
                    found.append(int(entry.name))
            except OSError:  # ended meanwhile
                continue
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))
