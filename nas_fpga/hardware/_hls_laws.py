"""What a network costs in hls4ml's Latency and Resource strategies: laws of Vivado HLS reports, carried further.

The reports are those of wa-hls4ml (single dense layers, 16-bit data, 5 ns; Apache-2.0). For narrower data unrolled LUTs
follow EBOPs; the rest is scaled with the data, which was not measured: the intervals of such figures are wide.

Unrolled layers add what adder graphs add, which start from the same additions and only share them, and they have the
same bias, ReLU, rounding and saturation. So they never take fewer LUTs than the adder graph of the layer, less the
part of it that is on DSPs. EBOPs alone are below that in a quarter of networks of 3 and 4 bits.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from nas_fpga.hardware._adder_law import adder_graph_luts, input_format_luts
from nas_fpga.hardware._cost_array import assemble, between, spread
from nas_fpga.hardware._stages import (
    CSYNTH_DSP_RATIO,
    CSYNTH_FF_RATIO,
    CSYNTH_FF_SPREAD,
    CSYNTH_LUT_RATIO,
    CSYNTH_LUT_SPREAD,
    combined,
)
from nas_fpga.hardware._traits import Array, LayerTraits

Unrolled = Literal["latency", "resource"]

_MEASURED_BITS = 16.0  # of the data in all reports; sums have them too
_OTHER_BITS_SPREAD = 0.7  # scaling the reports to narrower data, an assumption
# Unrolled layers of narrower data: placed LUT + 55 DSP = EBOPs, roughly (HGQ, arXiv:2405.00645); spread assumed.
_EBOPS_PER_DSP, _EBOPS_SPREAD, _LEAST_EBOPS = 55.0, 0.45, 0.3
# Fully unrolled (62 reports), by strategy: LUT and FF for each non-zero weight, distinct product of several digits,
# distinct power of two, and product on a DSP. On unseen layer shapes LUT 2.3 %; FF 13 % and 17 %, at worst a factor 3.
_UNROLLED_LUT = {"latency": (15.3, 31.3, 23.9, 8.1), "resource": (15.8, 32.4, 20.1, 2.9)}
_UNROLLED_FF = {"latency": (1.9, 0.8, 0.0, 1.4), "resource": (0.7, 4.8, 0.0, 8.7)}
_UNROLLED_SPREAD, _UNROLLED_FF_SPREAD = 0.075, 0.6
# Products of narrow data stay in LUTs: about 5 % on DSPs at 7 bits (one report), all at 16 bits (62 reports).
_DSP_BITS, _DSP_SHARES = (7.0, 16.0), (0.05, 1.0)
_DSP_LOW = 0.3  # of the expected DSPs, lower end with other data than measured
_NARROW_BITS = 12  # of both operands together: in Resource such products are expected in LUTs; an assumption
# Latency of unrolled layers at 5 ns: 7 to 10 cycles for networks of three and four layers.
_CYCLES_PER_LAYER, _CYCLES_LOW, _CYCLES_HIGH, _CYCLES_CLOCK_NS = 2.0, 1.0, 3.5, 5.0
# Resource, reuse factor above n_in (871 reports): SMAPE 0.9 % (LUT) and 2.4 % (FF) on unseen shapes.
_LUT_DESIGN, _LUT_INPUT, _RESOURCE_SPREAD = 4617.0, 32.0, 0.06
_BETWEEN_SPREAD = 1.0  # reuse factor from 2 to n_in: another kernel, no reports


def unrolled_luts(traits: LayerTraits, strategy: Unrolled) -> Array:
    """Return csynth LUTs `(..., n_layers)` of fully unrolled layers with 16-bit data."""
    return _by_weight(traits, _UNROLLED_LUT[strategy])


def unrolled_ffs(traits: LayerTraits, strategy: Unrolled) -> Array:
    """Return csynth flip-flops `(..., n_layers)` of fully unrolled layers with 16-bit data."""
    return _by_weight(traits, _UNROLLED_FF[strategy])


def _by_weight(traits: LayerTraits, each: tuple[float, float, float, float]) -> Array:
    weight, other, power, on_dsp = each
    total: Array = weight * traits.nonzero + other * traits.distinct_others
    return total + power * traits.distinct_powers + on_dsp * traits.dsp_products


def resource_luts(traits: LayerTraits, reuse: Array) -> Array:
    """Return csynth LUTs `(..., n_layers)` of Resource layers with 16-bit data, the constant of the design left out.

    Above two rounds over the inputs a multiplier feeds several sums through a multiplexer, which is most of the cost.
    """
    multipliers = traits.n_in * traits.n_out / reuse
    rounds = reuse / np.maximum(traits.n_in, 1.0)
    ways = np.exp2(np.ceil(np.log2(np.maximum(traits.n_out, 1.0))))
    several = 226 + 22 * traits.n_out + multipliers * np.maximum(5.6 * ways - 38, 0.0)
    plain = 37.5 * traits.n_out + 18.8 * multipliers
    fewer = np.where(traits.weight_bits >= 6, 4.8 * multipliers, 0.0)
    luts: Array = _LUT_INPUT * traits.n_in + np.where(rounds > 2, several, plain) - fewer
    return np.where(traits.present, luts, 0.0)


def resource_ffs(traits: LayerTraits, reuse: Array) -> Array:
    """Return csynth flip-flops `(..., n_layers)` of Resource layers with 16-bit data, the constant left out."""
    multipliers = traits.n_in * traits.n_out / reuse
    each = np.where(traits.weight_bits >= 6, 12.4, 0.5 * traits.weight_bits)
    return 16.2 * traits.n_out + multipliers * each


def resource_dsps(traits: LayerTraits, reuse: Array) -> Array:
    """Return DSPs `(..., n_layers)` of Resource layers with 16-bit data: none up to 4 bits, else one a multiplier.

    At 6 bits one fewer, except with 32 inputs. 5 and 7 bits are not in the reports; 5 is taken as 6.
    """
    multipliers = np.ceil(traits.n_in * traits.n_out / reuse)
    one_less = (np.abs(traits.weight_bits - 5.5) < 1) & (traits.n_in != 32) & traits.present
    return np.where(traits.weight_bits > 4, np.maximum(multipliers - one_less, 0.0), 0.0)


def resource_brams(traits: LayerTraits, reuse: Array) -> Array:
    """Return BRAM18 `(..., n_layers)` of Resource layers: the weights, ``reuse`` words of all multipliers' weights."""
    word = traits.n_in * traits.n_out / reuse * traits.weight_bits
    full, rest = np.divmod(reuse, 1024)
    blocks = (full + (rest > 512)) * np.ceil(word / 18) + ((rest > 0) & (rest <= 512)) * np.ceil(word / 36)
    rounds = np.maximum(reuse / np.maximum(traits.n_in, 1.0), 1.0)
    blocks += reuse * np.ceil(np.log2(rounds)) >= 1024  # the table of output indices
    return np.where(traits.present, blocks, 0.0)


