"""What a trained model costs: the LUTs of its adder graph, the same way for all sides. Importing this loads Keras."""

from __future__ import annotations

import keras
import numpy as np
from da4ml.converter import trace_model
from da4ml.trace import FixedVariableArray, HWConfig, comb_trace

from nas_fpga.data import InputFormat
from nas_fpga.export import hgq_model
from nas_fpga.training import QuantizedNetwork

_ONE_LEVEL_AN_ADDER = HWConfig(1, -1, -1)


def adder_graph_luts(model: keras.Model, form: InputFormat, *, scaled: bool) -> float:
    """Return the LUTs of a model's adder graph by da4ml, stage `adder-graph`.

    Args:
        model: HGQ2 layers whose integer bits are known.
        form: The words that come in, of which the model may round some away.
        scaled: Whether the model takes features after the input format, with its power-of-two scale, or raw ones.
    """
    fraction = form.grid_bits if scaled else form.fraction_bits
    words = FixedVariableArray.from_kif(
        form.signed.astype(np.int8), form.bits - form.signed - fraction, fraction, _ONE_LEVEL_AN_ADDER
    )
    inputs, outputs = trace_model(model, inputs=words, framework="keras")
    return float(comb_trace(inputs, outputs).cost)


def network_luts(network: QuantizedNetwork, form: InputFormat) -> float:
    """Return the same of a network of ours; ``form`` is the input format of its search."""
    return adder_graph_luts(hgq_model(network), form, scaled=False)
