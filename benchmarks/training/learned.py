"""Learned bits against HGQ2's own `fit`, one member after the other: ``python -m benchmarks.training.learned``.

Writes ``learned.csv`` (a row for each judged network), ``learned.json`` (times, ratios, hypervolumes) and
``learned.png``. About half an hour on two cores that have nothing else to do. What has been measured lies under
``runs/training-learned`` and is not measured again: a run that was killed goes on.

Members are of mixed topology: 1 to 5 layers by turns, at most 100 neurons. Ours trains 32 and 128 of them with two
workers, with no compiled program kept from before. HGQ2 trains one member of each depth, each built and compiled for
itself, with HGQ2's default quantizers on JAX in Keras' best idiom: one after the other with the threads that it likes,
and as two pinned processes that share the members. Both have the same rows, epochs, batches, learning rates
and the same pressure, which grows a hundredfold over the epochs; HGQ2's bits learn at the rate of its weights.

Every epoch of HGQ2 is a checkpoint. Fronts are of loss and EBOPs, thinned to eight networks a member on both sides;
networks are judged when the clock has stopped: error on test with the working point of validation, and LUTs of
da4ml's adder graph. The hypervolume is of the members that both sides trained, for three seeds.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks._provenance import provenance
from benchmarks.training._arithmetic import Estimate, mean_of, paired_difference, ratio_of, volume
from benchmarks.training._candidates import dealt, random_candidates, stratified
from benchmarks.training._machine import (
    commits_of,
    cpu_name,
    environment,
    keep_agreed,
    n_cores,
    read_json,
    run_modules,
    write_json,
)
from benchmarks.training._points import chosen_on_validation
from nas_fpga.space import Candidate, LearnedBits, TrainingSettings
from nas_fpga.study import DataSource, SearchDefinition, Setup, load_data

HERE = Path(__file__).parent
RUNS = Path("runs/training-learned")
MEMBERS = (32, 128)
SEEDS = (0, 1, 2)
HGQ_MEMBERS = 5
MOST_NEURONS = 100
HGQ = ("hgq", "hgq pinned")


@dataclass(frozen=True)
class Plan:
    """What is measured, and where it is kept.

    Attributes:
        runs: Folder of what was measured.
        out: Folder of the results.
        members: How many ours trains; those of the first are judged, the others are timed with the first seed alone.
        hgq_members: How many of the first HGQ2 trains.
        hgq: In which ways.
        seeds: Of everything random.
        settings: Of all trainings.
        data: Name of the data set.
    """

    runs: Path = RUNS
    out: Path = HERE
    members: tuple[int, ...] = MEMBERS
    hgq_members: int = HGQ_MEMBERS
    hgq: tuple[str, ...] = HGQ
    seeds: tuple[int, ...] = SEEDS
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    data: str = "hgcal"

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All members."""
        drawn = random_candidates(max(self.members), MOST_NEURONS)
        return tuple(replace(candidate, bits=LearnedBits(), settings=self.settings) for candidate in drawn)

    @property
    def judged(self) -> list[int]:
        """The members that both sides train."""
        return stratified(self.candidates[: self.members[0]], self.hgq_members, 13, 1)

    def sides(self) -> list[tuple[str, int]]:
        """Return sides and seeds in the order in which they are measured."""
        found = []
        for seed in self.seeds:
            further = self.members[1:] if seed == self.seeds[0] else ()
            found += [(f"ours {n}", seed) for n in (self.members[0], *further)] + [(side, seed) for side in self.hgq]
        return found

    def result(self, side: str, seed: int) -> Path:
        """Return the file of a side."""
        return self.runs / f"{side.replace(' ', '-')}-{seed}.json"


