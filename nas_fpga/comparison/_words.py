"""A comparison in a table and a few sentences, for the terminal and the page alike."""

from __future__ import annotations

from nas_fpga.comparison._outcome import Comparison, Method

NEVER = "-"


def comparison_cells(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row of texts for each method."""
    return [_row(comparison, method) for method in comparison.methods]


def _row(comparison: Comparison, method: Method) -> dict[str, str]:
    best, volume = method.best, method.hypervolume
    row = {
        "method": method.name,
        "searches": str(len(method.studies)),
        "trials": str(len(best.at)),
        "lowest error": f"{best.median[-1]:.4f}",
        "[quartiles]": f"[{best.low[-1]:.4f}, {best.high[-1]:.4f}]",
    }
    quantity = "error"
    if not comparison.by_precision:
        quantity = "hypervolume"
        row["hypervolume"] = f"{volume.median[-1]:.4f}"
        row["[quartiles] "] = f"[{volume.low[-1]:.4f}, {volume.high[-1]:.4f}]"
    row["training"] = duration(method.seconds)
    if comparison.target is not None:
        row["reaches the target"] = _trial(comparison.reaching_target(method))
    for other in comparison.methods:
        same = other is method
        row[f"reaches {other.name}"] = "" if same else _trial(comparison.reaches(method, other)[quantity])
    if method.retrained:
        means = [of.mean for of in method.retrained]
        spreads = [of.deviation for of in method.retrained]
        row["trained again"] = f"{sum(means) / len(means):.4f}"
        row["spread"] = f"{sum(spreads) / len(spreads):.4f}"
    return row


def _trial(trial: int | None) -> str:
    return NEVER if trial is None else str(trial)


def duration(seconds: float) -> str:
    """Return `75 s` or `12 min`."""
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def comparison_words(comparison: Comparison) -> list[str]:
    """Return what was compared, and what the table says: the first is its heading."""
    d, setup = comparison.definition, comparison.setup
    base = d.base
    depth = f"{base.max_layers}" if base.min_layers == base.max_layers else f"up to {base.max_layers}"
    limits = "no hardware limits" if setup.target.unlimited else f"limits of {setup.target.part.name}"
    quantity = "error" if comparison.by_precision else "hypervolume"
    words = [
        f"{setup.dataset.name}: networks of at most {base.budget:,} neurons in {depth} layers, {limits}; "
        f"seeds {base.seed} to {base.seed + d.n_seeds - 1}",
        f"lowest error: {setup.merit_name} on validation, the median over seeds of the lowest of a search;\n"
        "training: of one search, expected seconds of the epochs that ran, on one core; "
        f"reaches: first trial after which the median {quantity}\nis where the other's ends",
    ]
    if comparison.target is not None:
        winner = next(method for method in comparison.methods if method.name == "grid").retrained[0].trial.candidate
        words.append(
            f"target: the error of the grid's winner, {winner}, in {d.retrain} further trainings: "
            f"{comparison.target:.4f} (precision {1 - comparison.target:.4f})"
        )
    if any(method.retrained for method in comparison.methods):
        words.append(
            f"trained again: each search's winner {d.retrain} times with other seeds, the mean of all; spread: "
            "standard deviation of one\ntraining, the mean over winners"
        )
    if comparison.noise is not None and comparison.log_noise is not None:
        noise, log = comparison.noise, comparison.log_noise
        words.append(
            f"variance between points of the grid over that between trainings of one: {noise.ratio:.1f} of the error, "
            f"{log.ratio:.1f} of its\nsmoothed logarithm ({noise.n_repeated} of {noise.n_candidates} points trained "
            "twice)"
        )
    wasted = {kind: sum(getattr(m, kind) for m in comparison.methods) for kind in ("n_infeasible", "n_duplicates")}
    words.append(
        f"{wasted['n_infeasible']} infeasible and {wasted['n_duplicates']} duplicate proposals, "
        f"{sum(m.n_failed for m in comparison.methods)} failed trials"
    )
    return words
