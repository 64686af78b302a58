"""The tables of the report as HTML. All text that comes from data is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from html import escape
from typing import Any

from nas_fpga.comparison import Comparison, Sweep
from nas_fpga.data import Dataset
from nas_fpga.hardware import Figure, rung_of
from nas_fpga.report._gather import Layer, ReportData
from nas_fpga.space import format_network
from nas_fpga.study import FrontRow, SearchDefinition, StudyOutcome, TrialRecord, versions


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what it sorts by, a second line such as an interval, and whether paper has room for it."""

    text: str
    value: float | str | None = None
    below: str = ""
    is_text: bool = False
    in_print: bool = True


def table(label: str, rows: Sequence[dict[str, Cell]], *, best: int | None = None, sortable: bool = False) -> str:
    """Return a table in a box of its own that scrolls; the first cell of a row is its heading."""
    heads = "".join(
        f'<th scope="col"{_class(cell)}'
        + (
            f' aria-sort="none"><button type="button">{escape(name)}</button></th>'
            if sortable
            else f">{escape(name)}</th>"
        )
        for name, cell in rows[0].items()
    )
    lines = []
    for i, row in enumerate(rows):
        cells = [_cell(cell, heading=k == 0) for k, cell in enumerate(row.values())]
        shade = ' class="best"' if i == best else ""
        lines.append(f"<tr{shade}>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _class(cell: Cell) -> str:
    names = [name for name, has in (("text", cell.is_text), ("screen", not cell.in_print)) if has]
    return f' class="{" ".join(names)}"' if names else ""


def _cell(cell: Cell, *, heading: bool) -> str:
    value = "" if cell.value is None else f' data-value="{escape(str(cell.value))}"'
    below = f"<small>{escape(cell.below)}</small>" if cell.below else ""
    tag, scope = ("th", ' scope="row"') if heading else ("td", "")
    return f"<{tag}{scope}{_class(cell)}{value}>{escape(cell.text)}{below}</{tag}>"


def _interval(low: float, high: float, form: str) -> str:
    return f"[{low:{form}}, {high:{form}}]"


def _figure(figure: Figure, *, in_print: bool = True) -> Cell:
    interval = "" if figure.low == figure.high else _interval(figure.low, figure.high, ",.0f")
    return Cell(f"{figure.value:,.0f}", figure.value, interval, in_print=in_print)


def front_table(outcome: StudyOutcome) -> str:
    """Return the front, cheapest first, with intervals and stages."""
    rows = [_front_row(outcome, row) for row in outcome.front]
    best = next(i for i, row in enumerate(outcome.front) if row.is_best)
    return table("Points of the front", rows, best=best, sortable=True)


def _front_row(outcome: StudyOutcome, row: FrontRow) -> dict[str, Cell]:
    figures, lut = row.point.mapped.figures, row.point.mapped.figures.lut
    rung = rung_of(lut)
    original = rung if lut.original is None else "by {}: LUT {:,.0f} at {}".format(rung, *lut.original)
    objective = outcome.setup.target.objective
    difference = _interval(*row.difference_interval, "+.4f")
    return {
        "point": Cell(f"{row.point.name}{' *' if row.is_best else ''}", float(row.trial.number), is_text=True),
        "network": Cell(row.trial.name_of(row.point), is_text=True),
        **_training(outcome, row),
        "mapping": Cell(str(row.point.mapped.mapping), is_text=True),
        "validation": Cell(f"{row.point.error:.4f}", row.point.error, _interval(*row.interval, ".4f")),
        "corrected": Cell(f"{row.selection_corrected:.4f}", row.selection_corrected),
        "test": Cell(f"{row.test.error:.4f}", row.test.error, _interval(*row.test_interval, ".4f")),
        "precision": Cell(f"{row.test.precision:.4f}", row.test.precision),
        "P(front)": Cell(f"{row.probability_undominated:.2f}", row.probability_undominated),
        "LUT": _figure(lut),
        "DSP": _figure(figures.dsp),
        "ns": _figure(figures.latency_ns),
        "copies": Cell(str(figures.copies), figures.copies),
        "share" if objective == "share" else f"{objective} share": Cell(f"{row.share:.2%}", row.share),
        "to most precise": Cell(_gap(outcome, row), row.point.error, difference, in_print=False),
        "FF": _figure(figures.ff, in_print=False),
        "BRAM18": _figure(figures.bram18, in_print=False),
        "II": _figure(figures.ii_cycles, in_print=False),
        "stage": Cell(lut.stage, lut.stage, original, is_text=True, in_print=False),
    }


def _training(outcome: StudyOutcome, row: FrontRow) -> dict[str, Cell]:
    """Return the training settings that are searched, none where none are; empty for polished points."""
    searched, settings = outcome.setup.definition.searched, row.trial.candidate.settings
    shown = searched.shown(settings).items()
    return {
        heading: Cell(text, getattr(settings, name), in_print=False)
        if not row.point.polished
        else Cell("", in_print=False)
        for name, (heading, text) in zip(searched.names, shown, strict=True)
    }


def _gap(outcome: StudyOutcome, row: FrontRow) -> str:
    return f"{row.point.error - min(other.point.error for other in outcome.front):+.4f}"


def layers_table(layers: Sequence[Layer]) -> str:
    """Return the layers of a network."""
    return table("Layers of the best network", [_layer_row(layer) for layer in layers])


def _layer_row(layer: Layer) -> dict[str, Cell]:
    return {
        "layer": Cell(layer.name, is_text=True),
        "inputs to outputs": Cell(layer.shape),
        "weight bits": _bits(layer.weight_bits),
        "output bits": Cell("sums") if layer.weight_bits and layer.output_bits is None else _bits(layer.output_bits),
        "accumulator bits": _number(layer.accumulator_bits),
        "weights": _number(layer.weights or None),
        "kept": _number(layer.kept if layer.weights else None),
        "reuse factor": _number(layer.reuse_factor),
        "EBOPs": _number(layer.ebops),
        "LUT": _number(layer.lut),
    }


def _bits(ends: tuple[int, int] | None) -> Cell:
    return Cell(f"{ends[0]} to {ends[1]}", ends[1]) if ends and ends[0] != ends[1] else _number(ends and ends[1])


def _number(value: float | None) -> Cell:
    return Cell("–" if value is None else f"{value:,.0f}", value)  # noqa: RUF001


def failures(failed: Iterable[TrialRecord], unpolished: Iterable[TrialRecord]) -> str:
    """Return failed trials, then networks that could not be polished, with their causes and tracebacks to unfold."""
    rows = [(trial, str(trial.candidate), trial.outcome) for trial in failed]
    for trial in unpolished:
        assert trial.polished is not None
        network = format_network(trial.candidate, trial.candidate.topology, polished=True)
        rows.append((trial, network, trial.polished))
    items = []
    for trial, network, outcome in rows:
        cause, traceback = escape(str(outcome.cause)), outcome.traceback
        more = f"<details><summary>traceback</summary><pre>{escape(traceback)}</pre></details>" if traceback else ""
        items.append(
            f'<tr><th scope="row" class="text">{trial.number}</th><td class="text">{escape(network)}</td>'
            f'<td class="wrap">{cause}{more}</td></tr>'
        )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Failures"><table><thead><tr>'
        '<th scope="col" class="text">trial</th><th scope="col" class="text">network</th>'
        f'<th scope="col" class="text">cause</th></tr></thead><tbody>{"".join(items)}</tbody></table></div>'
    )


