"""What adder graphs change in the front of the main job: ``python -m benchmarks.estimators.front [STUDY ...]``.

Takes finished studies by their folders; without any it runs the README's first command for some seeds, which are kept
under ``runs/estimators-front``. The front by the first rung alone, static laws, is set against the front of the ladder,
which gives adder graphs to what is on the front or may be (see ``nas_fpga/study/_refine.py``), and both against adder
graphs of every network, which no search makes: what the ladder misses. Graphs are made with an empty cache, so seconds
are those of the first time. Writes ``front.csv``, a line for each network that is on any of the three fronts, and
``front.json``. A few minutes for each study that is there.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._provenance import provenance
from benchmarks.training._machine import cpu_name, n_cores, write_json
from nas_fpga._progress import PlainDisplay
from nas_fpga.hardware import MOST_GRAPH_LUTS, HardwareFigures, Target, cost_by_adder_graph, log10_share, rung_of
from nas_fpga.samplers import hypervolume
from nas_fpga.study import Point, SearchRun, Setup, StudyStorage, TrialRecord, load_data
from nas_fpga.study._front import front_of
from nas_fpga.study._refine import graph_budget_s, refine, with_graph
from nas_fpga.study._run import _mapped_anew

HERE = Path(__file__).parent
RUNS = Path("runs/estimators-front")
OPTIONS = {"budget": 2000}
RUNGS = ("law", "ladder", "every graph")

Key = tuple[int, int]  # trial and network


@dataclass(frozen=True)
class Side:
    """The networks of a study at one stage of their figures.

    Attributes:
        points: The cheapest feasible point of every network that has one.
        front: Those that no other beats, cheapest first.
    """

    points: dict[Key, Point]
    front: tuple[Key, ...]

    @classmethod
    def of(cls, trials: Sequence[TrialRecord], target: Target) -> Side:
        """Return the side that trials with these figures make."""
        points = {
            (point.trial, point.network): point
            for trial in trials
            for point in trial.of_networks(target)
            if point.mapped.figures.is_feasible(target)
        }
        errors = np.array([point.error for point in points.values()])
        shares = np.array([point.mapped.figures.share(target) for point in points.values()])
        keys = list(points)
        return cls(points, tuple(keys[i] for i in sorted(front_of(errors, shares), key=lambda i: shares[i])))

    def volume(self, networks: Sequence[Key], target: Target) -> float:
        """Return the hypervolume of some networks by the figures of this side."""
        points = [self.points[key] for key in networks if key in self.points]
        shares = np.array([log10_share(point.mapped.figures.share(target)) for point in points])
        return float(hypervolume(np.array([point.merits.log10_error for point in points]), shares))


@dataclass(frozen=True)
class Compared:
    """What is said of one study.

    Attributes:
        summary: Numbers by name.
        rows: Lines of the table.
    """

    summary: dict[str, Any]
    rows: tuple[dict[str, Any], ...]


def compare(setup: Setup, storage: StudyStorage) -> Compared:
    """Compare the fronts of an open study."""
    target = setup.target
    lost: dict[str, str] = {}
    trials = [_mapped_anew(trial, storage, setup, lost) for trial in storage.trials()]
    budget_s = graph_budget_s(setup, trials)
    with empty_cache():
        started, cpu_started = time.perf_counter(), time.process_time()
        refined = refine(trials, storage, target, budget_s, message=print)
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
        every = [with_graphs(trial, storage, target) for trial in refined.trials]
    sides = dict(zip(RUNGS, (Side.of(each, target) for each in (trials, refined.trials, every)), strict=True))
    law, ladder, truth = sides.values()
    union = sorted(
        {key for side in sides.values() for key in side.front},
        key=lambda key: next(
            side.points[key].mapped.figures.share(target) for side in (truth, law) if key in side.points
        ),
    )
    training_s = sum(
        outcome.duration_s for trial in trials for outcome in (trial.outcome, trial.polished) if outcome is not None
    )
    points = [point for trial in refined.trials for point in trial.points]
    n_graphs = sum(rung_of(point.mapped.figures.lut) == "adder-graph" for point in points)
    turned = reversals(law, ladder, union, target)
    summary = {
        "study": storage.folder.name,
        "seed": setup.definition.seed,
        "trials": len(trials),
        "lost": len(lost),
        "points_on_front": {name: len(side.front) for name, side in sides.items()},
        "left": names(law, [key for key in law.front if key not in ladder.front]),
        "entered": names(ladder, [key for key in ladder.front if key not in law.front]),
        "missed": names(truth, [key for key in truth.front if key not in ladder.front]),
        "by_law": list(refined.by_law),
        "pairs_in_another_order": len(turned),
        "pairs": len(union) * (len(union) - 1) // 2,
        "hypervolume": {
            "law_by_its_own_figures": law.volume(law.front, target),
            "law_by_the_ladder": ladder.volume(law.front, target),
            "ladder_by_its_own_figures": ladder.volume(ladder.front, target),
            "law_by_every_graph": truth.volume(law.front, target),
            "ladder_by_every_graph": truth.volume(ladder.front, target),
            "every_graph": truth.volume(truth.front, target),
        },
        "graphs": n_graphs,
        "graphs_wall_s": wall_s,
        "graphs_cpu_s": cpu_s,
        "budget_s": budget_s,
        "training_s": training_s,
        "share_of_training": cpu_s / training_s if training_s else None,
    }
    by_number = {trial.number: trial for trial in trials}
    rows = tuple(row(storage.folder.name, by_number[key[0]], key, sides, target) for key in union)
    return Compared(summary, rows)


def with_graphs(trial: TrialRecord, storage: StudyStorage, target: Target) -> TrialRecord:
    """Return a trial whose networks all have adder graphs, but for those that take minutes or have other mappings."""
    found: dict[int, HardwareFigures] = {}
    for point in trial.points:
        adders = point.mapped.mapping.strategy == "distributed_arithmetic"
        if adders and point.mapped.figures.lut.value <= MOST_GRAPH_LUTS:
            network = storage.load_network(trial, point.network)
            found[point.network] = cost_by_adder_graph(network, target).figures
    return trial.with_points(
        [with_graph(p, found[p.network], target) if p.network in found else p for p in trial.points]
    )


def names(side: Side, keys: Sequence[Key]) -> list[str]:
    """Return the names of points."""
    return [side.points[key].name for key in keys]


def reversals(one: Side, other: Side, keys: Sequence[Key], target: Target) -> list[tuple[Key, Key]]:
    """Return the pairs of networks of which one is cheaper on one side and dearer on the other."""

    def share(side: Side, key: Key) -> float:
        return side.points[key].mapped.figures.share(target)

    on_both = [key for key in keys if key in one.points and key in other.points]
    return [
        (a, b)
        for a, b in itertools.combinations(on_both, 2)
        if (share(one, a) - share(one, b)) * (share(other, a) - share(other, b)) < 0
    ]


def row(study: str, trial: TrialRecord, key: Key, sides: dict[str, Side], target: Target) -> dict[str, Any]:
    """Return a line of the table: a network, and for every side its mapping, LUTs, share and place on the front."""
    found: dict[str, Any] = {"study": study}
    for name, side in sides.items():
        prefix, point = name.replace(" ", "_"), side.points.get(key)
        if point is None:  # it breaks a limit
            found |= dict.fromkeys((f"{prefix}_{what}" for what in ("mapping", "lut", "share", "place")), None)
            continue
        found |= {"network": trial.name_of(point), "error": point.error} if "network" not in found else {}
        found |= {
            f"{prefix}_point": point.name,
            f"{prefix}_mapping": str(point.mapped.mapping),
            f"{prefix}_lut": point.mapped.figures.lut.value,
            f"{prefix}_share": point.mapped.figures.share(target),
            f"{prefix}_place": side.front.index(key) + 1 if key in side.front else None,
        }
    return found


@contextmanager
def empty_cache() -> Iterator[None]:
    """Count adder graphs anew, and keep nothing."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            del os.environ["XDG_CACHE_HOME"]
            if before is not None:
                os.environ["XDG_CACHE_HOME"] = before


