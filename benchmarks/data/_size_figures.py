"""Figure of merit against neurons, as a table and as a plot."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, variance
from typing import Any

from benchmarks.data._tasks import TASKS, Task
from benchmarks.data.baseline_networks import NEURONS, SEEDS, Row, name_of, topologies
from nas_fpga.errors import InputError

METHODS = ("boosted trees", "logistic regression")

# Okabe and Ito, "Color universal design" (2008), with markers and line styles for prints without colour.
NETWORK_STYLES = {
    1: ("network, one hidden layer", "#0072B2", "o", 0.93),
    2: ("network, two equal layers", "#D55E00", "s", 1.07),
}
METHOD_STYLES = {"boosted trees": ("#009E73", "--"), "logistic regression": ("#7F7F7F", ":")}


@dataclass(frozen=True)
class Reference:
    """What a method without neurons reaches on test, with its 95 % interval."""

    test: float
    low: float
    high: float


def is_accuracy(task: Task) -> bool:
    """Return whether the figures of a data set are accuracies; of the others they are pion efficiencies."""
    return not task.name.startswith("hgcal")


def read_references(hgcal: Path, classes: Path) -> dict[tuple[Task, str], Reference]:
    """Return the figures of boosted trees and logistic regression, of ``hgcal`` candidates at 95 % of the electrons.

    Raises:
        InputError: A data set has none.
    """
    found: dict[tuple[str, str, str], Reference] = {}
    for line in _lines(hgcal):
        if (line["definition"], line["signal_efficiency"]) == ("candidates", "0.95"):
            name = f"hgcal, pile-up {line['pileup']}"
            found[name, line["features"], line["method"]] = _reference(line, "pion_efficiency")
    for line in _lines(classes):
        found[line["data"], line["features"], line["method"]] = _reference(line, "accuracy")
    references = {}
    for task in TASKS:
        for method in METHODS:
            key = task.name, task.features, method
            if key not in found:
                raise InputError(
                    f"no {method} of {task.name} ({task.features}); run python -m benchmarks.data.baselines"
                )
            references[task, method] = found[key]
    return references


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _reference(line: Mapping[str, str], column: str) -> Reference:
    return Reference(float(line[column]), float(line["low"]), float(line["high"]))


def figures_of(rows: Sequence[Row], task: Task, topology: tuple[int, ...]) -> list[float]:
    """Return the test figures of a topology, seed by seed.

    Raises:
        InputError: They are not one for each seed.
    """
    name = name_of(topology)
    mine = [row for row in rows if (row.data, row.features, row.topology) == (task.name, task.features, name)]
    if sorted(row.seed for row in mine) != sorted(SEEDS):
        seeds = ", ".join(str(row.seed) for row in mine) or "none"
        raise InputError(f"{task.name} ({task.features}), {name} has seeds {seeds}, not {', '.join(map(str, SEEDS))}")
    return [row.test for row in sorted(mine, key=lambda row: row.seed)]


def size_lines(rows: Sequence[Row]) -> tuple[tuple[str, ...], Iterator[Sequence[str]]]:
    """Return header and lines of the table: neurons, topology, and for each data set the median and range of seeds."""
    header = ("neurons", "topology", *(f"{task.name}, {task.features}" for task in TASKS))
    return header, (
        (str(neurons), name_of(topology), *(_cell(figures_of(rows, task, topology)) for task in TASKS))
        for neurons in NEURONS
        for topology in topologies(neurons)
    )


def noise_lines(rows: Sequence[Row]) -> tuple[tuple[str, ...], Iterator[Sequence[str]]]:
    """Return header and lines of the table of what networks of 32 neurons or more scatter by, by data set.

    The seeds' standard deviation is the root mean square over topologies; the standard error of one network, from the
    choice of test rows and the working point, is the mean width of the 95 % intervals over 2 x 1.96.
    """

    def lines() -> Iterator[Sequence[str]]:
        for task in TASKS:
            mine = [r for r in rows if (r.data, r.features) == (task.name, task.features) and r.neurons >= 32]
            by_topology = [[r.test for r in mine if r.topology == name] for name in {r.topology for r in mine}]
            seeds = math.sqrt(fmean(variance(figures) for figures in by_topology))
            one = fmean(r.high - r.low for r in mine) / (2 * 1.96)
            yield f"{task.name}, {task.features}", f"{seeds:.4f}", f"{one:.4f}"

    return ("data", "standard deviation over seeds", "standard error of one network"), lines()


def _cell(figures: Sequence[float]) -> str:
    middle = median(figures)
    decimals = 3 if middle >= 0.01 else 4  # a pion of 650 is .0015
    return f"{middle:.{decimals}f} ({min(figures):.{decimals}f}-{max(figures):.{decimals}f})"


def reference_lines(
    references: Mapping[tuple[Task, str], Reference], data: str
) -> tuple[tuple[str, ...], Iterator[Sequence[str]]]:
    """Return header and lines of the table of the methods without neurons on one data set."""
    return ("method", "accuracy", "95 % interval"), (
        (method, f"{reference.test:.3f}", f"{reference.low:.3f}-{reference.high:.3f}")
        for (task, method), reference in references.items()
        if task.name == data
    )


def plot_sizes(rows: Sequence[Row], references: Mapping[tuple[Task, str], Reference], path: Path) -> None:
    """Draw a panel for each data set: what is lost (pion efficiency, error rate) against neurons, both axes log.

    Lines join the medians of the seeds, dots are the seeds, bands the 95 % intervals of the other methods.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(11.5, 6.8), sharex=True, layout="constrained")
    # hgcal with pile-up above, without below; the data sets of several classes in the last column.
    places = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (1, 2)]
    for task, place in zip(TASKS, places, strict=True):
        _draw(axes[place], task, rows, {method: references[task, method] for method in METHODS})
    for axis in axes[1]:
        axis.set_xlabel("hidden neurons")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw(axis: Any, task: Task, rows: Sequence[Row], references: Mapping[str, Reference]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    lost = (lambda value: 1 - value) if is_accuracy(task) else (lambda value: value)
    networks = {
        depth: {
            neurons: [lost(value) for value in figures_of(rows, task, topology)]
            for neurons in NEURONS
            for topology in topologies(neurons)
            if len(topology) == depth
        }
        for depth in NETWORK_STYLES
    }
    bands = {method: sorted(map(lost, (r.low, r.high))) for method, r in references.items()}
    drawn = [value for by_size in networks.values() for values in by_size.values() for value in values]
    drawn += [end for band in bands.values() for end in band] + [lost(r.test) for r in references.values()]
    bottom, top = min(value for value in drawn if value > 0) / 1.15, max(drawn) * 1.15
    for depth, by_size in networks.items():
        label, colour, marker, shift = NETWORK_STYLES[depth]
        medians = [median(values) for values in by_size.values()]
        # The marker is for the legend alone: the seeds are the dots. Where no pion passes they lie on the lower edge.
        axis.plot(list(by_size), medians, color=colour, lw=1.6, marker=marker, ms=5, markevery=[], label=label)
        axis.scatter(
            [neurons * shift for neurons, values in by_size.items() for _ in values],
            [max(value, bottom) for values in by_size.values() for value in values],
            color=colour,
            marker=marker,
            s=16,
            alpha=0.75,
            linewidths=0,
            zorder=4,
        )
    for method, reference in references.items():
        colour, line = METHOD_STYLES[method]
        low, high = bands[method]
        axis.axhspan(max(low, bottom), high, color=colour, alpha=0.13, lw=0)
        axis.axhline(lost(reference.test), color=colour, ls=line, lw=1.6, zorder=1, label=method)
    axis.set(xscale="log", yscale="log", ylim=(bottom, top), title=f"{task.name}, {task.features}")
    axis.set_ylabel("error rate (1 - accuracy)" if is_accuracy(task) else "pion efficiency at 95 % electron")
    axis.xaxis.set_major_locator(FixedLocator(NEURONS))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_locator(FixedLocator(_ticks(bottom, top)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.grid(alpha=0.3)


def _ticks(bottom: float, top: float) -> list[float]:
    """Return round values within the limits, at most about eight."""
    decades = range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)
    for steps in ((1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8), (1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5, 7), (1, 2, 5), (1,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps if bottom <= step * 10.0**decade <= top]
        if len(ticks) <= 8:
            return ticks
    return ticks
