"""Runs of methods on tables, and how they are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

MOST_PROPOSALS = 20
"""For each training, after which a run ends: the method has nothing new to say."""

DIGITS = 5
"""After the point, of all floats of a run."""

_FLOATS = ("shown", "regret", "regret_unseen", "cpu_s")

Key = tuple[str, str, bool, int]
"""Method, table, whether it is halved, seed."""


@dataclass(frozen=True)
class Run:
    """One search of one table.

    Attributes:
        method: Its name.
        table: Name of the table.
        halved: Whether it was searched within the budget that halves it.
        seed: Of the method and of what was shown.
        rows: The rows trained, in order.
        shown: log10 error shown of each.
        regret: Of each by all trainings.
        regret_unseen: Of each by those not shown.
        cpu_s: CPU seconds of the method for each, wasted proposals before it included.
        refused: Proposals over the budget.
        repeated: Proposals made before.
    """

    method: str
    table: str
    halved: bool
    seed: int
    rows: list[int]
    shown: list[float]
    regret: list[float]
    regret_unseen: list[float]
    cpu_s: list[float]
    refused: int
    repeated: int

    @property
    def key(self) -> Key:
        """What was run: the same again takes its place."""
        return self.method, self.table, self.halved, self.seed

    def is_done(self, n_trainings: int) -> bool:
        """Tell whether a run of so many trainings would be no longer."""
        proposals = len(self.rows) + self.refused + self.repeated
        return len(self.rows) >= n_trainings or proposals >= MOST_PROPOSALS * n_trainings


def read(log: Path, packed: Path | None = None) -> dict[Key, Run]:
    """Return all runs of a log, and those packed before; of the same run the last."""
    made = {run.key: run for run in unpack(packed)} if packed is not None and packed.exists() else {}
    if log.exists():
        made |= {run.key: run for line in log.read_text().splitlines() for run in [Run(**json.loads(line))]}
    return made


def pack(runs: Sequence[Run], packed: Path) -> None:
    """Write runs in one compact file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"rows": pa.list_(pa.int32())} | dict.fromkeys(_FLOATS, pa.list_(pa.float32()))
    columns = {field.name: [getattr(run, field.name) for run in runs] for field in fields(Run)}
    table = pa.table({name: pa.array(values, types.get(name)) for name, values in columns.items()})
    pq.write_table(table, packed, compression="zstd", compression_level=19)


def unpack(packed: Path) -> list[Run]:
    """Return the runs of a packed file."""
    import pyarrow.parquet as pq

    runs = pq.read_table(packed).to_pylist()
    # As they were before they became float32: equal regrets share a rank.
    return [Run(**of | {name: [round(value, DIGITS) for value in of[name]] for name in _FLOATS}) for of in runs]
