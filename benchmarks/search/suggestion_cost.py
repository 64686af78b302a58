"""CPU seconds of a suggestion after 100 to 3,000 ended trials: ``python -m benchmarks.search.suggestion_cost``.

An hour on one core, in the environment that :mod:`benchmarks.search.tables` describes. Every method knows the same
random history of networks of up to 15 layers and 2,000 neurons with their bits, whose errors are those of a stand-in
objective, and is asked for a tenth as many suggestions more, eight at least, one thread, and told an error each time:
so what a method learns anew every so many trials is in the mean as often as it is in a search. An entry has a process
of its own and is cut off after a limit of CPU seconds; what it suggested until then counts. What is counted is asking
and telling; imports and building the history are not. The first suggestion, of a process that has learned nothing
before, is a column of its own, as a search has it once. Of ours, a generation of four counts as four suggestions.

Optuna's TPE has the space's own idiom: a depth, as many widths, the excess over the budget as a constraint; its and
BoTorch's Gaussian process and DeepHyper have all fifteen widths, of which those beyond the depth are idle. A proposal
that is over the budget counts as a suggestion all the same, so figures of peers flatter: ours are all feasible.

Writes ``suggestion_cost.csv``, a line for each method and length of the history, ``.json`` with all times and the
versions, and ``.png``.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks._provenance import commit
from nas_fpga.samplers import SAMPLERS, Observation, SamplerOptions
from nas_fpga.space import BitWidths, Candidate, MLPSpace
from nas_fpga.testing import observe

HERE = Path(__file__).parent
PACKAGES = ("numpy", "scipy", "scikit-learn", "optuna", "torch", "botorch", "gpytorch", "deephyper")
TRIALS = (100, 300, 1000, 3000)
N_ASKS, GENERATION, LIMIT_S = 8, 4, 60
N_WARM = 30  # trials of a first, uncounted search, which imports what is imported late
SPACE = MLPSpace(n_inputs=13, n_outputs=1, budget=2000)

History = Sequence[Observation[Candidate]]


class Asked(Protocol):
    """A method that knows a history; one call asks it and tells it the answer, and returns how many it suggested."""

    def __call__(self) -> int:
        """Ask once."""


def history(n: int) -> list[Observation[Candidate]]:
    """Return ``n`` random ended trials, none twice."""
    rng = np.random.default_rng(5)
    unseen = SPACE.unseen(rng, [])
    return [observe(next(unseen)) for _ in range(n)]


def error_of(widths: Sequence[int], weight_bits: int, activation_bits: int) -> tuple[float, int]:
    """Return log10 error and excess over the budget of what a peer suggested."""
    found = observe(Candidate(tuple(widths), BitWidths(weight_bits, activation_bits)))
    assert found.log10_error is not None
    return found.log10_error, sum(widths) - SPACE.budget


def flat(candidate: Candidate) -> list[int]:
    """Return depth, fifteen widths (1 where idle) and both bits."""
    widths = list(candidate.topology)
    bits = candidate.bits
    assert isinstance(bits, BitWidths)
    return [len(widths), *widths, *[1] * (SPACE.max_layers - len(widths)), bits.weights, bits.activations]


# -- ours ----------------------------------------------------------------------------------------------------------


def ours(name: str, generation: int) -> Callable[[History], Asked]:
    def begin(known: History) -> Asked:
        sampler, ended = SAMPLERS[name](SPACE, 0, SamplerOptions()), list(known)

        def ask() -> int:
            ended.extend(map(observe, sampler.ask(ended, [], generation)))
            return generation

        return ask

    return begin


# -- Optuna --------------------------------------------------------------------------------------------------------


def _optuna(make_sampler: Callable[[Any], Any], conditional: bool) -> Callable[[History], Asked]:
    def begin(known: History) -> Asked:
        import optuna
        from optuna.distributions import BaseDistribution, IntDistribution

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        ranges: dict[str, BaseDistribution] = {"depth": IntDistribution(1, SPACE.max_layers)}
        ranges |= {f"width_{i}": IntDistribution(1, SPACE.budget, log=True) for i in range(SPACE.max_layers)}
        ranges |= {"weight_bits": IntDistribution(2, 8), "activation_bits": IntDistribution(2, 8)}
        study = optuna.create_study(sampler=make_sampler(optuna.samplers))
        for observation in known:
            params = dict(zip(ranges, flat(observation.candidate), strict=True))
            if conditional:
                idle = [f"width_{i}" for i in range(params["depth"], SPACE.max_layers)]
                params = {name: value for name, value in params.items() if name not in idle}
            study.add_trial(
                optuna.trial.create_trial(
                    params=params,
                    distributions={name: ranges[name] for name in params},
                    value=observation.log10_error,
                    constraints={"budget": float(observation.candidate.n_neurons - SPACE.budget)},
                )
            )

        def ask() -> int:
            trial = study.ask()
            depth = trial.suggest_int("depth", 1, SPACE.max_layers)
            n_widths = depth if conditional else SPACE.max_layers
            widths = [trial.suggest_int(f"width_{i}", 1, SPACE.budget, log=True) for i in range(n_widths)]
            bits = [trial.suggest_int(name, 2, 8) for name in ("weight_bits", "activation_bits")]
            error, excess = error_of(widths[:depth], *bits)
            trial.set_constraint("budget", excess)
            study.tell(trial, error)
            return 1

        return ask

    return begin


# -- BoTorch -------------------------------------------------------------------------------------------------------


def botorch(known: History) -> Asked:
    """Return the tutorial's loop: a fitted SingleTaskGP, log expected improvement, ten restarts of 512 raw samples."""
    import torch
    from botorch.acquisition import LogExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.optim import optimize_acqf
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.set_num_threads(1)
    torch.manual_seed(0)
    low = np.array([1, *[1] * SPACE.max_layers, 2, 2], dtype=np.float64)
    high = np.array([SPACE.max_layers, *[SPACE.budget] * SPACE.max_layers, 8, 8], dtype=np.float64)
    is_width = np.array([False, *[True] * SPACE.max_layers, False, False])

    def unit(rows: Sequence[Sequence[int]]) -> np.ndarray:
        values = np.array(rows, dtype=np.float64)
        return np.where(is_width, np.log(values) / np.log(high), (values - low) / (high - low))

    points = [unit([flat(observation.candidate)])[0] for observation in known]
    values = [-float(observation.log10_error or 0) for observation in known]
    bounds = torch.stack([torch.zeros(len(low)), torch.ones(len(low))]).double()

    def ask() -> int:
        x, y = torch.tensor(np.array(points)), torch.tensor(values, dtype=torch.float64)[:, None]
        model = SingleTaskGP(x, y)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        acquisition = LogExpectedImprovement(model, best_f=y.max())
        found, _ = optimize_acqf(acquisition, bounds=bounds, q=1, num_restarts=10, raw_samples=512)
        at = found.detach().numpy()[0]
        row = np.rint(np.where(is_width, np.exp(at * np.log(high)), low + at * (high - low))).astype(int).tolist()
        error, _ = error_of(row[1 : 1 + row[0]], *row[-2:])
        points.append(unit([row])[0])
        values.append(-error)
        return 1

    return ask


