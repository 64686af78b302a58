"""What Optuna's dashboard and notebooks show of a study: short values under the names that users know."""

from __future__ import annotations

from typing import Any

from nas_fpga.hardware import HardwareFigures, Target
from nas_fpga.space import SETTING_SCALES, BitWidths, Candidate, TrainingSpace, format_topology
from nas_fpga.study._definition import MAX_LAYERS, SearchDefinition
from nas_fpga.study._records import TrialRecord

Value = str | int | float


def shown_of_study(definition: SearchDefinition) -> dict[str, Value]:
    """Return what was searched."""
    hardware = definition.hardware
    return {
        "data": definition.data.name,
        "budget": definition.budget,
        "sampler": definition.sampler,
        "seed": definition.seed,
        "part": hardware.part,
        "clock ns": hardware.clock_ns,
        "rate MHz": hardware.rate_mhz,
    }


def shown_of_candidate(candidate: Candidate) -> dict[str, Value]:
    """Return what a trial trains."""
    return {"topology": format_topology(candidate.topology), "bit widths": str(candidate.bits)}


def parameters_of(candidate: Candidate, searched: TrainingSpace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what Optuna takes for the parameters of a trial, and their distributions.

    These are wide enough for whatever pays: Optuna wants the same in all trials. A value beyond is shown as the end of
    its distribution; what is trained stands elsewhere.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    size, bits = IntDistribution(1, 2**20, log=True), CategoricalDistribution(tuple(range(2, 17)))
    parameters: dict[str, tuple[int | float, Any]] = {
        "depth": (candidate.n_layers, IntDistribution(1, MAX_LAYERS)),
        "neurons": (candidate.n_neurons, size),
        "narrowest layer": (min(candidate.topology), size),
    }
    if isinstance(candidate.bits, BitWidths):
        parameters["weight bits"] = candidate.bits.weights, bits
        parameters["activation bits"] = candidate.bits.activations, bits
    for name in searched.names:
        value = getattr(candidate.settings, name)
        logarithmic = SETTING_SCALES[name] == "log"
        kind = size if isinstance(value, int) else FloatDistribution(1e-12 if logarithmic else 0, 1e6, log=logarithmic)
        parameters[name.replace("_", " ")] = value, kind
    shown = {
        name: value if kind is bits else min(max(value, kind.low), kind.high)
        for name, (value, kind) in parameters.items()
    }
    return shown, {name: kind for name, (_, kind) in parameters.items()}


def shown_of_ended(record: TrialRecord, target: Target, merit: str) -> dict[str, Value]:
    """Return what came of a trial: the figures of its primary point, or why it failed.

    Args:
        record: The trial.
        target: Whose limits make the point primary.
        merit: The figure of merit in words.
    """
    outcome = record.outcome
    duration: dict[str, Value] = {"duration s": round(outcome.duration_s, 2)}
    primary = record.primary(target)
    if primary is None:
        return {"cause": outcome.cause or "no network came of it"} | duration
    figures = primary.mapped.figures
    left, trained = record.topology_of(primary), record.candidate.topology
    return {
        "point": primary.name,
        **({"pruned to": format_topology(left)} if left != trained else {}),
        "mapping": str(primary.mapped.mapping),
        "copies": figures.copies,
        **_of_figures(figures),
        "limits": "; ".join(figures.violations(target)) or "kept",
        f"validation {merit}": round(primary.error, 5),
        "validation ROC AUC": round(primary.merits.roc_auc, 5),
    } | duration


def _of_figures(figures: HardwareFigures) -> dict[str, Value]:
    return {
        "LUT": round(figures.lut.value),
        "FF": round(figures.ff.value),
        "DSP": round(figures.dsp.value),
        "BRAM18": round(figures.bram18.value),
        "latency ns": round(figures.latency_ns.value, 2),
        "initiation interval cycles": round(figures.ii_cycles.value),
    }
