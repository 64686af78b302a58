"""300 random candidates of the reference task, each trained with two seeds: the noise floor of every comparison.

    python -m benchmarks.search.candidate_table train      # resumable; about half an hour on two cores
    python -m benchmarks.search.candidate_table cost       # shares anew, after a change of the hardware laws
    python -m benchmarks.search.candidate_table analyse    # variances, knee, plot
    python -m benchmarks.search.candidate_table samplers   # gp against random drawing from the table

``train`` appends one line a training to ``candidate_table.csv`` and keeps the validation scores under ``runs/``; the
other two write ``candidate_table_summary.json``, ``candidate_table_samplers.csv`` and ``candidate_table.png``.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks._provenance import provenance
from nas_fpga.execution import LocalWorkers
from nas_fpga.samplers import GaussianProcessSampler, Observation, RandomSampler, hypervolume
from nas_fpga.space import BitWidths, MLPSpace, Rows, parse_candidate
from nas_fpga.study import SearchDefinition, Setup, find_knee, load_data
from nas_fpga.training import QuantizedNetwork, TrainingFailure, TrainingJob

HERE = Path(__file__).parent
CANDIDATES = HERE / "candidate_table_candidates.txt"
TABLE = HERE / "candidate_table.csv"
SUMMARY = HERE / "candidate_table_summary.json"
DRAWS = HERE / "candidate_table_samplers.csv"
PLOT = HERE / "candidate_table.png"
SCORES = Path("runs/candidate-table")

N_CANDIDATES, N_SEEDS, N_WORKERS = 300, 2, 2
N_REPETITIONS, N_DRAWS = 30, 40


def make_setup() -> Setup:
    definition = SearchDefinition(budget=500)  # larger networks cost most of the time and lie on the same plateau
    return Setup(definition, load_data(definition.data))


def note(what: str, **figures: object) -> None:
    """Add figures to the summary, with the commit and versions they were measured at."""
    summary = json.loads(SUMMARY.read_text()) if SUMMARY.exists() else {}
    summary[what] = provenance() | figures
    SUMMARY.write_text(json.dumps(summary, indent=2) + "\n")


# -- train ---------------------------------------------------------------------------------------------------------


def train() -> None:
    setup = make_setup()
    if not CANDIDATES.exists():  # a later version of the space or of the hardware laws would draw others
        rows = setup.space.sample(np.random.default_rng(7), 2 * N_CANDIDATES)
        drawn = list(dict.fromkeys(setup.space.candidates(rows)))[:N_CANDIDATES]
        CANDIDATES.write_text("".join(f"{candidate}\n" for candidate in drawn))
    lines = CANDIDATES.read_text().splitlines()
    candidates = [parse_candidate(line, BitWidths(6, 6), setup.settings) for line in lines]
    done = {int(line["number"]) for line in read_table()} if TABLE.exists() else set()
    jobs = [
        TrainingJob(number, candidates[number // N_SEEDS], seed=1 + number % N_SEEDS)
        for number in range(N_SEEDS * N_CANDIDATES)
        if number not in done
    ]
    SCORES.mkdir(parents=True, exist_ok=True)
    features = setup.dataset.features[setup.split.validation]
    start, queue = time.perf_counter(), jobs[::-1]
    with LocalWorkers(setup.trainer_factory, N_WORKERS, "jax") as workers, TABLE.open("a", newline="") as file:
        writer = csv.writer(file)
        if not done:
            writer.writerow(
                [
                    "number",
                    "candidate",
                    "seed",
                    "neurons",
                    "error",
                    "log10_error",
                    "roc_auc",
                    "share",
                    "best_epoch",
                    "epochs",
                    "duration_s",
                ]
            )
        while queue or workers.n_busy:
            while queue and workers.n_idle:
                workers.submit([queue.pop()])
            for result in workers.results(1.0):
                job = result.job
                if isinstance(result, TrainingFailure):
                    sys.exit(f"{job.candidate} failed: {result.cause}\n{result.details}")
                (network,) = result.networks
                logits = network.logits(features)
                merits = setup.evaluate(logits, "validation")
                share = setup.estimator.points(network, setup.target)[0].figures.share(setup.target)
                np.save(SCORES / f"{job.number}.npy", logits.astype(np.float32))
                network.save(SCORES / f"{job.number}.npz")
                curve = result.curve
                figures = (merits.error, merits.log10_error, merits.roc_auc, share)
                writer.writerow(
                    [job.number, job.candidate, job.seed, job.candidate.n_neurons]
                    + [f"{value:.6g}" for value in figures]
                    + [curve.best_epoch, len(curve.train_loss), f"{result.duration_s:.2f}"]
                )
                file.flush()
                done.add(job.number)
                print(f"{len(done)}/{N_SEEDS * N_CANDIDATES} {time.perf_counter() - start:.0f} s", flush=True)
    note("train", n_candidates=N_CANDIDATES, n_seeds=N_SEEDS)


def read_table() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


# -- cost ----------------------------------------------------------------------------------------------------------


def cost() -> None:
    """Work out the shares anew with the hardware laws of today, from the networks that training left."""
    setup, lines = make_setup(), sorted(read_table(), key=lambda line: int(line["number"]))
    for line in lines:
        network = QuantizedNetwork.load(SCORES / f"{line['number']}.npz")
        line["share"] = f"{setup.estimator.points(network, setup.target)[0].figures.share(setup.target):.6g}"
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    note("cost", part=setup.target.part.name)


# -- analyse -------------------------------------------------------------------------------------------------------


def analyse() -> None:
    setup = make_setup()
    lines = sorted(read_table(), key=lambda line: int(line["number"]))
    errors = np.array([float(line["error"]) for line in lines]).reshape(-1, N_SEEDS)
    logs = np.array([float(line["log10_error"]) for line in lines]).reshape(-1, N_SEEDS)
    neurons = np.array([int(line["neurons"]) for line in lines]).reshape(-1, N_SEEDS)[:, 0]
    candidates = [parse_candidate(line["candidate"], BitWidths(6, 6)) for line in lines[::N_SEEDS]]
    bootstrap = setup.bootstrap("validation")
    replicates = np.array([bootstrap.errors(np.load(SCORES / f"{line['number']}.npy")) for line in lines])
    replicates = replicates.reshape(len(errors), N_SEEDS, -1)

    def variances(values: np.ndarray) -> dict[str, float]:
        """One-way analysis of variance: between candidates (the noise of two seeds taken off) and between seeds."""
        within = values.var(axis=1, ddof=1).mean()
        between = values.mean(axis=1).var(ddof=1) - within / N_SEEDS
        return {"between_candidates": float(between), "between_seeds": float(within), "ratio": float(between / within)}

    learned = errors.mean(axis=1) < 0.5  # a network that did not learn at all would make any noise look small
    paired = replicates[:, 0] - replicates[:, 1]
    best = np.argmin(errors.mean(axis=1))
    difference = replicates.mean(axis=1) - replicates[best].mean(axis=0)
    knee = find_knee(neurons.tolist(), errors.mean(axis=1), replicates.mean(axis=1))
    note(
        "analyse",
        error=variances(errors),
        error_of_those_below_one_half=variances(errors[learned]) | {"n": int(learned.sum())},
        log10_error=variances(logs),
        log10_error_of_those_below_one_half=variances(logs[learned]),
        standard_error_of_one_network=float(np.median(replicates.std(axis=2))),
        standard_error_of_paired_difference_of_two_seeds=float(np.median(paired.std(axis=1))),
        standard_error_of_paired_difference_to_the_best=float(np.median(np.delete(difference, best, 0).std(axis=1))),
        best=str(candidates[best]),
        knee=str(knee),
    )
    print(json.dumps(json.loads(SUMMARY.read_text())["analyse"], indent=2))
    plot(candidates, errors, neurons, knee.neurons)


def plot(candidates: list, errors: np.ndarray, neurons: np.ndarray, knee: int) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, constrained_layout=True)
    bits = np.array([min(c.bits.weights, c.bits.activations) for c in candidates])
    mean = errors.mean(axis=1)
    for axis, x, label in (
        (left, neurons, "hidden neurons"),
        (right, bits + np.random.default_rng(0).uniform(-0.3, 0.3, len(bits)), "fewer of weight and activation bits"),
    ):
        axis.vlines(x, errors.min(axis=1), errors.max(axis=1), color="0.75", lw=0.8, zorder=1)
        colour = bits if axis is left else np.log10(neurons)
        dots = axis.scatter(x, mean, c=colour, s=14, cmap="viridis", zorder=2)
        axis.set_xlabel(label)
        figure.colorbar(dots, ax=axis, label="fewer of the bits" if axis is left else "log10 neurons")
    edges = np.geomspace(neurons.min(), neurons.max() * 1.01, 13)
    centres, medians = [], []
    for low, high in itertools.pairwise(edges):
        inside = (neurons >= low) & (neurons < high)
        if inside.sum() >= 5:
            centres.append(np.sqrt(low * high))
            medians.append(np.median(mean[inside]))
    left.plot(centres, medians, color="tab:red", lw=1.8, label="median")
    left.axvline(knee, color="k", ls="--", lw=1, label=f"knee: {knee} neurons")
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_ylabel("pion efficiency at 95 % electron, validation")
    left.legend(frameon=False)
    figure.suptitle("300 random candidates, bars join two training seeds")
    figure.savefig(PLOT, dpi=110)


# -- samplers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListedSpace(MLPSpace):
    """The candidates of the table alone: what a sampler may draw."""

    listed: tuple = field(default=())

    def sample(self, rng: np.random.Generator, n: int) -> Rows:
        """Return all of the table, shuffled."""
        listed = np.frombuffer(b"".join(self.listed), np.int32).reshape(len(self.listed), -1)
        return np.resize(listed[rng.permutation(len(listed))], (max(n, len(listed)), listed.shape[1]))

    def moves(self, rng: np.random.Generator, rows: Rows, n: int) -> Rows:
        """Return none: a neighbour is hardly ever in the table."""
        return rows[:0]


def samplers() -> None:
    setup = make_setup()
    lines = sorted(read_table(), key=lambda line: int(line["number"]))
    by_candidate = defaultdict(list)
    for line in lines:
        by_candidate[parse_candidate(line["candidate"], BitWidths(6, 6), setup.settings)].append(line)
    rows = setup.space.rows(list(by_candidate))
    space = ListedSpace(
        setup.space.n_inputs,
        setup.space.n_outputs,
        setup.space.budget,
        settings=setup.settings,
        prior_cost=setup.space.prior_cost,
        listed=tuple(row.tobytes() for row in rows),
    )
    truth = {
        candidate: tuple(
            np.mean([[float(line["log10_error"]), np.log10(float(line["share"]))] for line in both], axis=0)
        )
        for candidate, both in by_candidate.items()
    }
    results = []
    for repetition in range(N_REPETITIONS):
        # What a draw shows is one training, picked at random; what it is worth is the mean of both.
        seen = np.random.default_rng([99, repetition]).integers(N_SEEDS, size=len(by_candidate))
        shown = {
            candidate: (float(both[k]["log10_error"]), float(np.log10(float(both[k]["share"]))))
            for (candidate, both), k in zip(by_candidate.items(), seen, strict=True)
        }
        row = {"repetition": repetition}
        for name, sampler in (
            ("gp", GaussianProcessSampler(space, repetition)),
            ("random", RandomSampler(space, repetition)),
        ):
            history = []
            while len(history) < N_DRAWS:
                (candidate,) = sampler.ask(history, [], 1)
                history.append(Observation(candidate, "complete", *shown[candidate]))
            row[name] = hypervolume(*np.array([truth[o.candidate] for o in history]).T)
        results.append(row)
        print(row, flush=True)
    with DRAWS.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["repetition", "gp", "random"])
        writer.writeheader()
        writer.writerows(results)
    gp, random = (np.array([row[name] for row in results]) for name in ("gp", "random"))
    draws = np.random.default_rng(0).integers(len(gp), size=(10_000, len(gp)))
    low, high = np.quantile((gp - random)[draws].mean(axis=1), [0.025, 0.975])
    whole = hypervolume(*np.array(list(truth.values())).T)
    note(
        "samplers",
        repetitions=N_REPETITIONS,
        draws=N_DRAWS,
        hypervolume_gp=float(gp.mean()),
        hypervolume_random=float(random.mean()),
        hypervolume_of_all=float(whole),
        difference=float((gp - random).mean()),
        interval_95=[float(low), float(high)],
    )
    print(json.dumps(json.loads(SUMMARY.read_text())["samplers"], indent=2))


if __name__ == "__main__":
    ACTIONS = {"train": train, "cost": cost, "analyse": analyse, "samplers": samplers}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=ACTIONS)
    ACTIONS[parser.parse_args().action]()
