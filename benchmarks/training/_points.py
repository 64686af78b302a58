"""Trained networks as points of error and LUTs, judged the same way whoever trained them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.training._arithmetic import front, spread_out
from nas_fpga.study import Setup
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    import keras

Point = dict[str, Any]


def point_of(setup: Setup, logits: Callable[[Any], Any], /, **further: Any) -> Point:
    """Return the errors of a network on validation and, at the working point of that, on test.

    Args:
        setup: Data set and split.
        logits: Of rows, given by their places.
        further: Of the point.
    """
    validation, test = (logits(setup.split[subset]) for subset in ("validation", "test"))
    chosen = setup.evaluate(validation, "validation")
    at_test = setup.evaluate(test, "test", validation=chosen)
    return further | {"validation_error": chosen.error, "test_error": at_test.error}


def point_of_network(setup: Setup, network: QuantizedNetwork, /, **further: Any) -> Point:
    """Return the point of a network of ours."""
    from benchmarks.training._cost import network_luts

    def logits(rows: Any) -> Any:
        return network.logits(setup.dataset.features[rows])

    return point_of(setup, logits, **further) | {"luts": network_luts(network, setup.input_format)}


def point_of_model(setup: Setup, model: keras.Model, inputs: Any, /, **further: Any) -> Point:
    """Return the point of an HGQ2 model with learned bits, which gets the integer bits that training rows need.

    Args:
        setup: Data set and split.
        model: Trained; takes features after the input format.
        inputs: Of all rows of the data set.
        further: Of the point.
    """
    from hgq.utils import trace_minmax

    from benchmarks.training._cost import adder_graph_luts
    from benchmarks.training._fit import predict

    training = inputs[setup.split.train]
    ebops = trace_minmax(model, training, batch_size=len(training))
    point = point_of(setup, lambda rows: predict(model, inputs[rows]), **further)
    return point | {"ebops": ebops, "luts": adder_graph_luts(model, setup.input_format, scaled=True)}


def spread_front(errors: Sequence[float], costs: Sequence[float], most: int) -> list[int]:
    """Return the places of at most ``most`` points of the front, cheapest first, evenly spread in log cost."""
    if not len(errors):
        return []
    there = front(errors, costs)
    return [int(there[k]) for k in spread_out([costs[i] for i in there], most)]


def chosen_on_validation(points: Sequence[Point]) -> list[Point]:
    """Return the front on validation; what counts of it are its errors on test.

    What passes everything is no point: a constant, which costs nothing.
    """
    points = [point for point in points if point["validation_error"] < 1]
    if not points:
        return []
    return [points[i] for i in front([p["validation_error"] for p in points], [p["luts"] for p in points])]
