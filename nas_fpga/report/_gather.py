"""Collects everything that a report shows from a study's outcome and its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.explanation import Findings, explain_study
from nas_fpga.hardware import Target, cost_by_adder_graph, cost_by_law, measured_traits, rung_of
from nas_fpga.report._command import report_command, search_command
from nas_fpga.report._course import Step, course
from nas_fpga.report._curves import Distributions, LayerWeights, RocLine, distributions, layer_weights, roc_line
from nas_fpga.report._front_data import FrontData, gather_front
from nas_fpga.space import BitWidths, format_network
from nas_fpga.study import FrontRow, SearchDefinition, StudyOutcome, StudyStorage, TrialRecord
from nas_fpga.training import (
    LearningCurve,
    Merits,
    QuantizedLayer,
    QuantizedNetwork,
    class_scores,
    effective_bits,
    predicted_classes,
)

_N_CHOSEN = 4


@dataclass(frozen=True)
class Chosen:
    """A point of the front that is shown in detail.

    Attributes:
        row: The point.
        role: `best`, `cheapest`, `most precise`, several of them, or `in between`.
        roc: By subset, one line for each class against the rest; of two classes the signal's alone.
    """

    row: FrontRow
    role: str
    roc: Mapping[str, tuple[RocLine, ...]]

    @property
    def title(self) -> str:
        """`5.0 950 w2a7, best`."""
        return f"{self.row.point.name}  {self.row.trial.name_of(self.row.point)}, {self.role}"


@dataclass(frozen=True)
class Layer:
    """One layer of the best network; the input format is the first.

    Attributes:
        name: What it is.
        shape: `13 to 950`.
        weight_bits, output_bits: The least and the most of any; None where there are none: the output layer gives raw
            sums.
        weights, kept: Weights, and those that are not 0.
        accumulator_bits: Worst-case bits of the sums.
        reuse_factor: Of the mapping.
        ebops: Effective bit operations.
        lut: Its part of the point's, where it is known by layer (distributed arithmetic).
    """

    name: str
    shape: str
    weight_bits: tuple[int, int] | None
    output_bits: tuple[int, int] | None
    weights: int
    kept: int
    accumulator_bits: int | None
    reuse_factor: int | None
    ebops: float | None
    lut: float | None


@dataclass(frozen=True)
class CurveOf:
    """The learning curve of a training, or of polishing a network.

    Attributes:
        title: The points that are shown in detail; where none is, the trial.
        curve: Of the training.
        is_chosen: Whether a point of it is shown in detail.
    """

    title: str
    curve: LearningCurve
    is_chosen: bool


@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything that the report shows.

    Attributes:
        outcome: Of the study.
        front: The front and all networks behind it.
        n_trials: Trials asked for.
        has_ended: Whether the search ended by itself, with fewer trials where nothing was left to train or to gain.
        steps, steps_by_time: The course of the search.
        chosen: Points shown in detail, cheapest first.
        scores: Score distributions of the best network by subset, one for each class against the rest.
        layers: Of the best network.
        weights: Of the best network.
        curves: Learning curves of the front's networks.
        failed: Trials that failed.
        unpolished: Trials whose network could not be polished.
        findings: What mattered.
        csv: The front as CSV.
        stored: Definition that the search ran with; the outcome's may have other limits.
        versions: Versions it was started with.
        search_command, report_command: What repeats the search, and the report under its limits.
    """

    outcome: StudyOutcome
    front: FrontData
    n_trials: int
    has_ended: bool
    steps: tuple[Step, ...]
    steps_by_time: tuple[Step, ...]
    chosen: tuple[Chosen, ...]
    scores: Mapping[str, tuple[Distributions, ...]]
    layers: tuple[Layer, ...]
    weights: LayerWeights
    curves: tuple[CurveOf, ...]
    failed: tuple[TrialRecord, ...]
    unpolished: tuple[TrialRecord, ...]
    findings: Findings
    csv: str
    stored: SearchDefinition
    versions: Mapping[str, str]
    search_command: str | None
    report_command: str | None


