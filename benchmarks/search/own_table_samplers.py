"""Every sampler on our own table: ``python -m benchmarks.search.own_table_samplers run|long|analyse``.

``run`` is resumable (three lines a search in ``own_table_samplers.csv``; about 5 CPU minutes a method); ``--methods``
picks some. ``long`` is the default sampler, with and without a trust region, to 400 trainings
(``own_table_samplers_long.csv``; ten minutes). ``analyse`` writes ``own_table_samplers.json`` and ``.png``.

A method proposes freely in the space of the main job, in generations of 4 with one in training, as a search does, and
is given the nearest row of the table that it has not had: nearest in the features of the space, each in units of its
deviation over the table. The distance is recorded; a proposal that is infeasible or was had before ends the run. Time
does not count: the table has one training of each row, and 100 of them are given. What is seen is validation; what the
best of a search and its front are worth is counted on validation and on test.

The optimum of a model may lie where the table has no row near, and the row that is given then says little of it. So
some methods run also on nothing but the rows (``gp rows``), whose moves go to the nearest ones.

Ablation: the Gaussian process with other encodings, kernels, acquisition functions, ways to treat what is in training,
priors and random starts, without its local moves, with a trust region, and with another fence of the worst errors or
none; ``local-search`` is the moves without the process. ``gp-before`` is the sampler at the commit before it was
rewritten, taken from the repository.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._checkout import ROOT, checked_out
from benchmarks._provenance import provenance
from benchmarks.search.own_table import read_table
from nas_fpga.samplers import GaussianProcessSampler, Observation, Sampler, hypervolume, non_dominated
from nas_fpga.space import BitWidths, Candidate, MLPSpace, parse_candidate
from nas_fpga.study import SearchDefinition, Setup, load_data

HERE = Path(__file__).parent
TABLE = HERE / "hgcal.parquet"
RESULTS = HERE / "own_table_samplers.csv"
LONG = HERE / "own_table_samplers_long.csv"
SUMMARY = HERE / "own_table_samplers.json"
PLOT = HERE / "own_table_samplers.png"
RUNS = Path("runs/own-table-samplers")
BEFORE = "7f84c32"
AT = (25, 50, 100)  # trainings
AT_OF_LONG = (100, 200, 300, 400)
LONG_METHODS = ("gp", "gp trust region", "random")
N_SEEDS, N_SEEDS_OF_LONG, GENERATION = 30, 10, 4
COLUMNS = (
    "method",
    "seed",
    "trainings",
    "hypervolume",
    "test_hypervolume",
    "best",
    "test_of_best",
    "front",
    "distance",
)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Table:
    """The rows that a search is given.

    Attributes:
        space: Of the main job; no training takes longer than another.
        candidates: First trainings of all that did not fail.
        errors: Smoothed log10 error on validation `(n,)`.
        test_errors: log10 of the error on test `(n,)`.
        shares: log10 of the share of the limits `(n,)`.
    """

    space: MLPSpace
    candidates: tuple[Candidate, ...]
    errors: Array
    test_errors: Array
    shares: Array

    @classmethod
    def read(cls, path: Path, budget: int = 2000) -> Table:
        """Return the table of a Parquet file, in the space of a search under a budget."""
        definition = SearchDefinition(budget=budget)
        data = dataclasses.replace(definition.data, name=path.stem)
        setup = Setup(dataclasses.replace(definition, data=data), load_data(data))
        rows = [row for row in read_table(path) if row["seed"] == 0 and row["state"] == "complete"]
        candidates = tuple(parse_candidate(row["candidate"], BitWidths(6, 6), setup.settings) for row in rows)
        columns = ("validation_log10_error", "test_log10_error", "constrained_share")
        errors, test_errors, shares = (np.array([row[name] for row in rows]) for name in columns)
        return cls(dataclasses.replace(setup.space, prior_time=None), candidates, errors, test_errors, np.log10(shares))

    @cached_property
    def _scale(self) -> Array:
        return np.maximum(self.space.encode(self.space.rows(self.candidates)).std(axis=0), 1e-9)

    @cached_property
    def _places(self) -> Array:
        return self.space.encode(self.space.rows(self.candidates)) / self._scale

    @cached_property
    def front(self) -> NDArray[np.bool_]:
        """Which rows are the front of the table, within the limits."""
        return non_dominated(self.errors, self.shares) & (self.shares < 0)

    def nearest(self, candidate: Candidate, used: NDArray[np.bool_]) -> tuple[int, float]:
        """Return the nearest row that is not used, and how far it is."""
        apart = np.linalg.norm(self._places - self.space.encode(self.space.rows([candidate])) / self._scale, axis=1)
        apart[used] = np.inf
        row = int(apart.argmin())
        return row, float(apart[row])

    def figures(self, rows: NDArray[np.int64]) -> dict[str, float]:
        """Return what a search that was given these rows has found."""
        within = rows[self.shares[rows] < 0]
        best = within[self.errors[within].argmin()]
        chosen = within[non_dominated(self.errors[within], self.shares[within])]
        return {
            "hypervolume": hypervolume(self.errors[rows], self.shares[rows]),
            "test_hypervolume": hypervolume(self.test_errors[chosen], self.shares[chosen]),
            "best": float(self.errors[best]),
            "test_of_best": float(self.test_errors[best]),
            "front": float(self.front[rows].sum() / self.front.sum()),
        }


def search(table: Table, sampler: Sampler[Candidate], n: int) -> tuple[NDArray[np.int64], Array]:
    """Return the rows that a search is given `(n,)`, and their distances.

    Raises:
        AssertionError: A proposal is infeasible or was given before.
    """
    used = np.zeros(len(table.candidates), bool)
    history: list[Observation[Candidate]] = []
    given: list[int] = []
    pending: list[int] = []
    distances: list[float] = []
    while len(given) + len(pending) < n:
        waiting = [table.candidates[row] for row in pending]
        proposed = sampler.ask(history, waiting, GENERATION)
        had = {*waiting, *(observation.candidate for observation in history)}
        assert len({*proposed} - had) == GENERATION, f"{proposed} holds what was had before"
        assert all(candidate in table.space for candidate in proposed), f"{proposed} is not feasible"
        for row in pending:
            figures = float(table.errors[row]), float(table.shares[row])
            history.append(Observation(table.candidates[row], "complete", *figures))
        given += pending
        pending = []
        for candidate in proposed:
            row, distance = table.nearest(candidate, used)
            used[row] = True
            pending.append(row)
            distances.append(distance)
    return np.array(given + pending)[:n], np.array(distances)[:n]


# -- methods -------------------------------------------------------------------------------------------------------


Make = Callable[[MLPSpace, int], "Sampler[Candidate]"]  # in quotes: it had no brackets before


def methods(table: Table) -> dict[str, Make]:
    """Return all methods by name: the registry's, some of them on the table's rows alone, and the ablation of ours."""
    from benchmarks.search import _ablation as ablation  # the commit before has not what it is made of
    from nas_fpga.samplers import SAMPLERS, SamplerOptions
    from nas_fpga.samplers._belief import PENDING, PRECISION_ACQUISITIONS

    def registered(name: str, space: MLPSpace, seed: int, **options: Any) -> Sampler[Candidate]:
        return SAMPLERS[name](space, seed, SamplerOptions(**options))

    def ours(space: MLPSpace, seed: int, **options: Any) -> Sampler[Candidate]:
        return GaussianProcessSampler(space, seed, **options)

    kind = ablation.as_kind
    by_name = [name for name in SAMPLERS if name not in ("grid", "optuna-gp")]
    found: dict[str, Make] = {name: functools.partial(registered, name) for name in by_name}
    models = [name for name in by_name if name not in ("random", "sobol", "latin-hypercube")]
    found |= {f"{name} precision": functools.partial(registered, name, goal="precision") for name in models}
    rows = {"drawn": table.space.rows(table.candidates), "places": table._places, "units": table._scale}
    found |= {
        f"{name} rows": lambda space, seed, name=name: registered(name, kind(ablation.RowsSpace, space, **rows), seed)
        for name in ("gp", "ambs", "local-search", "regularized-evolution")
    }
    found |= {
        f"gp {name}": lambda space, seed, encoding=encoding: ours(
            kind(ablation.EncodedSpace, space, encoding=encoding), seed
        )
        for name, encoding in ablation.ENCODINGS.items()
    }
    found["gp without moves"] = lambda space, seed: ours(ablation.still(space), seed)
    found |= {"gp short lengths": ablation.ShortLengthsSampler, "gp layer kernel": ablation.LayerKernelSampler.of}
    found |= {"gp trust region": ablation.TrustRegionSampler}
    fences = {"without fence": 1e6, "fence 0.5": 0.5, "fence 0": 0.0}
    found |= {f"gp {name}": functools.partial(ablation.FencedSampler, at=at) for name, at in fences.items()}
    found |= {f"gp start {n}": functools.partial(ours, n_startup=n) for n in (12, 20)}
    found |= {f"gp {kind}": functools.partial(ours, pending=kind) for kind in PENDING[1:]}
    found |= {
        f"gp precision {name}": functools.partial(ours, goal="precision", acquisition=name)
        for name in PRECISION_ACQUISITIONS[1:]
    }
    return found


# -- run -----------------------------------------------------------------------------------------------------------


def done(results: Path = RESULTS) -> set[tuple[str, int]]:
    if not results.exists():
        return set()
    with results.open(newline="") as file:
        return {(row["method"], int(row["seed"])) for row in csv.DictReader(file)}


def append(rows: Sequence[dict[str, Any]], results: Path = RESULTS) -> None:
    new = not results.exists()
    with results.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def run(name: str, make: Make, table: Table, n_seeds: int, at: Sequence[int] = AT, results: Path = RESULTS) -> None:
    for seed in range(n_seeds):
        if (name, seed) in done(results):
            continue
        rows, distances = search(table, make(table.space, seed), at[-1])
        lines = [
            {"method": name, "seed": seed, "trainings": n, "distance": distances[:n].mean()} | table.figures(rows[:n])
            for n in at
        ]
        append([{k: v if isinstance(v, str | int) else f"{v:.6g}" for k, v in line.items()} for line in lines], results)
        print(name, seed, lines[-1], flush=True)


def run_before(n_seeds: int) -> None:
    """Run the sampler of the commit before, from the repository, with the same libraries."""
    tree = checked_out(BEFORE, RUNS / BEFORE)
    environment = os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "benchmarks.search.own_table_samplers", "before", "--seeds", str(n_seeds)]
    subprocess.run(command, env=environment, check=True, cwd=tree)


# -- analyse -------------------------------------------------------------------------------------------------------


def summary(results: Path = RESULTS) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Return, by method, trainings and figure, mean and standard error over seeds."""
    with results.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for name in dict.fromkeys(row["method"] for row in rows):
        for n in AT:
            of = [row for row in rows if row["method"] == name and int(row["trainings"]) == n]
            for column in COLUMNS[3:]:
                values = np.array([float(row[column]) for row in of])
                error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
                digits = [float(f"{value:.4g}") for value in (values.mean(), error)]
                found.setdefault(name, {}).setdefault(str(n), {})[column] = digits
    return found