# -- DeepHyper -----------------------------------------------------------------------------------------------------


def deephyper(known: History) -> Asked:
    """Return its centralized Bayesian optimisation at its defaults."""
    from deephyper.hpo import CBO, HpProblem

    logging.getLogger("deephyper").setLevel(logging.ERROR)
    problem = HpProblem(seed=0)
    names = ["depth", *(f"width_{i}" for i in range(SPACE.max_layers)), "weight_bits", "activation_bits"]
    for name in names:
        if name.startswith("width"):
            problem.add_hyperparameter((1, SPACE.budget, "log-uniform"), name)
        else:
            problem.add_hyperparameter((1, SPACE.max_layers) if name == "depth" else (2, 8), name)
    with tempfile.TemporaryDirectory() as folder:
        search = CBO(problem, random_state=0, log_dir=folder)
    search.tell([(dict(zip(names, flat(o.candidate), strict=True)), -float(o.log10_error or 0)) for o in known])

    def ask() -> int:
        (config,) = search.ask(1)
        row = [int(config[name]) for name in names]
        error, _ = error_of(row[1 : 1 + row[0]], *row[-2:])
        search.tell([(config, -error)])
        return 1

    return ask


METHODS: dict[str, Callable[[History], Asked]] = {
    **{name: ours(name, 1) for name in SAMPLERS if name != "grid"},
    "gp, generations": ours("gp", GENERATION),
    "optuna-tpe": _optuna(lambda samplers: samplers.TPESampler(seed=0), conditional=True),
    "optuna-tpe-grouped": _optuna(
        lambda samplers: samplers.TPESampler(seed=0, multivariate=True, group=True), conditional=True
    ),
    "optuna-gp-flat": _optuna(lambda samplers: samplers.GPSampler(seed=0), conditional=False),
    "botorch": botorch,
    "deephyper": deephyper,
}


# -- measure -------------------------------------------------------------------------------------------------------


def measure(name: str, n_trials: int, n_asks: int, limit_s: float) -> None:
    """Print CPU seconds and suggestions of each ask, in this process, the first apart; past the limit it is ended."""
    warnings.simplefilter("ignore")
    METHODS[name](history(N_WARM))()
    asked = METHODS[name](history(n_trials))
    end = int(time.process_time() + limit_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (end, end))
    ask(asked)  # the first, which counts apart
    suggested = 0
    while suggested < n_asks:
        suggested += ask(asked)