def gather(outcome: StudyOutcome) -> ReportData:
    """Collect what a report of the outcome shows; reads the study's storage and the networks of a few points.

    Raises:
        StudyError: The study or a checkpoint cannot be read.
    """
    setup = outcome.setup
    with StudyStorage(outcome.folder, outcome.storage_url) as storage:
        stored = storage.open(write=False)
        n_trials, has_ended, ran_with = storage.n_trials(), storage.has_ended(), storage.versions()
        roles = _roles(outcome)
        networks = {name: _network(storage, outcome, name) for name in roles}
    best = outcome.best
    logits = {name: _logits(outcome, network) for name, network in networks.items()}
    rows = {row.point.name: row for row in outcome.front}
    chosen = tuple(
        Chosen(rows[name], role, {s: _rocs(outcome, logits[name][s], s, rows[name].point.merits) for s in logits[name]})
        for name, role in roles.items()
    )
    by_number, by_time = course(outcome.trials, setup.target)
    return ReportData(
        outcome=outcome,
        front=gather_front(outcome),
        n_trials=n_trials,
        has_ended=has_ended,
        steps=by_number,
        steps_by_time=by_time,
        chosen=chosen,
        scores={
            subset: _distributions(outcome, values, subset, best.point.merits)
            for subset, values in logits[best.point.name].items()
        },
        layers=_layers(networks[best.point.name], best, setup.target),
        weights=layer_weights(networks[best.point.name]),
        curves=_curves(outcome, chosen),
        failed=tuple(trial for trial in outcome.trials if trial.state == "failed"),
        unpolished=tuple(trial for trial in outcome.trials if trial.polished and trial.polished.cause is not None),
        findings=explain_study(setup, outcome.mapped),
        csv=outcome.csv(),
        stored=stored,
        versions=ran_with,
        search_command=search_command(stored, n_trials),
        report_command=report_command(outcome.folder, setup.definition.hardware, stored.hardware, outcome.storage_url),
    )


def _roles(outcome: StudyOutcome) -> dict[str, str]:
    """Return the names of a few points with what they are, cheapest first."""
    front = outcome.front
    precise = min(range(len(front)), key=lambda i: (front[i].point.error, front[i].share))
    best = next(i for i, row in enumerate(front) if row.is_best)
    roles: dict[int, list[str]] = {}
    for i, role in ((best, "best"), (0, "cheapest"), (precise, "most precise")):
        roles.setdefault(i, []).append(role)
    middle = best // 2
    if len(roles) < _N_CHOSEN and middle not in roles:
        roles[middle] = ["in between"]
    return {front[i].point.name: " and ".join(roles[i]) for i in sorted(roles)}


def _curves(outcome: StudyOutcome, chosen: Sequence[Chosen]) -> tuple[CurveOf, ...]:
    """Return the curve of every training that the front has points of; polishing is a training of its own."""
    titles: dict[tuple[int, bool], list[str]] = {}
    for one in chosen:
        titles.setdefault((one.row.trial.number, one.row.point.polished), []).append(one.title)
    curves = []
    for (number, polished), trial in {
        (row.trial.number, row.point.polished): row.trial for row in outcome.front
    }.items():
        training = trial.polished if polished else trial.outcome
        if training is not None and training.curve is not None:
            network = format_network(trial.candidate, trial.candidate.topology, polished=polished)
            of = titles.get((number, polished), [])
            curves.append(CurveOf("; ".join(of) or f"trial {number}  {network}", training.curve, bool(of)))
    return tuple(curves)


def _network(storage: StudyStorage, outcome: StudyOutcome, name: str) -> QuantizedNetwork:
    row = next(row for row in outcome.front if row.point.name == name)
    return storage.load_network(row.trial, row.point.network)


def _logits(outcome: StudyOutcome, network: QuantizedNetwork) -> dict[str, NDArray[np.float64]]:
    setup = outcome.setup
    return {
        "validation": network.logits(setup.dataset.features[setup.split.validation]),
        "test": network.logits(setup.dataset.features[setup.split.test]),
    }


