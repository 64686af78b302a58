"""How the search went and where it looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from nas_fpga.report._course import Step
from nas_fpga.report._figure import Figure, View
from nas_fpga.report._front_figures import merit_axis, top_of
from nas_fpga.report._gather import ReportData
from nas_fpga.report._theme import axis, layout, log_ticks
from nas_fpga.space import SETTING_SCALES, BitWidths
from nas_fpga.study import TrialRecord

_TRIALS = "trials so far"
_EACH = 6  # counts up to which every one has a tick
_PROPOSERS = {  # who, colour, symbol, pattern of bars
    "included": ("@orange", "diamond", "x"),
    "random start": ("@purple", "square-open", "/"),
    "sampler": ("@blue", "circle", ""),
}


def best_figure(data: ReportData) -> Figure:
    """Draw every trial's figure of merit and the lowest so far, against trials and against time."""
    traces = []
    for by_time, steps in enumerate((data.steps, data.steps_by_time)):
        traces.append(_marks(data, steps, _places(steps, by_time)))
        so_far = [step for step in steps if step.best is not None]
        traces[by_time].append(
            _line("lowest so far", _places(so_far, by_time), [max(step.best or 0, data.front.floor) for step in so_far])
        )
    return Figure(
        name="progress-best",
        title="Best so far",
        label=f"{data.front.merit} of every trial and the lowest so far, against trials or minutes",
        data=tuple(traces[0]),
        layout=layout(
            axis(_TRIALS, type="linear", rangemode="tozero"),
            merit_axis(data.front),
            380,
        ),
        views=_by_trial_and_time(data, traces),
        group="Against",
    )


def settings_figure(data: ReportData) -> Figure | None:
    """Draw every trial's figure of merit over each searched training setting; None where none is searched."""
    names = data.stored.searched.names
    if not names:
        return None
    settings = {trial.number: trial.candidate.settings for trial in data.outcome.trials}
    views = []
    for name in names:
        places, across = _setting_axis(data, name, [getattr(settings[step.trial], name) for step in data.steps])
        views.append(View(_in_words(name), tuple(_marks(data, data.steps, places)), {"xaxis": across}))
    return Figure(
        name="settings",
        title="Training settings",
        label=f"{data.front.merit} of every trial against each training setting that is searched",
        data=tuple(views[0].traces),
        layout=layout(views[0].layout["xaxis"], merit_axis(data.front), 380),
        views=tuple(views) if len(views) > 1 else (),
        group="Against",
    )


def _setting_axis(data: ReportData, name: str, values: Sequence[float]) -> tuple[Sequence[float], dict[str, Any]]:
    """Return where the values of a searched setting lie, and the axis, on the scale that it is searched on.

    The axis is the whole range, and what was included from beyond. A 0 has its place left of a logarithmic scale.
    """
    searched = data.stored.searched
    ends = searched.ranges[name]
    title, scale = _in_words(name), SETTING_SCALES[name]
    if scale not in ("log", "powers of two"):
        low, high = min(*ends, *values), max(*ends, *values)
        margin = 0.03 * (high - low)
        return values, axis(title, type="linear", range=[low - margin, high + margin], tickvals=None, ticktext=None)
    above = [value for value in values if value > 0]
    low, high = min(*ends, *above), max(*ends, *above)
    margin = (high / low) ** 0.03
    ticks = log_ticks(low, high, "{:.3g}".format)
    if scale == "powers of two":
        levels = searched.values[searched.names.index(name)]
        ticks = {"tickvals": list(levels), "ticktext": [f"{level:,}" for level in levels]}
    if len(above) < len(values):
        low /= margin**3
        ticks = {"tickvals": [low, *ticks["tickvals"]], "ticktext": ["0", *ticks["ticktext"]]}
    places = [value or low for value in values]
    return places, axis(title, type="log", range=np.log10([low / margin, high * margin]).tolist(), **ticks)


def _in_words(name: str) -> str:
    return name.replace("_", " ")


def hypervolume_figure(data: ReportData) -> Figure:
    """Draw the hypervolume against trials and against time."""
    both = (data.steps, data.steps_by_time)
    traces = [
        [_line("hypervolume", _places(steps, by_time), [step.hypervolume for step in steps])]
        for by_time, steps in enumerate(both)
    ]
    return Figure(
        name="progress-hypervolume",
        title="Hypervolume",
        label="Hypervolume of the front against trials or minutes",
        data=tuple(traces[0]),
        layout=layout(
            axis(_TRIALS, type="linear", rangemode="tozero"),
            axis("hypervolume", rangemode="tozero"),
            380,
            showlegend=False,
        ),
        views=_by_trial_and_time(data, traces),
        group="Against",
    )


