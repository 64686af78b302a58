"""Our own table: ``python -m benchmarks.search.own_table hgcal`` (or jets). Resumable; one to two hours on two cores.

What the table beside this module holds is not trained again; Ctrl-C writes what there is, and the same command goes on,
elsewhere too.

2,000 random candidates of a shipped data set, really trained, quantized and costed. 1,500 are drawn under a budget of
200 neurons and 500 under 2,000, depth 1 to 15, bits 2 to 8, as the random start of a search draws them. Every tenth is
trained with three seeds, the others with one, so that the noise of a training is known. ``hgcal.parquet`` has one row a
training: validation and test figures, the figures of the cheapest mapping, the learning curve, the duration. Losses and
merits are those of the quantized network. ``hgcal.json`` says where they come from, and how many are left.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import provenance
from nas_fpga.execution import LocalWorkers
from nas_fpga.space import BitWidths, Candidate, parse_candidate
from nas_fpga.study import SearchDefinition, Setup, load_data
from nas_fpga.training import TrainingFailure, TrainingJob, TrainingResult, plan

HERE = Path(__file__).parent
RUNS = Path("runs/own-table")
DATA_SETS = ("hgcal", "jets")
DRAWS = ((200, 1500), (2000, 500))  # budget, candidates
N_SEEDS = 3  # of every tenth candidate
_EVERY = 10
_BLOCK = 200  # trainings that are planned together: enough for several of each program


@dataclass(frozen=True)
class Table:
    """One data set's table in the making.

    Attributes:
        data: Name of the data set.
        runs: Folder of what is in the making.
        out: Folder of the result.
        draws: Budgets, and how many candidates are drawn under each.
        epochs: Most epochs of a training.
    """

    data: str
    runs: Path = RUNS
    out: Path = HERE
    draws: Sequence[tuple[int, int]] = DRAWS
    epochs: int = 50

    def setup(self, budget: int) -> Setup:
        """Return the rooms of a search under a budget."""
        definition = SearchDefinition(budget=budget, epochs=self.epochs)
        definition = dataclasses.replace(definition, data=dataclasses.replace(definition.data, name=self.data))
        return Setup(definition, load_data(definition.data))

    @property
    def parts(self) -> Path:
        """One line of JSON for each training that ended."""
        return self.runs / f"{self.data}.jsonl"

    @property
    def written(self) -> Path:
        """The table."""
        return self.out / f"{self.data}.parquet"

    @property
    def candidates(self) -> Path:
        """Budgets and candidates, one a line."""
        return self.runs / f"{self.data}.txt"

    def drawn(self) -> list[tuple[int, Candidate]]:
        """Return budgets and candidates, kept in a file: a later version of the space would draw others."""
        if not self.candidates.exists():
            self.runs.mkdir(parents=True, exist_ok=True)
            lines: dict[str, int] = {}
            for budget, n in self.draws:
                space = self.setup(budget).space
                before = len(lines)
                for candidate in space.candidates(space.sample(np.random.default_rng([7, budget]), 4 * n)):
                    if len(lines) - before < n:
                        lines.setdefault(str(candidate), budget)
            self.candidates.write_text("".join(f"{budget} {line}\n" for line, budget in lines.items()))
        settings = self.setup(self.draws[-1][0]).settings
        both = (line.split(maxsplit=1) for line in self.candidates.read_text().splitlines())
        return [(int(budget), parse_candidate(text, BitWidths(6, 6), settings)) for budget, text in both]

    def jobs(self) -> list[TrainingJob]:
        """Return all trainings in the order of their numbers: first one of every candidate, then further seeds."""
        candidates = [candidate for _, candidate in self.drawn()]
        again = [candidate for _ in range(1, N_SEEDS) for candidate in candidates[::_EVERY]]
        n_again = len(candidates[::_EVERY])
        seeds = [0] * len(candidates) + [1 + i // n_again for i in range(len(again))]
        pairs = zip([*candidates, *again], seeds, strict=True)
        return [TrainingJob(number, candidate, seed) for number, (candidate, seed) in enumerate(pairs)]

    def done(self) -> dict[int, dict[str, Any]]:
        """Return the trainings that ended, by number: those that are written, and those in the making."""
        rows = list(read_table(self.written)) if self.written.exists() else []
        if self.parts.exists():
            rows += [json.loads(line) for line in self.parts.read_text().splitlines()]
        return {row["number"]: row for row in rows}

    def train(self, n_workers: int = 2) -> None:
        """Train what has not ended, all of the first budget before the next: a table in part is whole for some.

        Raises:
            SystemExit: The table was begun with other candidates.
        """
        jobs, done = self.jobs(), self.done()
        if any(str(jobs[number].candidate) != row["candidate"] for number, row in done.items()):
            sys.exit(f"{self.written} was begun with candidates of another space; remove it to begin anew")
        setup = self.setup(self.draws[-1][0])
        shape = setup.dataset.features.shape[1], setup.dataset.n_outputs, len(setup.split.train)
        budgets = {str(candidate): budget for budget, candidate in self.drawn()}
        left = [job for job in jobs if job.number not in done]
        parts = [
            [job for job in left if budgets[str(job.candidate)] == budget] for budget in dict.fromkeys(budgets.values())
        ]
        blocks = [part[first : first + _BLOCK] for part in parts for first in range(0, len(part), _BLOCK)]
        packs = [pack for block in blocks for pack in plan(block, *shape)][::-1]
        start, n_ended = time.perf_counter(), 0
        with LocalWorkers(setup.trainer_factory, n_workers, "jax") as workers, self.parts.open("a") as file:
            while packs or workers.n_busy:
                while packs and workers.n_idle:
                    workers.submit(packs.pop().jobs)
                for result in workers.results(1.0):
                    file.write(json.dumps(line_of(result, setup)) + "\n")
                    file.flush()
                    n_ended += 1
                    elapsed = time.perf_counter() - start
                    left_s = elapsed / n_ended * (len(left) - n_ended)
                    print(f"{len(done) + n_ended}/{len(jobs)}, {left_s / 60:.0f} min left", flush=True)

    def write(self) -> None:
        """Write the Parquet file and where it comes from."""
        import pyarrow as pa
        from pyarrow import parquet

        budgets = {str(candidate): budget for budget, candidate in self.drawn()}
        rows = [{"budget": budgets[row["candidate"]], **row} for _, row in sorted(self.done().items())]
        parquet.write_table(pa.Table.from_pylist(rows), self.written, compression="zstd")
        facts = {
            "trainings": len(rows),
            "trainings_left": len(self.jobs()) - len(rows),
            "failed": sum(row["state"] == "failed" for row in rows),
            "candidates": len(budgets),
            "dataset_sha256": self.setup(self.draws[0][0]).dataset.fingerprint(),
            "epochs": self.epochs,
            "variance_of_log10_error": variances(rows),
        }
        (self.out / f"{self.data}.json").write_text(json.dumps(provenance() | facts, indent=2) + "\n")


def variances(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the variance of validation log10 error between candidates (noise taken off) and between seeds.

    One-way analysis of variance of what was trained with all seeds; no variances of fewer than two.
    """
    by_candidate: dict[str, list[float]] = {}
    for row in rows:
        if row["state"] == "complete":
            by_candidate.setdefault(row["candidate"], []).append(row["validation_log10_error"])
    errors = np.array([values for values in by_candidate.values() if len(values) == N_SEEDS]).reshape(-1, N_SEEDS)
    if len(errors) < 2:
        return {"candidates": len(errors)}
    between_seeds = errors.var(axis=1, ddof=1).mean()
    between = errors.mean(axis=1).var(ddof=1) - between_seeds / N_SEEDS
    return {"candidates": len(errors), "between_candidates": float(between), "between_seeds": float(between_seeds)}