def settings_tables(data: ReportData) -> str:
    """Return definition, data and versions, as tables of two columns."""
    definition, dataset = data.stored, data.outcome.setup.dataset
    split = data.outcome.setup.split
    rows = {
        "rows to train, validate, test": " / ".join(
            f"{len(part):,}" for part in (split.train, split.validation, split.test)
        ),
        "classes": ", ".join(dataset.class_names),
        "inputs": ", ".join(
            f"{name} ({unit})" if unit else name
            for name, unit in zip(dataset.feature_names, dataset.feature_units, strict=True)
        ),
    }
    tables = [
        _pairs("Search", {"trials": data.n_trials} | _search_fields(definition)),
        _pairs("FPGA of the search", _fields(definition.hardware, apart=())),
        _pairs("Data", _source(definition) | rows | _repairs(dataset)),
        _pairs("Versions the study was started with", data.versions),
    ]
    if dataset.provenance:
        named = {name.replace("_", " "): text for name, text in dataset.provenance.items()}
        tables.append(_pairs("Where the data come from", named))
    return f'<div class="columns">{"".join(tables)}</div>'


def comparison_fields(comparison: Comparison) -> str:
    """Return what defines a comparison, as tables of two columns."""
    definition = comparison.definition
    own = {
        "samplers": ", ".join(definition.samplers),
        "seeds": f"{definition.n_seeds}, from {definition.base.seed}",
        "trials": definition.n_trials,
        "grid": "whole, once" if definition.whole_grid else definition.grid,
        "acquisition": definition.acquisition,
        "winners trained again": definition.retrain or None,
        "points of the grid trained twice": definition.noise_points or None,
    }
    return _definition_tables(
        "Comparison", own, definition.base, comparison.setup.dataset, ("sampler", "seed", "polish")
    )