def _marks(data: ReportData, steps: Sequence[Step], places: Sequence[float]) -> list[dict[str, Any]]:
    """Return the figures of merit of the feasible networks at these places, one trace for each proposer."""
    top, merit = top_of(data.front), escape(data.front.merit, quote=False)
    traces = []
    for who, (colour, symbol, _) in _PROPOSERS.items():
        of = [
            (step, step.error, place)
            for step, place in zip(steps, places, strict=True)
            if step.proposed_by == who and step.error is not None
        ]
        symbols = ["triangle-up" if error > top else symbol for _, error, _ in of]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": who,
                "showlegend": bool(of),
                "marker": {"symbol": symbols, "color": colour, "size": 6, "line": {"width": 1.2, "color": colour}},
                "x": [place for _, _, place in of],
                "y": [min(max(error, data.front.floor), top) for _, error, _ in of],
                "hoverinfo": "text",
                "hovertext": [
                    f"<b>trial {step.trial}&nbsp; {step.network}</b><br>{merit}: {error:.4f}" for step, error, _ in of
                ],
            }
        )
    return traces


def _line(name: str, x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    line = {"shape": "hv", "color": "@green", "width": 2}
    marker = {"size": 5, "color": "@green"}
    mode = "lines" if len(x) > 1 else "markers"
    return {"type": "scatter", "mode": mode, "name": name, "x": x, "y": y, "line": line, "marker": marker}


def _places(steps: Sequence[Step], by_time: int) -> list[float]:
    return [(step.minutes or 0.0) if by_time else step.trial + 1 for step in steps]


def _by_trial_and_time(data: ReportData, traces: Sequence[Sequence[dict[str, Any]]]) -> tuple[View, ...]:
    titles = (_TRIALS, "minutes in which trials were trained")
    views = [
        View(label, tuple(traces[i]), {"xaxis": axis(titles[i], type="linear", rangemode="tozero")})
        for i, label in enumerate(("trials", "time"))
    ]
    return tuple(views) if data.steps_by_time else ()


def where_figures(data: ReportData) -> tuple[Figure, ...]:
    """Draw how often each depth, size and bit width was tried, by who proposed it."""
    trials = data.outcome.trials
    depths = [trial.candidate.n_layers for trial in trials]
    figures = [
        _counts("depth", "Depth", "hidden layers", trials, depths, range(1, max(depths) + 1)),
        _sizes(trials),
    ]
    uniform = [(trial, trial.candidate.bits) for trial in trials if isinstance(trial.candidate.bits, BitWidths)]
    if uniform:
        d, chosen = data.stored, [trial for trial, _ in uniform]
        weight_bits = [bits.weights for _, bits in uniform]
        activation_bits = [bits.activations for _, bits in uniform]
        of_weights = ("weight-bits", "Weight bits", "bits of a weight", chosen, weight_bits)
        of_activations = ("activation-bits", "Activation bits", "bits of an activation", chosen, activation_bits)
        figures += [_counts(*of_weights, _range(d.weight_bits)), _counts(*of_activations, _range(d.activation_bits))]
    return tuple(figures)


def _range(ends: tuple[int, int]) -> range:
    return range(ends[0], ends[1] + 1)


def _sizes(trials: Sequence[TrialRecord]) -> Figure:
    """Return a histogram of the total neurons, in bins of equal ratio."""
    neurons = np.array([trial.candidate.n_neurons for trial in trials])
    low, high = int(neurons.min()), int(neurons.max())
    edges = np.unique(np.geomspace(low, high + 1, 9).round().astype(int))
    edges[-1] = high + 1  # rounding must not lose the largest
    bins = np.digitize(neurons, edges) - 1
    names = [
        f"{a}" if b == a + 1 else f"{a}-{b - 1}" for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    return _counts(
        "sizes", "Neurons", "hidden neurons over all layers", trials, bins.tolist(), range(len(names)), names
    )


def _counts(
    name: str,
    title: str,
    axis_title: str,
    trials: Sequence[TrialRecord],
    values: Sequence[int],
    bins: range,
    names: Sequence[str] | None = None,
) -> Figure:
    labels = list(names or map(str, bins))
    highest = max(Counter(values).values())
    traces = []
    for who, (colour, _, pattern) in _PROPOSERS.items():
        counts = Counter(value for trial, value in zip(trials, values, strict=True) if trial.proposed_by == who)
        if counts:
            traces.append(
                {
                    "type": "bar",
                    "name": who,
                    "x": labels,
                    "y": [counts[value] for value in bins],
                    "marker": {
                        "color": colour,
                        "pattern": {"shape": pattern, "fgcolor": "@paper", "size": 6, "fillmode": "overlay"},
                        "line": {"width": 0},
                    },
                    "hovertemplate": f"%{{y}} trials, {axis_title}: %{{x}}<extra>{who}</extra>",
                }
            )
    return Figure(
        name=f"where-{name}",
        title=title,
        label=f"Histogram of {axis_title} over {len(trials)} trials",
        data=tuple(traces),
        layout=layout(
            axis(axis_title, type="category", categoryorder="array", categoryarray=labels, ticks=""),
            axis("trials", rangemode="tozero", **({"dtick": 1} if highest <= _EACH else {})),
            270,
            barmode="stack",
            bargap=0.15,
            showlegend=len(traces) > 1,
        ),
    )