def analyse() -> None:
    table, of = Table.read(TABLE), summary()
    whole = table.figures(np.arange(len(table.candidates)))
    facts = {
        "data": TABLE.stem,
        "rows": len(table.candidates),
        "rows_of_the_front": int(table.front.sum()),
        "whole": whole,
    }
    SUMMARY.write_text(json.dumps(provenance() | facts | {"methods": of}, indent=1) + "\n")
    for name, by_n in sorted(of.items(), key=lambda item: -item[1]["100"]["hypervolume"][0]):
        at = "  ".join(f"{by_n[str(n)]['hypervolume'][0]:.4f} +- {by_n[str(n)]['hypervolume'][1]:.4f}" for n in AT)
        last = by_n["100"]
        print(
            f"{name:28s} {at}   best {last['best'][0]:.4f}   front {last['front'][0]:.3f}   {last['distance'][0]:.2f}"
        )
    plot(of, whole["hypervolume"])


def plot(of: dict[str, dict[str, dict[str, list[float]]]], whole: float) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = sorted(of, key=lambda name: of[name]["100"]["hypervolume"][0])
    figure, axes = plt.subplots(1, 2, figsize=(10, 0.24 * len(names) + 1.2), sharey=True, layout="constrained")
    for axis, column, label in (
        (axes[0], "hypervolume", f"hypervolume (the whole table: {whole:.4f})"),
        (axes[1], "best", "log10 error of the best, validation"),
    ):
        for n, colour in zip(AT, ("0.75", "tab:blue", "black"), strict=True):
            means, errors = np.array([of[name][str(n)][column] for name in names]).T
            axis.errorbar(means, range(len(names)), xerr=errors, fmt="o", ms=3.5, color=colour, label=f"{n} trainings")
        axis.set_xlabel(label)
        axis.grid(axis="x", alpha=0.25)
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(PLOT, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "long", "before", "analyse"])
    parser.add_argument("--methods", nargs="*", help="some methods (default: all)")
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    arguments = parser.parse_args()
    if arguments.action == "analyse":
        analyse()
        return
    table = Table.read(TABLE)
    if arguments.action == "before":  # within the tree of that commit
        run("gp-before", GaussianProcessSampler, table, arguments.seeds)
        return
    known = methods(table)
    if arguments.action == "long":
        for name in arguments.methods or LONG_METHODS:
            run(name, known[name], table, min(arguments.seeds, N_SEEDS_OF_LONG), AT_OF_LONG, LONG)
        return
    for name in arguments.methods or [*known, "gp-before"]:
        if name == "gp-before":
            run_before(arguments.seeds)
        elif name in known:
            run(name, known[name], table, arguments.seeds)
        else:
            parser.error(f"method '{name}' is none of {', '.join(known)}")


if __name__ == "__main__":
    main()
