"""Precision against neurons available and used, live: one search for each of eight budgets, up to 15 layers.

python -m benchmarks.search.sweep    # resumable; searches that have ended are not repeated
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from benchmarks._provenance import provenance
from nas_fpga._progress import make_reporter
from nas_fpga.comparison import Sweep, SweepRun
from nas_fpga.errors import NasFpgaError
from nas_fpga.report import write_sweep

HERE = Path(__file__).parent
FILES = {"sweep.csv": HERE / "sweep.csv", "sweep.png": HERE / "sweep.png"}
SUMMARY = HERE / "sweep.json"
FOLDER = Path("runs") / "sweep"

BUDGETS = (10, 20, 50, 100, 200, 500, 1000, 2000)
OPTIONS = {"data": "hgcal", "trials": 40}


def run(workers: int | None) -> Sweep:
    resume = (FOLDER / "sweep.json").exists()
    prepared = SweepRun.prepare(FOLDER, {} if resume else OPTIONS, budgets=BUDGETS, resume=resume)
    reporter = make_reporter()
    with reporter.live():
        return prepared.execute(workers, reporter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, help="training processes (default: the cores)")
    try:
        swept = run(parser.parse_args().workers)
    except NasFpgaError as error:
        sys.exit(str(error))
    write_sweep(swept, FOLDER / "report.html")
    for name, to in FILES.items():
        shutil.copyfile(FOLDER / name, to)
    SUMMARY.write_text(json.dumps(provenance() | {"options": OPTIONS} | swept.summary(), indent=1) + "\n")
    for row in swept.records():
        print(row["budget"], row["topology"], row["neurons_used"], row["test_precision"])


if __name__ == "__main__":
    main()
