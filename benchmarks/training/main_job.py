"""The README's main job before and after a change, the training engine: ``python -m benchmarks.training.main_job``.

Writes ``main_job.csv`` (the hypervolume after every trial and polish), ``main_job.json`` (times and hypervolumes, seed
by seed) and ``main_job.png``. About half an hour on two cores that have nothing else to do. What has been run lies
under ``runs/training-main-job`` and is not run again.

Both sides are the search with its defaults, a budget of 2,000 neurons and 100 trials, in a fresh process with no
compiled program kept from before, from the start of the process to the written report. *Before* is the commit before
the engine, checked out beside, with the same installed libraries; it trains candidates one by one and polishes nothing.
The hypervolume is that of the search: on validation, resources as estimated. Besides the whole times, that counts at
which *after* has the hypervolume that *before* ends with, over the time at which *before* has it; and the hypervolumes
after equal numbers of trials.

The search engine is measured likewise, against the commit before it, which trains with the same engine, with what is
polished and without::

    python -m benchmarks.training.main_job --before 7f84c32 --runs runs/engine --out benchmarks/search/engine
    python -m benchmarks.training.main_job --before 7f84c32 --polish 0 --runs runs/0 --out benchmarks/search/unpolished
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._checkout import ROOT, checked_out
from benchmarks._provenance import provenance
from benchmarks.training._arithmetic import mean_of, paired_difference
from benchmarks.training._machine import commits_of, cpu_name, environment, keep_agreed, n_cores, read_json, write_json

HERE = Path(__file__).parent
RUNS = Path("runs/training-main-job")
BEFORE = "6a2bc97"
SIDES = ("before", "after")
SEEDS = (1, 2, 3)
OPTIONS: dict[str, Any] = {"budget": 2000}
AT = (12, 25, 50, 100)  # trials at which hypervolumes are compared
COLUMNS = ("side", "seed", "seconds", "trials", "polished", "hypervolume")
STYLES = {"before": "#999999", "after": "#0072B2"}

Result = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What is run, and where it is kept.

    Attributes:
        runs: Folder of what was run.
        out: Folder of the results.
        before: Commit of the side of this name.
        seeds: Of everything random.
        options: Of the search.
    """

    runs: Path = RUNS
    out: Path = HERE
    before: str = BEFORE
    seeds: tuple[int, ...] = SEEDS
    options: dict[str, Any] = field(default_factory=lambda: dict(OPTIONS))

    def result(self, side: str, seed: int) -> Path:
        """Return the file of a run."""
        return self.runs / f"{side}-{seed}.json"


def measure(plan: Plan) -> None:
    """Run what is missing; all sides of one seed before the next."""
    keep_agreed(plan.runs, {"before": plan.before, "options": plan.options})
    for seed in plan.seeds:
        for side in SIDES:
            path = plan.result(side, seed)
            if path.exists():
                continue
            tree = ROOT if side == "after" else checked_out(plan.before, plan.runs / "before-tree")
            folder = path.with_suffix("")
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
            print(f"seed {seed}, {side}", end=" ... ", flush=True)
            origin = provenance()
            result = run_side(tree, folder, plan.options | {"seed": seed})
            write_json(path, result | {"provenance": origin})
            shutil.rmtree(folder)
            print(f"{result['wall_s']:.0f} s, hypervolume {final_volume(result):.4f}", flush=True)


def run_side(tree: Path, folder: Path, options: dict[str, Any]) -> Result:
    """Run the main job of a tree in a fresh process with an empty cache; see :mod:`._main_job_side`."""
    cache = folder / "cache"
    cache.mkdir(parents=True)
    env = environment(XDG_CACHE_HOME=str(cache.resolve()), KERAS_BACKEND="jax") | {"PYTHONPATH": str(tree)}
    given = {"tree": str(tree), "options": options, "result": str((folder / "result.json").resolve())}
    write_json(folder / "specification.json", given | {"started": time.monotonic()})
    script = HERE / "_main_job_side.py"
    subprocess.run([sys.executable, str(script), str((folder / "specification.json").resolve())], env=env, check=True)
    result: Result = read_json(folder / "result.json")
    return result


# -- summary -------------------------------------------------------------------------------------------------------


def final_volume(result: Result) -> float:
    """Return the hypervolume at the end."""
    return float(result["steps"][-1][-1])


