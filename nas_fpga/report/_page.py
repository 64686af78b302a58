"""Puts the report together: words, plots and tables in one HTML page."""

from __future__ import annotations

import base64
import importlib.resources
import json
import math
from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any

from nas_fpga import __version__
from nas_fpga.explanation import PARTS, notes, quality
from nas_fpga.hardware import rung_of
from nas_fpga.report import _explain_figures as mattered
from nas_fpga.report import _network_figures as networks
from nas_fpga.report import _search_figures as course
from nas_fpga.report._figure import Figure
from nas_fpga.report._front_data import short_part
from nas_fpga.report._front_figures import front_figure, neurons_figure
from nas_fpga.report._gather import ReportData
from nas_fpga.report._tables import failures, front_table, layers_table, settings_tables
from nas_fpga.report._theme import DARK, LIGHT

_DIGITS = 5  # of numbers in plots: far below a pixel


def page(data: ReportData) -> str:
    """Return the whole page."""
    from plotly.offline import get_plotlyjs

    figures: list[Figure] = []
    sections = _sections(data, figures)
    contents = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title, _ in sections)
    body = "".join(f'<section id="{name}"><h2>{escape(title)}</h2>{text}</section>\n' for name, title, text in sections)
    folder = importlib.resources.files("nas_fpga.report")
    read = {name: (folder / name).read_text(encoding="utf-8") for name in ("report.html", "report.css", "report.js")}
    definition, dataset = data.stored, data.outcome.setup.dataset
    part = short_part(data.outcome.setup.target.part.name)
    heading = f"{dataset.name}: networks of at most {definition.budget:,} neurons for the {part}"
    return Template(read["report.html"]).substitute(
        title=escape(f"{data.outcome.folder.name}: nas-fpga report"),
        study=escape(data.outcome.folder.name),
        heading=escape(heading),
        lede=_lede(data),
        notices=_notices(data),
        cards=_cards(data),
        knee=escape(_sentence(str(data.front.knee))),
        contents=contents,
        sections=body,
        version=escape(__version__),
        css=read["report.css"],
        script=read["report.js"],
        plotly=get_plotlyjs(),
        figures=_json_for_html({"light": LIGHT, "dark": DARK, "figures": [_plain(figure) for figure in figures]}),
    )


def _plain(figure: Figure) -> dict[str, Any]:
    views = [{"traces": view.traces, "layout": view.layout} for view in figure.views]
    data = [
        {
            key: value
            for key, value in trace.items()
            if not views or not all(key in view.traces[i] for view in figure.views)
        }
        for i, trace in enumerate(figure.data)
    ]  # what every view brings along need not stand twice
    return {"name": figure.name, "data": data, "layout": figure.layout, "views": views}


def _json_for_html(value: Any) -> str:
    """Return JSON that ends no script element, whatever text is in it; numbers are rounded."""
    text = json.dumps(_rounded(value), separators=(",", ":"), allow_nan=False)
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


# -- words -------------------------------------------------------------------------------------------------------------


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _lede(data: ReportData) -> str:
    trials = data.outcome.trials
    complete = sum(trial.state == "complete" for trial in trials)
    front = len(data.front.front)
    on_front = "one is" if front == 1 else f"{front} are"
    times = [time for trial in trials for time in (trial.started_at, trial.ended_at) if time is not None]
    minutes = data.steps_by_time[-1].minutes if data.steps_by_time else None
    took = (
        "" if minutes is None else f" in {minutes:.1f} minutes" if minutes >= 1 else f" in {60 * minutes:.0f} seconds"
    )
    when = f" on {min(times):%d %B %Y}" if times else ""
    n_polished = sum(trial.polished is not None and trial.polished.cause is None for trial in trials)
    polished = f", {n_polished} of them polished with learned bits" if n_polished else ""
    return escape(
        f"{complete:,} networks were trained and quantized{when}{took}{polished}; {on_front} on the front of "
        f"{data.front.merit} against the {data.front.axis.partition(', ')[0]}."
    )


def _notices(data: ReportData) -> str:
    notices = []
    trials = data.outcome.trials
    ended = sum(trial.ended for trial in trials)
    if ended < data.n_trials:
        notices.append(f"This search has not ended: {ended:,} of {data.n_trials:,} trials are in this report.")
    if data.failed:
        n = len(data.failed)
        notices.append(f"{n} of {len(trials)} trials failed; their causes stand below.")
    if data.unpolished:
        m = sum(trial.polished is not None for trial in trials)
        notices.append(f"{len(data.unpolished)} of {m} networks could not be polished; their causes stand below.")
    notices += [f"{data.outcome.by_law_note}."] if data.outcome.by_law else []
    notices += [f"Left out: {reason}." for reason in dict.fromkeys(data.outcome.lost.values())]
    if data.report_command is not None:
        notices.append("The networks are mapped anew under other limits than those of the search; nothing was trained.")
    return "".join(f'<p class="notice">{escape(notice)}</p>' for notice in notices)