def sweep_fields(sweep: Sweep) -> str:
    """Return what defines a sweep, as tables of two columns."""
    definition = sweep.definition
    own = {"budgets": ", ".join(f"{budget:,}" for budget in definition.budgets), "trials": definition.n_trials}
    return _definition_tables("Sweep", own, definition.base, sweep.setup.dataset, ("budget",))


def _definition_tables(
    title: str, own: dict[str, Any], base: SearchDefinition, dataset: Dataset, apart: Sequence[str]
) -> str:
    shared = {name: text for name, text in _search_fields(base).items() if name not in apart}
    tables = [
        _pairs(title, {name: value for name, value in own.items() if value is not None}),
        _pairs("All searches", shared),
        _pairs("FPGA", _fields(base.hardware, apart=())),
        _pairs("Data", _source(base) | _repairs(dataset)),
        _pairs("Versions", versions()),
    ]
    return f'<div class="columns">{"".join(tables)}</div>'


def _source(definition: SearchDefinition) -> dict[str, str]:
    return _fields(definition.data, () if definition.data.name == "hgcal" else ("features", "pileup"))


def _repairs(dataset: Dataset) -> dict[str, str]:
    """Return what was done to the rows and columns on reading, if anything."""
    return {"repairs": "; ".join(dataset.repairs)} if dataset.repairs else {}


def _search_fields(definition: SearchDefinition) -> dict[str, str]:
    """Return what is set of a search, with the ranges of the training settings that are searched."""
    ranges = definition.searched.ranges
    searched = {name.replace("_", " "): f"{low:g} to {high:g}" for name, (low, high) in ranges.items()}
    apart: tuple[str, ...] = ("data", "hardware", "search_training", "learned_bits")
    if definition.learned_bits:
        searched = {"bits": "learned"} | searched
        apart += ("weight_bits", "activation_bits")
    return _fields(definition, apart) | searched


def _fields(value: Any, apart: Sequence[str]) -> dict[str, str]:
    """Return what is set of a definition, as texts."""
    shown = {}
    for field in fields(value):
        of = getattr(value, field.name)
        if field.name in apart or of is None or of == ():
            continue
        is_range = field.name.endswith("_bits") and isinstance(of, tuple)
        text = " to ".join(map(str, of)) if is_range else ", ".join(map(str, of)) if isinstance(of, tuple) else str(of)
        shown[field.name.replace("_", " ")] = text.removesuffix(".0")
    return shown


def _pairs(title: str, pairs: Any) -> str:
    rows = "".join(
        f'<tr><th scope="row" class="text">{escape(str(name))}</th><td class="wrap">{escape(str(value))}</td></tr>'
        for name, value in pairs.items()
    )
    return f'<section><h3>{escape(title)}</h3><div class="scroll"><table><tbody>{rows}</tbody></table></div></section>'
