"""From a study to a design: one of its points, under its own mapping or another."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga._quiet import captured
from nas_fpga.errors import InputError, StudyError
from nas_fpga.export._design import Design
from nas_fpga.hardware import (
    STRATEGIES,
    UNROLL_LIMIT,
    Mapping,
    Strategy,
    buildable_reuse_factors,
    estimate,
    nearest_reuse_factor,
)
from nas_fpga.study import Point, StudyOutcome, StudyStorage, TrialRecord
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    import keras

MOST_EVENTS = 5000  # real events that travel with a project and are verified


def design_of_point(outcome: StudyOutcome, name: str, *, mapping: Mapping | None = None) -> Design:
    """See :func:`nas_fpga.export.design_of_point`."""
    trial, point = find_point(outcome, name)
    network = StudyStorage(outcome.folder).load_network(trial, point.network)
    figures = point.mapped.figures
    if mapping is None or mapping == point.mapped.mapping:
        mapping = point.mapped.mapping
    else:
        check_mapping(mapping, network)
        figures = estimate(network, mapping, outcome.setup.target)
    dataset = outcome.setup.dataset
    return Design(
        title=f"study {outcome.folder.name}, point {point.name}",
        model=rebuilt(network),
        network=network,
        mapping=mapping,
        target=outcome.setup.target,
        figures=figures,
        merits=_merits(outcome, point),
        threshold=point.merits.threshold,
        feature_names=dataset.feature_names,
        feature_units=dataset.feature_units,
        class_names=dataset.class_names,
        events=real_events(dataset.features, outcome.setup.split.test),
    )


def find_point(outcome: StudyOutcome, name: str) -> tuple[TrialRecord, Point]:
    """Return a point of any complete trial, feasible or not, by its name; `best` is that of the front.

    Raises:
        StudyError: There is no such point, or its checkpoint cannot be read.
    """
    if name == "best":
        return outcome.best.trial, outcome.best.point
    if name in outcome.lost:
        raise StudyError(outcome.lost[name])
    points = {point.name: (trial, point) for trial in outcome.trials for point in trial.points}
    if name in points:
        return points[name]
    number = name.partition(".")[0]
    of_trial = [known for known in points if known.partition(".")[0] == number]
    failed = [t for t in outcome.trials if str(t.number) == number and t.state == "failed"]
    if of_trial:
        there = f"trial {number} has {', '.join(of_trial)}"
    elif failed:
        there = f"trial {number} failed: {failed[0].outcome.cause}"
    else:
        there = f"the front has {', '.join(row.point.name for row in outcome.front)}"
    raise StudyError(f"study '{outcome.folder.name}' has no point '{name}'; give best or a point's name: {there}")


def check_mapping(mapping: Mapping, network: QuantizedNetwork) -> None:
    """Refuse a mapping that hls4ml would move or cannot build.

    Raises:
        InputError: A reuse factor that is not allowed, or a layer that cannot be unrolled.
    """
    shapes = [(layer.n_in, layer.n_out) for layer in network.layers]
    if len(mapping.reuse_factors) != len(shapes):
        raise InputError(
            f"mapping '{mapping}' is for {len(mapping.reuse_factors)} layers; the network has {len(shapes)}"
        )
    for (n_in, n_out), factor in zip(shapes, mapping.reuse_factors, strict=True):
        _check_layer(mapping.strategy, n_in, n_out, factor)


def _check_layer(strategy: Strategy, n_in: int, n_out: int, factor: int) -> None:
    if factor in buildable_reuse_factors(strategy, n_in, n_out):
        return
    if factor != 1 and strategy != "resource":
        raise InputError(f"reuse factor {factor} is for resource; {strategy} needs 1")
    if factor == 1:
        raise InputError(
            f"a layer {n_in} x {n_out} is not unrolled by the tools, which stop at {UNROLL_LIMIT:,} weights; take "
            "resource with a reuse factor, or distributed arithmetic"
        )
    raise InputError(
        f"reuse factor {factor} does not divide a layer {n_in} x {n_out}; hls4ml takes "
        f"{', '.join(map(str, buildable_reuse_factors(strategy, n_in, n_out)))}"
    )


def mapping_of(
    shapes: list[tuple[int, int]],
    strategy: Strategy | None,
    reuse_factor: int | None,
    *,
    message: Callable[[str], None],
) -> Mapping:
    """See :func:`nas_fpga.export.mapping_of`."""
    if strategy not in (None, *STRATEGIES):
        raise InputError(f"--strategy {strategy} is none of {', '.join(STRATEGIES)}")
    if reuse_factor is not None and reuse_factor < 1:
        raise InputError(f"--reuse-factor {reuse_factor} must be at least 1")
    if strategy is not None and strategy != "resource":
        if reuse_factor not in (None, 1):
            raise InputError(f"--reuse-factor {reuse_factor} is for --strategy resource; leave it out")
        for n_in, n_out in shapes:
            _check_layer(strategy, n_in, n_out, 1)
        return Mapping(strategy, (1,) * len(shapes))
    if reuse_factor is None:
        raise InputError("--strategy resource needs --reuse-factor N, such as 8")
    factors = []
    for i, (n_in, n_out) in enumerate(shapes, 1):
        allowed = buildable_reuse_factors("resource", n_in, n_out)
        nearest = nearest_reuse_factor(n_in, n_out, reuse_factor)
        if nearest != reuse_factor:
            there = ", ".join(map(str, allowed[:8])) + (", ..." if len(allowed) > 8 else "")
            message(
                f"reuse factor {nearest} for layer {i} ({n_in} x {n_out}): the nearest to {reuse_factor} of {there}"
            )
        factors.append(nearest)
    return Mapping("resource", tuple(factors))


def real_events(features: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return raw features of real events `(n, d)`: those of ``rows`` first, then others, at most 5,000."""
    others = np.setdiff1d(np.arange(len(features)), rows)
    chosen: NDArray[np.float32] = features[np.concatenate([rows, others])[:MOST_EVENTS]]
    return chosen


def rebuilt(network: QuantizedNetwork) -> keras.Model:
    """Return the exact Keras model of a network, on JAX unless another backend is chosen, in silence."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    with captured():
        from nas_fpga.export._hgq import build

        return build(network)


def _merits(outcome: StudyOutcome, point: Point) -> MappingOf[str, Any]:
    """Return the figures of merit by the names of ``front.csv``; of a point off the front only validation's."""
    for row in outcome.front:
        if row.point.name == point.name:
            record = outcome.record(row)
            return {
                name: value for name, value in record.items() if name.startswith(("validation", "test", "threshold"))
            }
    name = "background_efficiency" if point.merits.background_efficiency is not None else "error_rate"
    merits: dict[str, Any] = {f"validation_{name}": point.merits.error}
    return merits if point.merits.threshold is None else merits | {"threshold": point.merits.threshold}
