"""Candidates per hour, whole trials, ours against Optuna with Keras: ``python -m benchmarks.training.throughput``.

Writes ``throughput.csv`` (a row for each trial), ``throughput.json`` (rates, ratios, intervals, paired precision) and
``throughput.png``. About two and a half hours on two cores that have nothing else to do. What has been measured lies
under ``runs/training-throughput`` and is not measured again: a run that was killed goes on (delete it to start over).
``--sets`` and ``--sides`` choose; the files always hold all that was measured.

A whole trial is build, compile, train with early stopping on the quantized validation loss, figures of merit on
validation, checkpoint, and the write into the study. Sets: ``100`` and ``400``, 200 random candidates each of at most
so many neurons, in generations of 40, and ``generations``, those of the README's main job in its generations of 4. The
process start is left out for all sides, compiling is not. Sides are measured in parts (``--chunks``), one part of every
side that is not measured yet before the next, never two at once, each part in fresh processes:

``ours cold``
    The search with two workers. The cache of compiled programs is empty at the first part and has at each later one
    what the parts before it left.
``ours warm``
    The same with the programs of a run over the same candidates.
``tensorflow``, ``jax``
    An Optuna study with one process and Keras' `fit` of the same HGQ2 model, with as many threads as it likes.
``... best``
    With XLA, a whole epoch a call and no second batch size.
``... pinned``
    Two processes share the study, one thread on a core each. They count as if they ended at the same time.
``... float``
    The same networks without quantizers, for scale: the search has none such.

Peers train every tenth candidate in order of depth and size; ours trains all. Intervals (95 %) are of the mean time of
a candidate, over candidates. Precision is compared pair by pair, on the candidates that both trained, with one seed
each.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import provenance
from benchmarks.training._arithmetic import Estimate, mean_of, paired_difference, ratio_of, training_flops
from benchmarks.training._candidates import CandidateSet, candidate_set, dealt, stratified
from benchmarks.training._machine import (
    commits_of,
    cpu_name,
    keep_agreed,
    matrix_product_rate,
    n_cores,
    read_json,
    write_json,
)
from benchmarks.training._ours import run_ours
from benchmarks.training._peer import Peer, run_peer
from nas_fpga.space import TrainingSettings
from nas_fpga.study import DataSource, SearchDefinition, Setup, load_data
from nas_fpga.training._bucket import batch_size

HERE = Path(__file__).parent
RUNS = Path("runs/training-throughput")
SETS = ("100", "400", "generations")
OURS = ("ours cold", "ours warm")
QUANTIZED = [Peer(b, best, pinned) for b in ("tensorflow", "jax") for best in (False, True) for pinned in (False, True)]
FLOAT = [Peer("tensorflow", bits="float"), Peer("jax", best_idiom=True, pinned=True, bits="float")]
PEERS = {peer.name: peer for peer in (*QUANTIZED, *FLOAT)}
SIDES = (*OURS, *PEERS)
FLOAT_SETS = ("100",)  # for scale, once
N_CHUNKS = 4
PEER_CANDIDATES = 20
COLUMNS = (
    *("side", "set", "cache", "chunk", "number", "candidate", "seconds", "epochs"),
    *("auc", "background_efficiency", "log10_error", "test_auc", "test_background_efficiency", "failed"),
)


@dataclass(frozen=True)
class Plan:
    """What is measured, and where it is kept.

    Attributes:
        runs: Folder of what was measured.
        out: Folder of the table, the summary and the plot.
        sets: Names of sets.
        sides: Names of sides.
        peer_candidates: How many candidates of a set peers train.
        n_chunks: Parts of a side.
        candidates: First candidates of a set that take part; None for all.
        settings: Of all trainings.
        data: Name of the data set.
    """

    runs: Path = RUNS
    out: Path = HERE
    sets: tuple[str, ...] = SETS
    sides: tuple[str, ...] = SIDES
    peer_candidates: int = PEER_CANDIDATES
    n_chunks: int = N_CHUNKS
    candidates: int | None = None
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    data: str = "hgcal"

    @cached_property
    def setup(self) -> Setup:
        """Data set and split of all sides."""
        return Setup(SearchDefinition(), load_data(DataSource(self.data)))

    @property
    def shape(self) -> tuple[int, int]:
        """Inputs and outputs of all networks."""
        return self.setup.dataset.features.shape[1], self.setup.dataset.n_outputs

    def candidate_set(self, name: str) -> CandidateSet:
        """Return a set."""
        return candidate_set(name).short(self.settings, self.candidates)

    def chunks(self, of: CandidateSet, side: str) -> list[list[int]]:
        """Return the numbers of the candidates that a side trains, part by part."""
        if side in OURS:
            return of.chunks(self.n_chunks)
        chosen = stratified(of.candidates, self.peer_candidates, *self.shape)
        return [chunk for chunk in dealt(chosen, self.n_chunks) if chunk]

    def result(self, set_name: str, side: str, chunk: int) -> Path:
        """Return the file of a part of a side."""
        return self.runs / set_name / side.replace(" ", "-") / f"{chunk}.json"

    def todo(self) -> Iterator[tuple[CandidateSet, str, int, list[int]]]:
        """Yield set, side, part and its candidates, in the order in which they are measured: sides by turns."""
        for name in self.sets:
            of = self.candidate_set(name)
            for chunk in range(self.n_chunks):
                for side in self.sides:
                    parts = self.chunks(of, side)
                    if chunk < len(parts) and not (side in PEERS and PEERS[side] in FLOAT and name not in FLOAT_SETS):
                        yield of, side, chunk, parts[chunk]


def measure(plan: Plan) -> None:
    """Measure what is missing.

    Raises:
        SystemExit: What is there was measured with other settings.
    """
    keep_agreed(
        plan.runs,
        {
            "settings": vars(plan.settings),
            "data": plan.data,
            "candidates": plan.candidates,
            "peer_candidates": plan.peer_candidates,
            "chunks": plan.n_chunks,
        },
    )
    for of, side, chunk, numbers in plan.todo():
        path = plan.result(of.name, side, chunk)
        if path.exists():
            continue
        folder = path.with_suffix("")
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        print(f"{of.name}: {side}, part {chunk + 1}, {len(numbers)} candidates", end=" ... ", flush=True)
        origin = provenance()
        if side in OURS:
            result = run_ours(of, numbers, folder, cache_of(plan, of, side, chunk), data=plan.data)
        else:
            result = run_peer(PEERS[side], of, numbers, folder, data=plan.data)
        write_json(path, result | {"provenance": origin})
        shutil.rmtree(folder)
        per_hour = 3600 * len(numbers) / result["wall_s"]
        print(f"{result['wall_s']:.1f} s, {per_hour:,.0f} candidates per hour", flush=True)


def cache_of(plan: Plan, of: CandidateSet, side: str, chunk: int) -> Path:
    """Return the folder of compiled programs that a part of ours begins with.

    A cold part gets a copy of what the part before it left, so that one that was killed begins again as it did. A warm
    part gets its own cold part's.
    """
    caches = plan.runs / of.name / "caches"
    cache = caches / str(chunk)
    if side == "ours cold":
        shutil.rmtree(cache, ignore_errors=True)
        if chunk > 0:
            shutil.copytree(caches / str(chunk - 1), cache)
    elif not plan.result(of.name, "ours cold", chunk).exists():
        raise SystemExit("'ours warm' needs the programs of 'ours cold'; give both with --sides")
    return cache


# -- summary -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Measured:
    """All parts of one side of one set.

    Attributes:
        trials: Records of its trials.
        wall_s: Of all of them together.
        commits: At which they were measured.
    """

    trials: list[dict[str, Any]]
    wall_s: float
    commits: tuple[str, ...] = ()

    @property
    def seconds(self) -> Estimate:
        """Wall time of a candidate; its spread is that of the trials."""
        durations = mean_of([trial["seconds"] for trial in self.trials])
        mean = self.wall_s / len(self.trials)
        return Estimate(mean, mean * durations.error / durations.mean)

    @property
    def per_hour(self) -> float:
        """Candidates."""
        return 3600 / self.seconds.mean


def collect(plan: Plan) -> dict[str, dict[str, Measured]]:
    """Return the sides of every set of which all parts were measured."""
    found: dict[str, dict[str, Measured]] = {}
    for name in SETS:
        of = plan.candidate_set(name)
        for side in SIDES:
            paths = [plan.result(name, side, chunk) for chunk in range(len(plan.chunks(of, side)))]
            if all(path.exists() for path in paths):
                parts = [read_json(path) for path in paths]
                trials = [trial | {"chunk": k} for k, part in enumerate(parts) for trial in part["trials"]]
                found.setdefault(name, {})[side] = Measured(
                    trials, sum(part["wall_s"] for part in parts), tuple(commits_of(paths))
                )
    return found


def summarise(plan: Plan, found: dict[str, dict[str, Measured]], flops_per_s: float) -> dict[str, Any]:
    """Return rates, ratios with intervals, and paired precision, set by set."""
    summary: dict[str, Any] = {}
    for name, sides in found.items():
        of = plan.candidate_set(name)
        summary[name] = {
            "sides": {side: describe(plan, of, measured, flops_per_s) for side, measured in sides.items()},
            "ratios": ratios(sides),
            "precision": precision(sides),
        }
    return summary


def describe(plan: Plan, of: CandidateSet, measured: Measured, flops_per_s: float) -> dict[str, Any]:
    """Return the figures of one side."""
    n_rows = len(plan.setup.split.train)
    size = batch_size(plan.settings.batch_size, n_rows)
    flops = sum(
        training_flops(of.candidates[trial["number"]].n_macs(*plan.shape), trial["epochs"] * (n_rows // size * size))
        for trial in measured.trials
        if "epochs" in trial
    )
    return {
        "commits": measured.commits,
        "trials": len(measured.trials),
        "failed": sum("failed" in trial for trial in measured.trials),
        "wall_s": measured.wall_s,
        "candidates_per_hour": measured.per_hour,
        "seconds_per_candidate": vars(measured.seconds),
        "mean_epochs": float(np.mean([trial.get("epochs", 0) for trial in measured.trials])),
        "share_of_matrix_product_rate": flops / measured.wall_s / flops_per_s,
    }


def ratios(sides: dict[str, Measured]) -> dict[str, Any]:
    """Return how many times as many candidates ours trains as each peer that trains the same networks."""
    found: dict[str, Any] = {}
    for peer in (peer.name for peer in QUANTIZED if peer.name in sides):
        for ours in (side for side in OURS if side in sides):
            ratio, low, high = ratio_of(sides[peer].seconds, sides[ours].seconds)
            found[f"{ours} / {peer}"] = {"ratio": ratio, "interval_95": [low, high]}
    return found


def precision(sides: dict[str, Measured]) -> dict[str, Any]:
    """Return ours minus `fit`, pair by pair, with the standard error of the mean; below 0 is better for errors."""
    if "ours cold" not in sides:
        return {}
    by_number = {trial["number"]: trial for trial in sides["ours cold"].trials if "failed" not in trial}
    found: dict[str, Any] = {}
    for peer in QUANTIZED:
        if peer.name not in sides:
            continue
        pairs = [(by_number[t["number"]], t) for t in sides[peer.name].trials if t["number"] in by_number]
        found[peer.name] = {"pairs": len(pairs)}
        for figure in ("auc", "test_auc", "log10_error", "background_efficiency", "test_background_efficiency"):
            of = np.array([[trial[figure] for trial in pair] for pair in pairs])
            if figure.endswith("background_efficiency"):
                of, figure = np.log10(np.maximum(of, 1e-5)), f"log10_{figure}"
            found[peer.name][figure] = vars(paired_difference(of[:, 0], of[:, 1]))
    return found


def write(plan: Plan) -> dict[str, Any]:
    """Write table, summary and plot of what has been measured; return the summary."""
    found = collect(plan)
    rate = plan.runs / "matrix_product_rate.json"
    if not rate.exists():
        write_json(rate, matrix_product_rate())
    flops_per_s = read_json(rate)
    with (plan.out / "throughput.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for name, sides in found.items():
            for side, measured in sides.items():
                cache = side.removeprefix("ours ") if side in OURS else "none"
                writer.writerows(
                    {"side": side, "set": name, "cache": cache, **{k: rounded(v) for k, v in trial.items()}}
                    for trial in measured.trials
                )
    summary = provenance() | {
        "cpu": cpu_name(),
        "cores": n_cores(),
        "matrix_product_gflops": flops_per_s / 1e9,
        "data": plan.data,
        "parts": plan.n_chunks,
        "settings": vars(plan.settings),
        "sets": summarise(plan, found, flops_per_s),
    }
    write_json(plan.out / "throughput.json", summary)
    if found:
        draw(found, plan.out / "throughput.png")
    return summary


def rounded(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def draw(found: dict[str, dict[str, Measured]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(found), figsize=(4.6 * len(found), 4), squeeze=False, layout="constrained")
    for axis, (name, sides) in zip(axes[0], found.items(), strict=True):
        colours = ["#0072B2" if side in OURS else "#999999" for side in sides]
        rates = [measured.per_hour for measured in sides.values()]
        bars = axis.barh(range(len(sides)), rates, color=colours)
        axis.bar_label(bars, [f" {rate:,.0f}" for rate in rates], fontsize=8)
        axis.set_yticks(range(len(sides)), list(sides), fontsize=8)
        axis.invert_yaxis()
        axis.set(xscale="log", xlabel="candidates per hour", xlim=(min(rates) / 2, max(rates) * 6))
        axis.set_title("the main job's generations" if name == "generations" else f"at most {name} neurons", fontsize=9)
        axis.grid(alpha=0.25, axis="x")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def chosen(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the comma-separated names of an option."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in known:
            raise SystemExit(f"'{name}' is none of {', '.join(known)}")
    return names


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS), help="default: %(default)s")
    parser.add_argument("--sides", default=",".join(SIDES), help="default: %(default)s")
    parser.add_argument("--peer-candidates", type=int, default=PEER_CANDIDATES, help="of a set; default: %(default)s")
    parser.add_argument("--chunks", type=int, default=N_CHUNKS, help="parts of a side; default: %(default)s")
    parser.add_argument("--candidates", type=int, help="only so many first ones of a set, to try it out")
    parser.add_argument("--epochs", type=int, default=TrainingSettings().epochs, help="default: %(default)s")
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    given = parser.parse_args(arguments)
    plan = Plan(
        runs=given.runs,
        out=given.out,
        sets=chosen(given.sets, SETS),
        sides=chosen(given.sides, SIDES),
        peer_candidates=given.peer_candidates,
        n_chunks=given.chunks,
        candidates=given.candidates,
        settings=TrainingSettings(epochs=given.epochs),
    )
    measure(plan)
    for name, of in write(plan)["sets"].items():
        for pair, ratio in of["ratios"].items():
            low, high = ratio["interval_95"]
            print(f"{name}: {pair}: {ratio['ratio']:.1f} ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