def measure(plan: Plan) -> None:
    """Measure what is missing."""
    keep_agreed(
        plan.runs,
        {"settings": vars(plan.settings), "data": plan.data, "members": plan.members, "hgq_members": plan.hgq_members},
    )
    for side, seed in plan.sides():
        path = plan.result(side, seed)
        if path.exists():
            continue
        folder = path.with_suffix("")
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        print(f"{side}, seed {seed}", end=" ... ", flush=True)
        origin = provenance()
        result = run_side(plan, side, seed, folder)
        write_json(path, result | {"provenance": origin})
        shutil.rmtree(folder)
        print(f"{result['wall_s']:.1f} s for {len(result['trials'])} members", flush=True)


def run_side(plan: Plan, side: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train a side's members in fresh processes; return the wall time and a record of each."""
    ours, pinned = side not in HGQ, side == "hgq pinned"
    numbers = list(range(int(side.split()[1]))) if ours else plan.judged
    n_processes = min(n_cores(), len(numbers)) if pinned else 1
    common = {
        "side": "ours" if ours else "hgq",
        "folder": str(folder),
        "data": plan.data,
        "seed": seed,
        "settings": vars(plan.settings),
        "n_workers": 2,
        "pinned": pinned,
        "n_processes": n_processes,
        "judged": plan.judged if side == f"ours {plan.members[0]}" else [],
    }
    paths = []
    for k, mine in enumerate(dealt(numbers, n_processes)):
        own = {"process": k, "numbers": mine, "result": str(folder / f"result-{k}.json")}
        paths.append(folder / f"specification-{k}.json")
        write_json(paths[-1], common | own | {"candidates": [str(plan.candidates[number]) for number in mine]})
    cache = folder / "cache"
    cache.mkdir()
    env = environment(one_thread=pinned, XDG_CACHE_HOME=str(cache.resolve()), KERAS_BACKEND="jax")
    run_modules("benchmarks.training._learned_sides", paths, env)
    results = [read_json(folder / f"result-{k}.json") for k in range(n_processes)]
    trials = sorted((trial for result in results for trial in result["trials"]), key=lambda trial: trial["number"])
    return {"wall_s": sum(result["wall_s"] for result in results) / n_processes, "trials": trials}


# -- summary -------------------------------------------------------------------------------------------------------


def time_of(results: Sequence[dict[str, Any]]) -> Estimate:
    """Return the wall time of a member over several runs, with the spread of its members."""
    trials = [trial for result in results for trial in result["trials"]]
    mean = sum(result["wall_s"] for result in results) / len(trials)
    durations = mean_of([trial["seconds"] for trial in trials])
    return Estimate(mean, mean * durations.error / durations.mean)


def points_of(plan: Plan, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the judged networks of the members that both sides trained."""
    return [
        point | {"number": trial["number"], "candidate": trial["candidate"]}
        for trial in result["trials"]
        if trial["number"] in plan.judged
        for point in trial.get("points", [])
    ]


def summarise(plan: Plan, limit: float) -> dict[str, Any]:
    """Return times, ratios and hypervolumes.

    Args:
        plan: All of it is measured.
        limit: LUTs that a share of 1 is.
    """
    found = {(side, seed): read_json(plan.result(side, seed)) for side, seed in plan.sides()}
    names = dict.fromkeys(side for side, _ in found)
    times = {name: time_of([result for (side, _), result in found.items() if side == name]) for name in names}
    fastest = min(plan.hgq, key=lambda side: times[side].mean)
    speed = {}
    for n in plan.members:
        for side in plan.hgq:
            ratio, low, high = ratio_of(times[side], times[f"ours {n}"])
            speed[f"{n} members, {side}"] = {"ratio": ratio, "interval_95": [low, high]}
    volumes: dict[str, list[float]] = {}
    for side in (f"ours {plan.members[0]}", *plan.hgq):
        volumes[side] = []
        for seed in plan.seeds:
            kept = chosen_on_validation(points_of(plan, found[side, seed]))
            volumes[side].append(volume([p["test_error"] for p in kept], [p["luts"] for p in kept], limit))
    difference = paired_difference(volumes[f"ours {plan.members[0]}"], volumes[fastest])
    return {
        "seconds_per_member": {side: vars(time) for side, time in times.items()},
        "commits": {name: commits_of(plan.result(*of) for of in found if of[0] == name) for name in names},
        "fastest_hgq": fastest,
        "hgq_over_ours": speed,
        "failed": sum("failed" in trial for result in found.values() for trial in result["trials"]),
        "judged": [str(plan.candidates[number]) for number in plan.judged],
        "hypervolume_by_seed": volumes,
        "hypervolume_ours_minus_hgq": vars(difference),
    }


def write(plan: Plan) -> dict[str, Any]:
    """Write table, summary and plot; return the summary."""
    setup = Setup(SearchDefinition(), load_data(DataSource(plan.data)))
    rows = [
        {"side": side, "seed": seed} | point
        for side, seed in plan.sides()
        for point in points_of(plan, read_json(plan.result(side, seed)))
    ]
    columns = ["side", "seed", "number", "candidate", "validation_error", "test_error", "luts", "ebops"]
    with (plan.out / "learned.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    summary = provenance() | {"cpu": cpu_name(), "cores": n_cores(), "data": plan.data, "settings": vars(plan.settings)}
    summary |= summarise(plan, setup.target.limits.lut)
    write_json(plan.out / "learned.json", summary)
    draw(plan, rows, summary)
    return summary


def draw(plan: Plan, rows: list[dict[str, Any]], summary: dict[str, Any]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib import ticker

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    ours = f"ours {plan.members[0]}"
    for side, colour, marker in ((ours, "#0072B2", "o"), (summary["fastest_hgq"], "#D55E00", "s")):
        of = [row for row in rows if row["side"] == side]
        label = "ours" if side == ours else "HGQ2 `fit`"
        values = [r["luts"] for r in of], [r["test_error"] for r in of]
        left.scatter(*values, s=14, color=colour, marker=marker, label=label, alpha=0.7)
    left.set(xscale="log", yscale="log", xlabel="LUTs of the adder graph", ylabel="background efficiency, test")
    left.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3)))
    left.xaxis.set_major_formatter(ticker.FuncFormatter(lambda luts, _: f"{luts:,.0f}"))
    left.xaxis.set_minor_formatter(ticker.NullFormatter())
    left.legend(frameon=False)
    times = summary["seconds_per_member"]
    bars = right.barh(range(len(times)), [time["mean"] for time in times.values()], color="#999999")
    right.bar_label(bars, [f" {time['mean']:.2f} s" for time in times.values()], fontsize=8)
    right.set_yticks(range(len(times)), list(times))
    right.invert_yaxis()
    right.margins(x=0.15)
    right.set(xlabel="seconds a member, compiling included")
    for axis in (left, right):
        axis.grid(alpha=0.25)
    figure.savefig(plan.out / "learned.png", dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", default=",".join(map(str, MEMBERS)), help="of ours; default: %(default)s")
    parser.add_argument("--hgq-members", type=int, default=HGQ_MEMBERS, help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many; default: %(default)s")
    parser.add_argument("--epochs", type=int, default=TrainingSettings().epochs, help="default: %(default)s")
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    given = parser.parse_args(arguments)
    plan = Plan(
        runs=given.runs,
        out=given.out,
        members=tuple(sorted(map(int, given.members.split(",")))),
        hgq_members=given.hgq_members,
        seeds=tuple(range(given.seeds)),
        settings=TrainingSettings(epochs=given.epochs),
    )
    measure(plan)
    summary = write(plan)
    for members, ratio in summary["hgq_over_ours"].items():
        low, high = ratio["interval_95"]
        print(f"{members} over ours: {ratio['ratio']:.1f} ({low:.1f} to {high:.1f})")
    print(f"hypervolumes by seed: {summary['hypervolume_by_seed']}")


if __name__ == "__main__":
    main()