def latency_strategy(traits: LayerTraits, n_inputs: int, clock_ns: float) -> Array:
    """Return the cost array `(6, 4, ...)` of fully unrolled, pipelined networks at place and route."""
    lut, reported, ff, dsp = (x.sum(axis=-1) for x in _unrolled(traits, "latency"))
    narrow = ((traits.input_bits < _MEASURED_BITS) | ~traits.present).all(axis=-1)
    law = np.where(narrow, _EBOPS_SPREAD, combined(_UNROLLED_SPREAD, CSYNTH_LUT_SPREAD))
    layers = traits.present.sum(axis=-1) * max(_CYCLES_CLOCK_NS / clock_ns, 0.5)
    most = traits.dsp_products.sum(axis=-1)
    return assemble(
        lut=spread(lut + input_format_luts(n_inputs), law, np.where(reported > 0, reported, np.nan)),
        ff=spread(ff / CSYNTH_FF_RATIO, combined(_UNROLLED_FF_SPREAD, _OTHER_BITS_SPREAD, CSYNTH_FF_SPREAD), ff),
        dsp=between(dsp / CSYNTH_DSP_RATIO, _DSP_LOW * dsp, np.maximum(most, dsp), dsp),
        bram18=spread(np.zeros_like(lut), 0.0),
        latency_cycles=np.ceil(between(_CYCLES_PER_LAYER * layers, _CYCLES_LOW * layers, _CYCLES_HIGH * layers + 2)),
        ii_cycles=spread(np.ones_like(lut), 0.0),
    )