def _counted(outcome: StudyOutcome, subset: str) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
    """Return which rows of a subset count, and the labels and weights of those."""
    data = outcome.setup.dataset
    rows = outcome.setup.split.test if subset == "test" else outcome.setup.split.validation
    counts = data.counted[rows] & (data.weights[rows] > 0)
    return counts, data.labels[rows][counts], data.weights[rows][counts]


def _rocs(outcome: StudyOutcome, logits: NDArray[np.float64], subset: str, merits: Merits) -> tuple[RocLine, ...]:
    counts, labels, weights = _counted(outcome, subset)
    logits = logits[counts]
    if merits.threshold is not None:
        scores = logits.reshape(-1)
        return (roc_line(scores, labels == 1, weights, scores >= merits.threshold),)
    scores, decided = class_scores(logits), predicted_classes(logits)
    return tuple(
        roc_line(scores[:, k], labels == k, weights, decided == k) for k in range(outcome.setup.dataset.n_classes)
    )


def _distributions(
    outcome: StudyOutcome, logits: NDArray[np.float64], subset: str, merits: Merits
) -> tuple[Distributions, ...]:
    names = outcome.setup.dataset.class_names
    counts, labels, weights = _counted(outcome, subset)
    logits = logits[counts]
    if merits.threshold is not None:
        parts = tuple((name, labels == k) for k, name in enumerate(names))
        return (distributions(names[1], logits.reshape(-1), parts, weights, merits.threshold),)
    scores = class_scores(logits)
    return tuple(
        distributions(name, scores[:, k], ((_rest_of(name), labels != k), (name, labels == k)), weights, None)
        for k, name in enumerate(names)
    )


def _rest_of(name: str) -> str:
    """Return what the classes beside one are called."""
    return "all others" if name != "all others" else "the rest"


def _layers(network: QuantizedNetwork, row: FrontRow, target: Target) -> tuple[Layer, ...]:
    traits, mapping = measured_traits(network), row.point.mapped.mapping
    by_layer = mapping.strategy == "distributed_arithmetic"
    luts: list[float | None] = [None] * (len(network.layers) + 1)
    if by_layer:
        counted = rung_of(row.point.mapped.figures.lut) == "adder-graph"
        cost = cost_by_adder_graph(network, target) if counted else cost_by_law(network, mapping, target)
        luts = [layer.lut.value for layer in cost.layers]
    ebops = (traits.bit_operations + traits.bias_bits).tolist()
    n_inputs = network.layers[0].n_in
    layers = [
        Layer("input format", f"{n_inputs}", None, _ends(network.input_format.bits), 0, 0, None, None, None, luts[-1])
    ]
    for i, layer in enumerate(network.layers):
        layers.append(
            Layer(
                name="output" if layer.activation_bits is None else f"hidden {i + 1}",
                shape=f"{layer.n_in} to {layer.n_out}",
                weight_bits=_weight_bits(network, layer),
                output_bits=None if layer.activation_bits is None else _ends(layer.activation_bits),
                weights=layer.weights.size,
                kept=int(np.count_nonzero(layer.weights)),
                accumulator_bits=network.accumulator_bits()[i],
                reuse_factor=mapping.reuse_factors[i],
                ebops=ebops[i],
                lut=luts[i],
            )
        )
    return tuple(layers)


def _ends(bits: NDArray[np.integer]) -> tuple[int, int]:
    """Return the least and the most of some bits, but of what is not there."""
    there = bits[bits > 0]
    return int(there.min(initial=bits.max())), int(bits.max())


def _weight_bits(network: QuantizedNetwork, layer: QuantizedLayer) -> tuple[int, int]:
    """Return the least and the most bits of a weight, its sign included."""
    bits = network.candidate.bits
    if isinstance(bits, BitWidths):
        return bits.weights, bits.weights
    return _ends(np.where(layer.weights != 0, effective_bits(layer.weights) + 1, 0))