def line_of(result: TrainingResult | TrainingFailure, setup: Setup) -> dict[str, Any]:
    """Return one training as plain values; of a failed one its cause, and no figures."""
    job = result.job
    candidate = job.candidate
    bits = candidate.uniform_bits
    line: dict[str, Any] = {
        "number": job.number,
        "candidate": str(candidate),
        "topology": list(candidate.topology),
        "weight_bits": bits.weights,
        "activation_bits": bits.activations,
        "neurons": candidate.n_neurons,
        "seed": job.seed,
        "duration_s": result.duration_s,
    }
    if isinstance(result, TrainingFailure):
        return line | {"state": "failed", "cause": result.cause}
    (network,) = result.networks
    line |= {"state": "complete", "cause": None}
    validation = None
    for subset in ("validation", "test"):
        merits = setup.evaluate(network.logits(setup.dataset.features[setup.split[subset]]), subset, validation)
        validation = validation or merits
        line |= {
            f"{subset}_error": merits.error,
            f"{subset}_log10_error": merits.log10_error,
            f"{subset}_roc_auc": merits.roc_auc,
            f"{subset}_accuracy": merits.accuracy,
        }
    points = setup.estimator.points(network, setup.target)
    point = min(points, key=lambda point: point.figures.constrained_share(setup.target))
    figures = point.figures
    line |= {
        "mapping": str(point.mapping),
        "share": figures.share(setup.target),
        "constrained_share": figures.constrained_share(setup.target),
        **{name: getattr(figures, name).value for name in ("lut", "ff", "dsp", "bram18", "latency_ns", "ii_cycles")},
        "best_epoch": result.curve.best_epoch,
        "train_loss": list(result.curve.train_loss),
        "validation_loss": list(result.curve.validation_loss),
    }
    return line


def read_table(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table."""
    from pyarrow import parquet

    yield from parquet.read_table(path).to_pylist()


def make(table: Table, n_workers: int = 2) -> None:
    """Train what has not ended, and write all there is, after Ctrl-C too.

    Raises:
        SystemExit: Nothing is left to do, or it was interrupted.
    """
    n_jobs = len(table.jobs())
    if table.written.exists() and sum(1 for _ in read_table(table.written)) == n_jobs:
        sys.exit(f"{table.written} has all {n_jobs:,} trainings; remove it to train anew")
    try:
        table.train(n_workers)
    except KeyboardInterrupt:
        table.write()
        sys.exit(f"{len(table.done()):,} of {n_jobs:,} trainings are in {table.written}; the same command goes on")
    table.write()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=DATA_SETS)
    table = Table(parser.parse_args().data)
    make(table)


if __name__ == "__main__":
    main()