def ask(asked: Asked) -> int:
    """Ask once, print CPU seconds and how many were suggested, and return the latter."""
    start = time.process_time()
    n = asked()
    print(json.dumps([time.process_time() - start, n]), flush=True)
    return n


Asks = list[tuple[float, int]]
"""CPU seconds and suggestions of each ask, the first one before all that count."""


def measure_apart(name: str, n_trials: int, n_asks: int, limit_s: float) -> Asks:
    """Return what asks took in a process of its own; fewer where it ran over the limit."""
    command = [sys.executable, "-m", "benchmarks.search.suggestion_cost", "--entry", name, str(n_trials)]
    command += ["--asks", str(n_asks), "--limit", str(limit_s)]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, env=os.environ | one_thread, capture_output=True, text=True, check=False)
    if done.returncode != 0 and done.returncode >= 0:  # not ended by the limit
        sys.exit(f"{name} after {n_trials} trials failed:\n{done.stderr}")
    return [(float(spent), int(n)) for line in done.stdout.splitlines() for spent, n in [json.loads(line)]]


def run(names: Sequence[str], lengths: Sequence[int], least_asks: int, limit_s: float, out: Path) -> None:
    """Measure one entry after the other, all methods at one length side by side; write and print."""
    times: dict[str, dict[str, Asks]] = {name: {} for name in names}
    lines: list[dict[str, Any]] = []
    for n_trials in lengths:
        for name in names:
            found = measure_apart(name, n_trials, max(least_asks, n_trials // 10), limit_s)
            times[name][str(n_trials)] = [(round(spent, 5), n) for spent, n in found]
            lines.append({"method": name, "trials": n_trials} | summary(found, limit_s))
            print(*lines[-1].values(), flush=True)
    write(out / "suggestion_cost.csv", lines)
    facts = {"commit": commit(), "versions": {name: importlib.metadata.version(name) for name in PACKAGES}}
    facts |= {"least_suggestions": least_asks, "limit_s": limit_s, "cpu_s_and_suggestions": times}
    (out / "suggestion_cost.json").write_text(json.dumps(facts) + "\n")
    plot(lines, out / "suggestion_cost.png")


def summary(found: Asks, limit_s: float) -> dict[str, Any]:
    """Return median, mean and first CPU seconds of a suggestion, and how many the first two are of.

    Of an entry that was cut off before its second ask the first stands for all; before its first, the limit, a bound
    from below.
    """
    first, *rest = found or [(limit_s, 1)]
    each = [spent / n for spent, n in rest for _ in range(n)]
    figures = {"median_s": np.median(each or [first[0]]), "mean_s": np.mean(each or [first[0]]), "first_s": first[0]}
    return {name: round(float(value), 5) for name, value in figures.items()} | {"suggestions": len(each)}


def write(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def plot(lines: Sequence[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7.5, 4.8), constrained_layout=True)
    names = list(dict.fromkeys(line["method"] for line in lines))
    for i, name in enumerate(names):
        of = [line for line in lines if line["method"] == name]
        style = {"marker": "o", "ls": "-"} if name.partition(",")[0] in SAMPLERS else {"marker": "s", "ls": "--"}
        style |= {"color": plt.get_cmap("tab20")(i % 20), "lw": 2 if name.startswith("gp") else 1.2, "ms": 4}
        axis.plot([line["trials"] for line in of], [line["mean_s"] for line in of], label=name, **style)
        over = [line for line in of if not line["suggestions"]]  # cut off before a second ask
        axis.plot([line["trials"] for line in over], [line["mean_s"] for line in over], "^", color="k", ms=7)
    axis.set(xscale="log", yscale="log", xlabel="ended trials", ylabel="CPU s a suggestion, mean (triangles: cut off)")
    axis.grid(alpha=0.25, which="both")
    axis.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="METHOD")
    parser.add_argument("--trials", nargs="+", type=int, default=list(TRIALS), help="lengths of the history")
    parser.add_argument("--asks", type=int, default=N_ASKS, help=f"least suggestions of each (default: {N_ASKS})")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help=f"CPU s of an entry (default: {LIMIT_S})")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    parser.add_argument("--entry", nargs=2, metavar=("METHOD", "TRIALS"), help="one entry alone, in this process")
    arguments = parser.parse_args()
    if arguments.entry:
        name, n_trials = arguments.entry
        measure(name, int(n_trials), arguments.asks, arguments.limit)
    else:
        run(arguments.methods, arguments.trials, arguments.asks, arguments.limit, arguments.out)


if __name__ == "__main__":
    main()
