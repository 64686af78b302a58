"""What a network costs in distributed arithmetic: adder graphs without multipliers, a new input every cycle."""

from __future__ import annotations

import numpy as np

from nas_fpga.hardware._cost_array import assemble, between, spread
from nas_fpga.hardware._period import adder_period, levels_per_cycle
from nas_fpga.hardware._stages import ADDER_GRAPH_LUT_RATIO, ADDER_GRAPH_LUT_SPREAD, combined
from nas_fpga.hardware._traits import Array, LayerTraits

# Fit of benchmarks/hardware/calibrate_static.py to graphs of da4ml 0.6.0: 450 random layers (1-200 wide, weights of 2-8
# bits, activations of 2-10, 20-100 % kept) and the layers of the seen half of benchmarks/estimators/networks.csv,
# trained with fixed and learned bits. Above 300 LUT 90 % of the random layers lie within 13 %, of the trained ones
# within 10 %; of the unseen networks benchmarks/estimators/adder_graphs.json says how far they are.
_PRODUCT_LOG, _WIDTH_OF_WEIGHT_BIT = 0.0864, 0.1738
_PRODUCT_POWERS = {
    "adders": 1.0836,
    "width": 1.1010,
    "digits": -0.2362,
    "inputs": -0.2291,
    "outputs": -0.1610,
    "density": -0.3251,
}
GRAPH_SPREAD = 0.15
# Same layers: LUT of bias, ReLU, rounding and saturation for each output that has them, in bits of the inputs and the
# logarithm of the terms. The bias of an output layer is one term more of its sums.
_OUTPUT_CONSTANT, _OUTPUT_INPUT_BITS, _OUTPUT_LOG_TERMS = -4.1179, 1.3226, 2.4434
# Levels of adders of a layer: product (standard deviation 0.7), then bias and saturation. The latter take 0.9 in a
# layer alone and half of that in networks, where the deepest sums of one layer do not start the deepest of the next.
_DEPTH_CONSTANT, _DEPTH_LOG_INPUTS, _DEPTH_LOG_TERMS, _DEPTH_OUTPUT = 0.834, 0.169, 0.933, 0.45
# FF = 1.25 LUT / (levels a cycle) + 0.40 bits of the input words: Yosys' of the seen half of the networks above, with
# four or five levels between registers; standard deviation of the logarithm 0.10. JEDI-linear .46-.58 of the LUTs at
# two levels (assumed): within .32 of this law.
_FF_PER_LUT_AND_CUT, _FF_PER_INPUT_BIT, _FF_SPREAD = 1.25, 0.40, 0.32
# Bits of a word from the detector beyond the network's own format: one of fraction, one for the sign of features that
# have none in the network, and four so that a sender need not saturate before 16 times the range.
SPARE_BITS = 6


def input_format_luts(traits: LayerTraits, n_inputs: int) -> Array:
    """Return placed LUTs `(...)` of the input format: for each feature an adder that rounds and a choice that clips.

    Exactly da4ml's cost where all features have as many bits: words from the detector are :data:`SPARE_BITS` wider.
    """
    luts: Array = ADDER_GRAPH_LUT_RATIO * (input_word_bits(traits, n_inputs) + n_inputs * traits.input_bits[..., 0])
    return luts


def input_word_bits(traits: LayerTraits, n_inputs: int) -> Array:
    """Return the bits `(...)` of all words from the detector together."""
    bits: Array = n_inputs * (traits.input_type_bits[..., 0] + SPARE_BITS)
    return bits


def adder_graph_luts(traits: LayerTraits) -> Array:
    """Return placed LUTs `(..., n_layers)` of each layer in distributed arithmetic."""
    return ADDER_GRAPH_LUT_RATIO * adder_graph_cost(traits)


def adder_graph_cost(traits: LayerTraits) -> Array:
    """Return da4ml's cost `(..., n_layers)` in LUTs, of each layer with its bias and quantizer."""
    inputs, outputs = np.maximum(traits.busy_inputs, 1.0), np.maximum(traits.busy_outputs, 1.0)
    nonzero = np.maximum(traits.nonzero, 1e-9)
    features = {
        "adders": np.maximum(traits.csd_digits - traits.busy_outputs, 0.0),
        "width": np.maximum(traits.input_bits + _WIDTH_OF_WEIGHT_BIT * traits.weight_bits + np.log2(inputs) / 4, 1.0),
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
        + _OUTPUT_LOG_TERMS * np.log2(1 + traits.csd_digits / outputs)
    )
    cost: Array = product + traits.has_activation * traits.busy_outputs * np.maximum(quantizer, 0.0)
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
    lut = adder_graph_luts(traits).sum(axis=-1) + input_format_luts(traits, n_inputs)
    levels = levels_per_cycle(lut, clock_ns)
    depth = adder_graph_depth(traits).sum(axis=-1) + 1  # the input format
    cuts = depth / levels
    words = input_word_bits(traits, n_inputs)
    lut_spread = combined(GRAPH_SPREAD, ADDER_GRAPH_LUT_SPREAD)
    nothing, one = spread(np.zeros_like(lut), 0.0), spread(np.ones_like(lut), 0.0)
    return assemble(
        lut=spread(lut, lut_spread, lut / ADDER_GRAPH_LUT_RATIO),
        ff=spread(_FF_PER_LUT_AND_CUT * lut / levels + _FF_PER_INPUT_BIT * words, combined(lut_spread, _FF_SPREAD)),
        dsp=nothing,
        bram18=nothing,
        latency_cycles=1 + between(np.ceil(cuts), np.ceil(0.5 * cuts), np.ceil(1.3 * cuts) + 1),
        ii_cycles=one,
        period_ns=adder_period(lut, lut_spread, np.minimum(levels, np.ceil(depth)), clock_ns),
    )