def _cards(data: ReportData) -> str:
    row = data.outcome.best
    figures = row.point.mapped.figures
    copies = f"{figures.copies} copies" if figures.copies > 1 else "1 copy"
    low, high = row.test_interval
    seen = f"test [{low:.4f}, {high:.4f}]; precision {row.test.precision:.4f}; {row.point.error:.4f} on validation"
    lut = figures.lut
    cost = (
        f"[{lut.low:,.0f}, {lut.high:,.0f}] at {lut.stage} by {rung_of(lut)}; {figures.dsp.value:,.0f} DSP, "
        f"{figures.latency_ns.value:,.0f} ns, "
        f"{copies}, {row.share:.2%} of the limits"
    )
    cards = (
        (
            "Best: the cheapest as good as the most precise",
            row.trial.name_of(row.point),
            f"point {row.point.name}, mapping {row.point.mapped.mapping}; "
            f"{sum(row.trial.topology_of(row.point)):,} neurons, {row.n_weights:,} weights",
        ),
        (f"Its {data.front.merit}", f"{row.test.error:.4f}", seen),
        ("Its cost", f"{lut.value:,.0f} LUT", cost),
    )
    return "".join(
        f'<div class="card"><h2>{escape(title)}</h2><p class="value">{escape(value)}</p><p>{escape(text)}</p></div>'
        for title, value, text in cards
    )


# -- sections ----------------------------------------------------------------------------------------------------------


def _figure(figure: Figure, caption: str, figures: list[Figure]) -> str:
    """Return the place of a figure, with its buttons, and note that it is to be drawn there."""
    figures.append(figure)
    buttons = "".join(
        f'<button type="button" data-figure="{figure.name}" data-view="{i}" aria-pressed="{str(i == 0).lower()}">'
        f"{view.label}</button>"
        for i, view in enumerate(figure.views)
    )
    views = f'<div class="views" role="group" aria-label="{escape(figure.group)}">{buttons}</div>' if buttons else ""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><h3>{escape(figure.title)}</h3>{views}<div class="plot" id="plot-{figure.name}" role="img" '
        f'aria-label="{escape(figure.label)}" style="min-height:{figure.layout["height"]}px"></div>{below}</figure>'
    )


def _grid(parts: Sequence[str], kind: str = "") -> str:
    return f'<div class="grid{kind}">{"".join(parts)}</div>'


def _how(text: str) -> str:
    return f'<p class="how">{escape(text)}</p>'


def _sections(data: ReportData, figures: list[Figure]) -> list[tuple[str, str, str]]:
    """Return name, title and HTML of every section, in order, and collect their figures."""
    return [
        ("front", "The front", _front(data, figures)),
        ("table", "The front in figures", _table(data)),
        ("search", "The search", _search(data, figures)),
        *([("explain", "What mattered", _explain(data, figures))] if data.findings.is_enough else []),
        ("networks", "The networks of the front", _networks(data, figures)),
        ("layers", "The best network, layer by layer", _layers(data, figures)),
        ("failures", "Failures", _failures(data)),
        ("repeat", "To repeat it", _repeat(data)),
    ]


def _front(data: ReportData, figures: list[Figure]) -> str:
    floor = (
        f" An error of 0 is drawn at {data.front.floor:.2g}, half a row."
        if any(point.network.error <= data.front.floor for point in data.front.front)
        else ""
    )
    front = _figure(
        front_figure(data.front),
        "Lower is more precise, further left is cheaper. A bar is one standard error of the paired difference to the "
        "most precise network; a bar that reaches the dotted line means as good as that one, and the star is the "
        "cheapest such network. Point at a mark for its figures." + floor,
        figures,
    )
    neurons = _figure(
        neurons_figure(data.front),
        "Every trained network: how far networks of one size scatter, and where more neurons stop to help.",
        figures,
    )
    return front + neurons


def _table(data: ReportData) -> str:
    stage = data.outcome.best.point.mapped.figures.lut.stage
    href = base64.b64encode(data.csv.encode()).decode()
    return (
        _how(
            "Corrected: validation with the optimism of picking the best of many added. To most precise: difference on "
            "validation to the most precise network, with its paired 95 % interval. Precision: 1 - test. P(front): "
            "share of resamples in which no other network is as good and as cheap. Validation orders; test was "
            "computed once: where all its figures lie on one side, its rows are harder or easier as such, so compare "
            "within a column. w6a4: weights of 6 and activations of 4 bits; da: distributed arithmetic (adders, no "
            f"multipliers). Validation, test: {data.front.merit}, 95 % intervals. LUT, FF, DSP, BRAM18, ns, II: one "
            f"copy, 90 % intervals, at {stage}, of da from da4ml's adder graph of the weights, of others by estimate; "
            "share: all copies. The best is shaded and has a star."
        )
        + front_table(data.outcome)
        + '<p class="download"><a class="button" download="front.csv" '
        + f'href="data:text/csv;charset=utf-8;base64,{href}">Download front.csv</a>'
        ' <span class="how">all figures of every point</span></p>'
    )


