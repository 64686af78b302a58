"""The main job of one commit, in a process whose ``nas_fpga`` is that commit's: ``_main_job_side.py SPECIFICATION``.

Uses what the commits from before the training engine have as well, and nothing of the other benchmarks.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nas_fpga
from nas_fpga.report import write_report
from nas_fpga.study import SearchRun


@dataclass(frozen=True)
class Recorder:
    """Notes the hypervolume whenever a trial or a polish ends.

    Attributes:
        started: By :func:`time.monotonic`.
        steps: Seconds since then, trials ended, networks polished, hypervolume.
    """

    started: float
    steps: list[tuple[float, int, int, float]] = field(default_factory=list)

    def message(self, text: str) -> None:
        """Do nothing."""

    def update(self, progress: Any, ended: Any) -> None:
        """Note where the search is."""
        polished = getattr(progress, "n_polished", 0)
        self.steps.append((time.monotonic() - self.started, progress.n_ended, polished, progress.hypervolume))


def main(specification: Path) -> None:
    """Search as the README's command does, report included; write ``wall_s`` and ``steps``."""
    given = json.loads(specification.read_text())
    if not Path(nas_fpga.__file__).is_relative_to(given["tree"]):
        raise SystemExit(f"{nas_fpga.__file__} is imported, not what lies under {given['tree']}")
    recorder = Recorder(given["started"])
    run = SearchRun.prepare(specification.parent / "study", given["options"])
    outcome = run.execute(n_workers=None, reporter=recorder)
    write_report(outcome, outcome.folder / "report.html")
    result = {"wall_s": time.monotonic() - given["started"], "front": len(outcome.front), "steps": recorder.steps}
    Path(given["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
