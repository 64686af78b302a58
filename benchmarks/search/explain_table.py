"""What mattered among the random candidates of the own table: ``python -m benchmarks.search.explain_table hgcal``.

Writes ``explain_table_hgcal.json`` (all figures, and where they come from), ``.csv`` and ``.png``. The first has those
of all that were trained, and of those alone that learned, with an error below one half. Takes about half a CPU minute.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import provenance
from benchmarks.search.own_table import DATA_SETS, read_table
from nas_fpga.explanation import Findings, explain_candidates
from nas_fpga.report import write_findings
from nas_fpga.space import BitWidths, TrainingSpace, parse_candidate

HERE = Path(__file__).parent
SEED = 0
LEARNED = 0.5  # of the background, or of all rows: an error above which a network has learned next to nothing
MERITS = {"hgcal": "pion efficiency at 95 % electron", "jets": "error rate"}


def findings_of(rows: Iterable[Mapping[str, Any]], merit: str) -> Findings:
    """Return what mattered among the trainings of a table that ended well."""
    rows = [row for row in rows if row["state"] == "complete"]
    return explain_candidates(
        [parse_candidate(row["candidate"], BitWidths(6, 6)) for row in rows],
        np.array([row["validation_log10_error"] for row in rows]),
        np.log10([row["share"] for row in rows]),
        TrainingSpace(),
        SEED,
        merit=merit,
        resource="largest share of the limits",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=DATA_SETS)
    parser.add_argument("--table", type=Path, help="Parquet file  [default: the one beside this module]")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results  [default: beside this module]")
    arguments = parser.parse_args()
    table = arguments.table or HERE / f"{arguments.data}.parquet"
    if not table.exists():
        parser.error(f"{table} is not there; python -m benchmarks.search.own_table {arguments.data} makes it")
    rows = list(read_table(table))
    start = time.process_time()
    of_all = findings_of(rows, MERITS[arguments.data])
    learned = findings_of([row for row in rows if (row["validation_error"] or 1) < LEARNED], MERITS[arguments.data])
    seconds = time.process_time() - start
    name = f"explain_table_{arguments.data}"
    for path in write_findings(of_all, arguments.out):
        path.replace(arguments.out / f"{name}{path.suffix}")
    both = {"all": of_all.record(), "learned": learned.record(), "cpu_s": round(seconds, 1), "seed": SEED}
    (arguments.out / f"{name}.json").write_text(json.dumps(provenance() | both, indent=2) + "\n")
    print(f"All\n\n{of_all}\n\nThose with an error below {LEARNED:g}\n\n{learned}\n\n{seconds:.1f} CPU s")


if __name__ == "__main__":
    main()