def resource_strategy(traits: LayerTraits, reuse: Array, n_inputs: int, clock_ns: float) -> Array:
    """Return the cost array `(6, 4, ...)` of Resource networks (dataflow: the slowest layer sets the II).

    Args:
        traits: Layers `(..., n_layers)`.
        reuse: Reuse factors, broadcast against the layers; 1 unrolls a layer.
        n_inputs: Features, each with its input format.
        clock_ns: Period of the clock.
    """
    present = traits.present
    once = (reuse <= 1) & present
    between_kernels = (reuse > 1) & (reuse <= traits.n_in) & present
    scale = traits.input_type_bits / _MEASURED_BITS
    flat_lut, flat_reported, flat_ff, flat_dsp = _unrolled(traits, "resource")
    in_luts = (traits.weight_bits > 4) & (traits.input_type_bits + traits.weight_bits <= _NARROW_BITS)
    dsp = resource_dsps(traits, reuse)  # with narrow operands these are multipliers in LUTs, one for each pair of bits
    each = traits.input_type_bits * traits.weight_bits
    lut = resource_luts(traits, reuse) * scale + np.where(in_luts, dsp * each, 0.0)
    placed = np.where(once, flat_lut, lut / CSYNTH_LUT_RATIO)
    reported = np.where(once, flat_reported, lut).sum(axis=-1) + _LUT_DESIGN
    dsps = np.where(once, flat_dsp, np.where(in_luts, 0.0, dsp)).sum(axis=-1)
    brams = np.where(once, 0.0, resource_brams(traits, reuse))
    n_layers = present.sum(axis=-1)
    law = np.where(between_kernels.any(axis=-1), _BETWEEN_SPREAD, _RESOURCE_SPREAD)
    law = np.hypot(law, np.where((scale < 1).any(axis=-1), _OTHER_BITS_SPREAD, 0.0))
    lut_spread = np.hypot(law, CSYNTH_LUT_SPREAD)
    ff = (np.where(once, flat_ff, resource_ffs(traits, reuse) * scale) + 137 * present).sum(axis=-1)
    luts = placed.sum(axis=-1) + _LUT_DESIGN / CSYNTH_LUT_RATIO + input_format_luts(n_inputs)
    latency = np.where(once, _CYCLES_PER_LAYER, np.where(present, reuse + 1, 0.0)).sum(axis=-1)
    interval = np.where(present, reuse, 1.0).max(axis=-1)
    return assemble(
        lut=spread(luts, lut_spread, reported),
        ff=spread(ff / CSYNTH_FF_RATIO, np.hypot(law, CSYNTH_FF_SPREAD), ff),
        dsp=between(
            dsps / CSYNTH_DSP_RATIO,
            np.where(once | in_luts, 0.0, _DSP_LOW * dsp).sum(axis=-1),
            np.where(once, np.maximum(traits.dsp_products, flat_dsp), dsp).sum(axis=-1),
            dsps,
        ),
        bram18=between(
            brams.sum(axis=-1),
            np.where(between_kernels, 0.0, np.maximum(brams - 1, 0.0)).sum(axis=-1),
            brams.sum(axis=-1) + n_layers,
        ),
        latency_cycles=between(latency, latency - n_layers, latency + 4.0 * n_layers * max(1.0, 5.0 / clock_ns)),
        ii_cycles=between(interval, interval, interval + 2),
    )


def _unrolled(traits: LayerTraits, strategy: Unrolled) -> tuple[Array, Array, Array, Array]:
    """Return placed LUTs, csynth LUTs, FFs and DSPs `(..., n_layers)` of unrolled layers.

    LUTs are those of reports with 16-bit data and follow EBOPs below, but are at least those of the adder graphs;
    csynth has none of the layers where no report decides.
    """
    narrow = traits.input_bits < _MEASURED_BITS
    on_dsp = np.where(traits.present, np.interp(traits.input_bits, _DSP_BITS, _DSP_SHARES), 0.0)
    dsp = on_dsp * traits.dsp_products
    ebops = traits.bit_operations
    in_luts = np.maximum(1 - _EBOPS_PER_DSP * dsp / np.maximum(ebops, 1.0), _LEAST_EBOPS)  # share of the bit operations
    reported, least = unrolled_luts(traits, strategy), in_luts * adder_graph_luts(traits)
    placed = np.maximum(np.where(narrow, in_luts * ebops, reported / CSYNTH_LUT_RATIO), least)
    decides = ~narrow & (reported / CSYNTH_LUT_RATIO >= least)
    return (
        placed,
        np.where(decides, reported, 0.0),
        unrolled_ffs(traits, strategy) * traits.input_bits / _MEASURED_BITS,
        dsp,
    )
