"""A comparison in tables and a few sentences, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from nas_fpga.comparison._curves import LEAST_RATIO, Band, VarianceRatio
from nas_fpga.comparison._outcome import Comparison, Method

NEVER = "-"


def verdict(comparison: Comparison) -> str:
    """Return whether the comparison says anything of its methods; empty where no noise was to be measured."""
    noise, log, d = comparison.noise, comparison.log_noise, comparison.definition
    if noise is None or log is None:
        if not (d.whole_grid or d.noise_points):
            return ""
        return (
            "Whether this comparison says anything is not known: no points of the grid were trained twice, so methods "
            "may differ by no more than trainings of one network do"
        )
    told = (
        f"(log10 of the error, which samplers learn from; of the error itself {ratio_cell(noise)}; {log.n_repeated} of "
        f"{log.n_candidates} points trained twice; 95 % intervals)"
    )
    if not comparison.is_conclusive:
        return (
            "This comparison says nothing of the methods: the variance between points of the grid is "
            f"{ratio_cell(log)} times that between trainings of one, below the {LEAST_RATIO:g} that it takes {told}"
        )
    return (
        f"The variance between points of the grid is {ratio_cell(log)} times that between trainings of one, at least "
        f"the {LEAST_RATIO:g} that a comparison takes {told}"
    )


def ratio_cell(of: VarianceRatio) -> str:
    """Return a ratio of variances with its interval."""
    low, high = of.interval
    return f"{of.ratio:.2f} [{low:.2f}, {high:.2f}]"


def comparison_cells(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row of texts for each method."""
    return [_row(comparison, method) for method in comparison.methods]


def _row(comparison: Comparison, method: Method) -> dict[str, str]:
    row = {
        "method": method.name,
        "trials": str(len(method.best.at)),
        "error [quartiles]": _quartiles(method.best),
    }
    if not comparison.by_precision:
        row["hypervolume [quartiles]"] = _quartiles(method.hypervolume)
    row["training"] = duration(method.seconds)
    if comparison.target is not None:
        row["reaches the target"] = _trial(comparison.reaching_target(method))
    if comparison.definition.retrain:
        row["trained again"] = _mean(of.mean for of in method.retrained)
        row["spread"] = _mean(of.deviation for of in method.retrained)
    return row


def reaches_cells(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row of texts for each method: when it is where each other one ends; no rows of one method alone."""
    quantity = "error" if comparison.by_precision else "hypervolume"
    methods = comparison.methods
    return [
        {"reaches": method.name}
        | {
            other.name: "" if other is method else _trial(comparison.reaches(method, other)[quantity])
            for other in methods
        }
        for method in methods
        if len(methods) > 1
    ]


def _quartiles(band: Band) -> str:
    return f"{band.median[-1]:.4f} [{band.low[-1]:.4f}, {band.high[-1]:.4f}]"


def _mean(figures: Iterable[float]) -> str:
    """Return the mean of those that there are."""
    found = [figure for figure in figures if isfinite(figure)]
    return f"{sum(found) / len(found):.4f}" if found else NEVER


def _trial(trial: int | None) -> str:
    return NEVER if trial is None else str(trial)


def duration(seconds: float) -> str:
    """Return `75 s` or `12 min`."""
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def comparison_words(comparison: Comparison) -> list[str]:
    """Return what was compared, and what the tables say: the first is its heading."""
    d, setup = comparison.definition, comparison.setup
    base = d.base
    depth = f"{base.max_layers}" if base.min_layers == base.max_layers else f"up to {base.max_layers}"
    limits = "no hardware limits" if setup.target.unlimited else f"limits of {setup.target.part.name}"
    quantity = "error" if comparison.by_precision else "hypervolume"
    seeds = f"seed {base.seed}" if d.n_seeds == 1 else f"seeds {base.seed} to {base.seed + d.n_seeds - 1}"
    whole = d.whole_grid and "grid" in d.samplers
    words = [
        f"{setup.dataset.name}: networks of at most {base.budget:,} neurons in {depth} layers, {limits}; "
        f"{seeds}{', the whole grid once' * whole}",
        f"error: {setup.merit_name} on validation, the lowest of a search, its median over seeds",
        "training: of one search, expected time of the epochs that ran, on one core; without the time that a method "
        "takes to propose",
        f"reaches: first trial after which the median {quantity} of the method of the row is where that of the column "
        "ends",
    ]
    words += filter(None, (method.studies[0].setup.sampler.describe() for method in comparison.methods))
    if comparison.target is not None:
        winner = next(method for method in comparison.methods if method.name == "grid").retrained[0].trial.candidate
        words.append(
            f"target: the error of the grid's winner, {winner}, in {d.retrain} further trainings: "
            f"{comparison.target:.4f} (precision {1 - comparison.target:.4f}); a search reaches it with its lowest "
            "error, which is of one training and flatters"
        )
    if any(method.retrained for method in comparison.methods):
        words.append(
            f"trained again: each search's winner {d.retrain} times with other seeds, the mean of all; spread: "
            "standard deviation of one training, the mean over winners"
        )
    wasted = {kind: sum(getattr(m, kind) for m in comparison.methods) for kind in ("n_infeasible", "n_duplicates")}
    words.append(
        f"{wasted['n_infeasible']} infeasible and {wasted['n_duplicates']} duplicate proposals, "
        f"{sum(m.n_failed for m in comparison.methods)} failed trials"
    )
    return words