def main_jobs(seeds: Sequence[int], runs: Path) -> list[Path]:
    """Return the folders of the main job of these seeds; runs, or goes on with, those that are not finished."""
    folders = []
    for seed in seeds:
        folder = runs / f"seed-{seed}"
        if not (folder / "front.csv").exists():
            resume = (folder / "study.db").exists()
            run = SearchRun.prepare(folder, OPTIONS | {"seed": seed}, resume=resume)
            run.execute(n_workers=None, reporter=PlainDisplay())
        folders.append(folder)
    return folders


def compare_folder(folder: Path) -> Compared:
    """Compare the fronts of a study that lies there."""
    with StudyStorage(folder) as storage:
        definition = storage.open(write=False)
        with threadpool_limits(1):  # as in a search
            return compare(Setup(definition, load_data(definition.data, folder)), storage)


def write(found: Sequence[Compared], out: Path) -> None:
    """Write table and summary."""
    rows = [each for one in found for each in one.rows]
    columns = dict.fromkeys(name for each in rows for name in each)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "front.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for each in rows:
            writer.writerow({name: f"{x:.6g}" if isinstance(x, float) else x for name, x in each.items()})
    about = {"cpu": cpu_name(), "cores": n_cores(), "options": OPTIONS}
    write_json(out / "front.json", provenance() | about | {"studies": [one.summary for one in found]})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, nargs="*", help="folder of a finished study; default: the main job is run")
    parser.add_argument("--seeds", type=int, default=3, help="of the main job, how many; default: %(default)s")
    parser.add_argument("--runs", type=Path, default=RUNS, help="of the main job; default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    options = parser.parse_args(arguments)
    os.environ.setdefault("KERAS_BACKEND", "jax")
    folders = options.study or main_jobs(range(1, options.seeds + 1), options.runs)
    found = [compare_folder(folder) for folder in folders]
    write(found, options.out)
    for one in found:
        summary = one.summary
        changed = ", ".join(f"{len(summary[what])} {what}" for what in ("left", "entered", "missed"))
        volumes = ", ".join(f"{name} {volume:.4f}" for name, volume in summary["hypervolume"].items())
        print(f"{summary['study']}: {changed}; {summary['pairs_in_another_order']} of {summary['pairs']} pairs turned")
        print(
            f"  {summary['graphs']} graphs: {summary['graphs_cpu_s']:.1f} CPU s; training {summary['training_s']:.0f} s"
        )
        print(f"  hypervolume: {volumes}")


if __name__ == "__main__":
    main()
