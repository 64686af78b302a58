"""Puts the report together: words, plots and tables in one HTML page."""

from __future__ import annotations

from html import escape

from nas_fpga.explanation import PARTS, notes, quality
from nas_fpga.hardware import rung_of
from nas_fpga.report import _explain_figures as mattered
from nas_fpga.report import _network_figures as networks
from nas_fpga.report import _search_figures as course
from nas_fpga.report._figure import Figure
from nas_fpga.report._front_data import short_part
from nas_fpga.report._front_figures import front_figure, neurons_figure
from nas_fpga.report._gather import ReportData
from nas_fpga.report._shell import Section, cards, document, download, figure_place, grid, how, lede, notice
from nas_fpga.report._tables import failures, front_table, layers_table, settings_tables


def page(data: ReportData) -> str:
    """Return the whole page."""
    figures: list[Figure] = []
    sections = _sections(data, figures)
    definition, dataset = data.stored, data.outcome.setup.dataset
    part = short_part(data.outcome.setup.target.part.name)
    name = data.outcome.folder.name
    knee = f'<p class="knee"><strong>Knee.</strong> {escape(_sentence(str(data.front.knee)))}</p>'
    return document(
        title=f"{name}: nas-fpga report",
        eyebrow=f"nas-fpga report \N{MIDDLE DOT} study {name}",
        heading=f"{dataset.name}: networks of at most {definition.budget:,} neurons for the {part}",
        top=lede(_lede(data)) + _notices(data) + _cards(data) + knee,
        sections=sections,
        figures=figures,
    )


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
    return (
        f"{complete:,} networks were trained and quantized{when}{took}{polished}; {on_front} on the front of "
        f"{data.front.merit} against the {data.front.axis.partition(', ')[0]}."
    )


def _notices(data: ReportData) -> str:
    notices = []
    trials = data.outcome.trials
    if not data.has_ended:
        ended = sum(trial.ended for trial in trials)
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
    return "".join(map(notice, notices))


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
        f"{copies}, {row.share:.2%} of {data.front.limits}"
    )
    return cards(
        (
            (
                "Best: the cheapest as good as the most precise",
                row.trial.name_of(row.point),
                f"point {row.point.name}, mapping {row.point.mapped.mapping}; "
                f"{sum(row.trial.topology_of(row.point)):,} neurons, {row.n_weights:,} weights",
            ),
            (f"Its {data.front.merit}", f"{row.test.error:.4f}", seen),
            ("Its cost", f"{lut.value:,.0f} LUT", cost),
        )
    )


# -- sections ----------------------------------------------------------------------------------------------------------


def _sections(data: ReportData, figures: list[Figure]) -> list[Section]:
    """Return name, title and HTML of every section, in order, and collect their figures."""
    return [
        ("front", "The front", _front(data, figures)),
        ("table", "The front in figures", _table(data)),
        ("search", "The search", _search(data, figures)),
        ("explain", "What mattered", _explain(data, figures)),
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
    front = figure_place(
        front_figure(data.front),
        "Lower is more precise, further left is cheaper. A bar is one standard error of the paired difference to the "
        "most precise network; a bar that reaches the dotted line means as good as that one, and the star is the "
        "cheapest such network. Point at a mark for its figures." + floor,
        figures,
    )
    neurons = figure_place(
        neurons_figure(data.front),
        "Every trained network: how far networks of one size scatter, and where more neurons stop to help.",
        figures,
    )
    return front + neurons


def _table(data: ReportData) -> str:
    stage = data.outcome.best.point.mapped.figures.lut.stage
    return (
        how(
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
        + download("front.csv", data.csv, "all figures of every point")
    )


def _search(data: ReportData, figures: list[Figure]) -> str:
    polished = any(trial.polished for trial in data.outcome.trials)
    before_polish = " Before polish, which adds to the front above." if polished else ""
    best = "Marks are networks that keep the limits."
    hypervolume = (
        "Share of the square of log error (1 to 0.001) and log resource share (1 to 1e-6) that the front covers; "
        "more is better."
    )
    progress = grid(
        [
            figure_place(course.best_figure(data), best + before_polish, figures),
            figure_place(course.hypervolume_figure(data), hypervolume + before_polish, figures),
        ]
    )
    where = grid([figure_place(figure, "", figures) for figure in course.where_figures(data)], " small")
    below_where = how("How many networks of each kind were proposed, and by whom.")
    settings = course.settings_figure(data)
    below = "Marks are networks that keep the limits; the axis is what was searched or included."
    trained = "" if settings is None else figure_place(settings, below, figures)
    return f"{progress}{trained}<h3>Where it looked</h3>{below_where}{where}"


def _explain(data: ReportData, figures: list[Figure]) -> str:
    """Say how far the surrogates are to be believed, then draw what they say."""
    findings = data.findings
    believed = "".join(f"<li>{escape(f'{of.target}: {quality(of)}')}.</li>" for of in findings.explanations)
    if not findings.is_enough:
        return f"<ul>{believed}</ul>"
    beside = "".join(f"<li>{escape(_sentence(note))}</li>" for note in notes(findings))
    importance = mattered.importance_figure(findings)
    parts = "" if importance is None else figure_place(importance, PARTS, figures)
    mean = "Mean over the networks of the study, each with this one value and all else its own, with its 95 % interval."
    dependences = grid([figure_place(figure, mean, figures) for figure in mattered.dependence_figures(findings)])
    correlations = figure_place(mattered.correlation_figure(findings), "", figures)
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
    return grid(
        [
            figure_place(networks.roc_figure(data), roc, figures),
            figure_place(networks.scores_figure(data), scores + " The outermost bins hold all beyond.", figures),
        ]
    ) + figure_place(networks.curves_figure(data), learning, figures)


def _layers(data: ReportData, figures: list[Figure]) -> str:
    row = data.outcome.best
    by_layer = any(layer.lut is not None for layer in data.layers)
    lut = row.point.mapped.figures.lut
    luts = f"LUT at {lut.stage}, one copy; in sum {lut.value:,.0f}" if by_layer else "LUT by layer are not known"
    what = f"{row.point.name}, {row.trial.name_of(row.point)}, mapping {row.point.mapped.mapping}"
    caption = f"{what}. EBOPs: effective bit operations. {luts}."
    return (
        how(caption)
        + layers_table(data.layers)
        + grid(
            [
                figure_place(networks.kept_figure(data), "Weights of 0 cost nothing.", figures),
                figure_place(networks.weights_figure(data), "", figures),
            ]
        )
    )


def _failures(data: ReportData) -> str:
    return failures(data.failed, data.unpolished) if data.failed or data.unpolished else "<p>No trial failed.</p>"


def _repeat(data: ReportData) -> str:
    if data.search_command is None:
        command = how("This search was started from Python, with rows or settings that the command line does not have:")
    else:
        command = f"<p>The search:</p><pre><code>{escape(data.search_command)}</code></pre>"
    if data.report_command is not None:
        command += f"<p>This report, under its limits:</p><pre><code>{escape(data.report_command)}</code></pre>"
    command += how(
        "With the same data, seed and versions on the same machine it finds the same networks, whatever the number of "
        "workers."
    )
    return command + settings_tables(data)