def volume_at(result: Result, trials: int) -> float:
    """Return the hypervolume when so many trials had ended, and what was polished by then."""
    return max((float(step[-1]) for step in result["steps"] if step[1] <= trials), default=0.0)


def seconds_to(result: Result, volume: float) -> float | None:
    """Return when a run first had a hypervolume; None if it never had."""
    return next((float(step[0]) for step in result["steps"] if step[-1] >= volume), None)


def summarise(results: dict[tuple[str, int], Result], seeds: Sequence[int]) -> dict[str, Any]:
    """Return the figures of each seed and their means, for the seeds of which both sides were run."""
    by_seed = {}
    for seed in seeds:
        before, after = (results[side, seed] for side in SIDES)
        target = final_volume(before)
        times = seconds_to(before, target), seconds_to(after, target)
        assert times[0] is not None  # it is its own last one
        by_seed[str(seed)] = {
            "wall_s": {"before": before["wall_s"], "after": after["wall_s"]},
            "hypervolume": {"before": target, "after": final_volume(after)},
            "hypervolume_at_trials": {
                str(n): {"before": volume_at(before, n), "after": volume_at(after, n)} for n in AT
            },
            "seconds_to_hypervolume_of_before": {"before": times[0], "after": times[1]},
            "share_of_time_to_it": None if times[1] is None else times[1] / times[0],
            "share_of_wall_time": None if times[1] is None else times[1] / before["wall_s"],
        }
    if not by_seed:
        return {"seeds": {}}
    volumes = {side: [of["hypervolume"][side] for of in by_seed.values()] for side in SIDES}
    return {
        "seeds": by_seed,
        "wall_s": {side: vars(mean_of([of["wall_s"][side] for of in by_seed.values()])) for side in SIDES},
        "hypervolume_after_minus_before": vars(paired_difference(volumes["after"], volumes["before"])),
    }


def write(plan: Plan) -> dict[str, Any]:
    """Write table, summary and plot of what has been run; return the summary."""
    seeds = [seed for seed in plan.seeds if all(plan.result(side, seed).exists() for side in SIDES)]
    results = {(side, seed): read_json(plan.result(side, seed)) for seed in seeds for side in SIDES}
    with (plan.out / "main_job.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for (side, seed), result in results.items():
            for seconds, trials, polished, volume in result["steps"]:
                writer.writerow([side, seed, f"{seconds:.2f}", trials, polished, f"{volume:.6f}"])
    summary = provenance() | {
        "cpu": cpu_name(),
        "cores": n_cores(),
        "before": plan.before,
        "commits_of_after": commits_of(plan.result("after", seed) for seed in seeds),
        "options": plan.options,
        **summarise(results, seeds),
    }
    write_json(plan.out / "main_job.json", summary)
    if results:
        draw(results, plan.before, plan.out / "main_job.png")
    return summary


def draw(results: dict[tuple[str, int], Result], before: str, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for k, ((side, _), result) in enumerate(results.items()):
        seconds, volumes = zip(*((step[0], step[-1]) for step in result["steps"]), strict=True)
        label = {"before": before, "after": f"after {before}"}[side] if k < len(SIDES) else None
        axis.step(seconds, volumes, where="post", color=STYLES[side], lw=1.2, label=label)
        axis.plot(result["wall_s"], volumes[-1], "o", color=STYLES[side], ms=4)
    axis.set(xlabel="seconds since the command was typed (dot: report written)", ylabel="hypervolume, validation")
    axis.set(xlim=(0, None), ylim=(0, None))
    axis.grid(alpha=0.25)
    axis.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", default=BEFORE, help="commit to compare with; default: %(default)s")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many; default: %(default)s")
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    parser.add_argument("--polish", type=float, help="share of epochs to polish in; default: that of the search")
    given = parser.parse_args(arguments)
    given.out.mkdir(exist_ok=True)
    options = OPTIONS if given.polish is None else OPTIONS | {"polish": given.polish}
    seeds = tuple(range(1, given.seeds + 1))
    plan = Plan(given.runs, given.out, given.before, seeds, options)
    measure(plan)
    for seed, of in write(plan)["seeds"].items():
        wall, reached = of["wall_s"], of["seconds_to_hypervolume_of_before"]
        print(f"seed {seed}: {wall['before']:.0f} s before, {wall['after']:.0f} s after; {reached} s to the same")


if __name__ == "__main__":
    main()
