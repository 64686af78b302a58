"""What a network costs in distributed arithmetic: adder graphs without multipliers, a new input every cycle."""

from __future__ import annotations

import numpy as np

from nas_fpga.hardware._cost_array import assemble, between, spread
from nas_fpga.hardware._period import adder_period, levels_per_cycle
from nas_fpga.hardware._stages import ADDER_GRAPH_LUT_RATIO, ADDER_GRAPH_LUT_SPREAD, combined
from nas_fpga.hardware._traits import Array, LayerTraits

# Fit of benchmarks/hardware/calibrate_static.py to da4ml 0.6.0 (450 random layers: 1-200 wide, weights of 2-8 bits,
# activations of 2-10, 20-100 % kept): log cost of the matrix product. Above 1,000 LUT 90 % of
# the layers lie within 10 %. Of 22 whole networks, quantizers included, 19 lie within 11 %, the sparsest is 33 % off.
_PRODUCT_LOG = -0.5046
_PRODUCT_POWERS = {
    "adders": 1.6548,
    "width": 1.2436,
    "digits": -0.9886,
    "inputs": -0.7688,
    "outputs": -0.7440,
    "density": -0.9062,
}
GRAPH_SPREAD = 0.20
# Same layers: LUT of bias, ReLU, rounding and saturation for each output, in bits and the logarithm of its terms.
_OUTPUT_CONSTANT, _OUTPUT_INPUT_BITS, _OUTPUT_WEIGHT_BITS, _OUTPUT_LOG_TERMS = -13.2, 2.427, 0.345, 4.545
_BIAS_SHARE = 0.4  # what the output layer has of it: an adder, but neither rounding nor saturation
# Levels of adders of a layer: product (standard deviation 0.7), then bias and saturation. The latter take 0.9 in a
# layer alone and half of that in networks, where the deepest sums of one layer do not start the deepest of the next.
_DEPTH_CONSTANT, _DEPTH_LOG_INPUTS, _DEPTH_LOG_TERMS, _DEPTH_OUTPUT = 0.834, 0.169, 0.933, 0.45
# FF = 0.95 LUT / (levels a cycle): JEDI-linear .46-.58 of the LUTs at two levels (assumed), seven Yosys runs .11-.21
# at five.
_FF_PER_LUT_AND_CUT, _FF_SPREAD = 0.95, 0.50
# Words from the detector are taken to be this wide; the input format rounds and clips them, one adder for each.
RAW_INPUT_BITS = 16


def input_format_luts(n_inputs: int) -> float:
    """Return placed LUTs of the input format: a rounding adder and a clipping comparator for each feature."""
    return ADDER_GRAPH_LUT_RATIO * 2.0 * RAW_INPUT_BITS * n_inputs


def adder_graph_luts(traits: LayerTraits) -> Array:
    """Return placed LUTs `(..., n_layers)` of each layer in distributed arithmetic."""
    return ADDER_GRAPH_LUT_RATIO * adder_graph_cost(traits)


def adder_graph_cost(traits: LayerTraits) -> Array:
    """Return da4ml's cost `(..., n_layers)` in LUTs, of each layer with its bias and quantizer."""
    inputs, outputs = np.maximum(traits.busy_inputs, 1.0), np.maximum(traits.busy_outputs, 1.0)
    nonzero = np.maximum(traits.nonzero, 1e-9)
    features = {
        "adders": np.maximum(traits.csd_digits - traits.busy_outputs, 0.0),
        "width": np.maximum(traits.input_bits + traits.weight_bits / 2 + np.log2(inputs) / 4, 1.0),
        "digits": np.maximum(traits.csd_digits, 1e-9) / nonzero,
        "inputs": inputs,
        "outputs": outputs,
        "density": nonzero / (inputs * outputs),
    }
    log_product = _PRODUCT_LOG + sum(p * np.log(np.maximum(features[k], 1e-9)) for k, p in _PRODUCT_POWERS.items())
    product = np.where(features["adders"] > 0, np.exp(log_product), 0.0)
    quantizer = (
        _OUTPUT_CONSTANT
        + _OUTPUT_INPUT_BITS * traits.input_bits
        + _OUTPUT_WEIGHT_BITS * traits.weight_bits
        + _OUTPUT_LOG_TERMS * np.log2(1 + traits.csd_digits / outputs)
    )
    part = np.where(traits.has_activation > 0, 1.0, _BIAS_SHARE)
    cost: Array = product + traits.busy_outputs * part * np.maximum(quantizer, 0.0)
    return cost


def placed_luts(adder_graph_cost: float) -> float:
    """Return the LUTs that an adder graph of this cost, da4ml's, has after place and route."""
    return ADDER_GRAPH_LUT_RATIO * adder_graph_cost


def adder_graph_depth(traits: LayerTraits) -> Array:
    """Return the levels of adders `(..., n_layers)` from the inputs of each layer to its outputs."""
    terms = np.maximum(traits.csd_digits / np.maximum(traits.busy_outputs, 1.0), 1.0)
    levels = _DEPTH_CONSTANT + _DEPTH_LOG_INPUTS * np.log2(np.maximum(traits.busy_inputs, 1.0)) + _DEPTH_OUTPUT
    depth: Array = np.where(traits.present, levels + _DEPTH_LOG_TERMS * np.log2(terms), 0.0)
    return depth


def distributed_arithmetic(traits: LayerTraits, n_inputs: int, clock_ns: float) -> Array:
    """Return the cost array `(7, 4, ...)` of networks at place and route.

    Args:
        traits: Layers `(..., n_layers)`.
        n_inputs: Features, each with its input format.
        clock_ns: Decides how many levels fit between two registers; large designs have longer wires, hence fewer.
    """
    lut = adder_graph_luts(traits).sum(axis=-1) + input_format_luts(n_inputs)
    levels = levels_per_cycle(lut, clock_ns)
    depth = adder_graph_depth(traits).sum(axis=-1) + 1  # the input format
    cycles = np.ceil(depth / levels)
    lut_spread = combined(GRAPH_SPREAD, ADDER_GRAPH_LUT_SPREAD)
    nothing, one = spread(np.zeros_like(lut), 0.0), spread(np.ones_like(lut), 0.0)
    return assemble(
        lut=spread(lut, lut_spread, lut / ADDER_GRAPH_LUT_RATIO),
        ff=spread(_FF_PER_LUT_AND_CUT * lut / levels, combined(lut_spread, _FF_SPREAD)),
        dsp=nothing,
        bram18=nothing,
        latency_cycles=between(cycles, np.ceil(0.5 * depth / levels), np.ceil(1.3 * depth / levels) + 1),
        ii_cycles=one,
        period_ns=adder_period(lut, lut_spread, np.minimum(levels, np.ceil(depth)), clock_ns),
    )