def _search(data: ReportData, figures: list[Figure]) -> str:
    polished = any(trial.polished for trial in data.outcome.trials)
    before_polish = " Before polish, which adds to the front above." if polished else ""
    best = "Marks are networks that keep the limits."
    hypervolume = (
        "Share of the square of log error (1 to 0.001) and log resource share (1 to 1e-6) that the front covers; "
        "more is better."
    )
    progress = _grid(
        [
            _figure(course.best_figure(data), best + before_polish, figures),
            _figure(course.hypervolume_figure(data), hypervolume + before_polish, figures),
        ]
    )
    where = _grid([_figure(figure, "", figures) for figure in course.where_figures(data)], " small")
    how = _how("How many networks of each kind were proposed, and by whom.")
    settings = course.settings_figure(data)
    below = "Marks are networks that keep the limits; the axis is what was searched or included."
    trained = "" if settings is None else _figure(settings, below, figures)
    return f"{progress}{trained}<h3>Where it looked</h3>{how}{where}"


def _explain(data: ReportData, figures: list[Figure]) -> str:
    """Say how far the surrogates are to be believed, then draw what they say."""
    findings = data.findings
    believed = "".join(f"<li>{escape(f'{of.target}: {quality(of)}')}.</li>" for of in findings.explanations)
    beside = "".join(f"<li>{escape(_sentence(note))}</li>" for note in notes(findings))
    importance = mattered.importance_figure(findings)
    parts = "" if importance is None else _figure(importance, PARTS, figures)
    mean = "Mean over the networks of the study, each with this one value and all else its own, with its 95 % interval."
    dependences = _grid([_figure(figure, mean, figures) for figure in mattered.dependence_figures(findings)])
    correlations = _figure(mattered.correlation_figure(findings), "", figures)
    return f"<ul>{believed}{beside}</ul>{parts}{dependences}{correlations}"


def _networks(data: ReportData, figures: list[Figure]) -> str:
    binary = data.outcome.setup.dataset.n_classes == 2
    signal = data.stored.signal_efficiency
    roc = (
        f"Marks are the working points: thresholds at which {100 * signal:g} % of the signal pass on validation, kept "
        "on test."
        if binary
        else "The best network, each class against the rest; no row at all is drawn as half a row. Marks are where it "
        "decides: the most probable class."
    )
    scores = (
        "The best network. Rows right of the dotted line pass."
        if binary
        else "The best network on test: rows of the class against all others."
    )
    learning = (
        "Solid: validation; dotted: training, both quantized. The mark is the lowest validation loss: with fixed bits "
        "its weights were kept, with learned bits those of several epochs. Thin lines are the other networks of the "
        "front."
    )
    return _grid(
        [
            _figure(networks.roc_figure(data), roc, figures),
            _figure(networks.scores_figure(data), scores + " The outermost bins hold all beyond.", figures),
        ]
    ) + _figure(networks.curves_figure(data), learning, figures)


def _layers(data: ReportData, figures: list[Figure]) -> str:
    row = data.outcome.best
    by_layer = any(layer.lut is not None for layer in data.layers)
    lut = row.point.mapped.figures.lut
    luts = f"LUT at {lut.stage}, one copy; in sum {lut.value:,.0f}" if by_layer else "LUT by layer are not known"
    what = f"{row.point.name}, {row.trial.name_of(row.point)}, mapping {row.point.mapped.mapping}"
    caption = f"{what}. EBOPs: effective bit operations. {luts}."
    return (
        _how(caption)
        + layers_table(data.layers)
        + _grid(
            [
                _figure(networks.kept_figure(data), "Weights of 0 cost nothing.", figures),
                _figure(networks.weights_figure(data), "", figures),
            ]
        )
    )


def _failures(data: ReportData) -> str:
    return failures(data.failed, data.unpolished) if data.failed or data.unpolished else "<p>No trial failed.</p>"


def _repeat(data: ReportData) -> str:
    if data.search_command is None:
        command = _how(
            "This search was started from Python, with rows or settings that the command line does not have:"
        )
    else:
        command = f"<p>The search:</p><pre><code>{escape(data.search_command)}</code></pre>"
    if data.report_command is not None:
        command += f"<p>This report, under its limits:</p><pre><code>{escape(data.report_command)}</code></pre>"
    command += _how(
        "With the same data, seed and versions on the same machine it finds the same networks, whatever the number of "
        "workers."
    )
    return command + settings_tables(data)
