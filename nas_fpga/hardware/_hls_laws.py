"""What a network costs in hls4ml's Latency and Resource strategies: laws of Vivado HLS reports, carried further.

The reports are those of wa-hls4ml (single dense layers, 16-bit data, 5 ns; Apache-2.0). For narrower data unrolled LUTs
follow EBOPs; the rest is scaled with the data, which was not measured: the intervals of such figures are wide.

Unrolled layers add what adder graphs add, which start from the same additions and only share them, and they have the
same bias, ReLU, rounding and saturation. So they never take fewer LUTs than the adder graph of the layer, less the
part of it that is on DSPs. EBOPs alone are below that in a quarter of networks of 3 and 4 bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._adder_law import adder_graph_luts, input_format_luts
from nas_fpga.hardware._cost_array import assemble, between, spread
from nas_fpga.hardware._period import scheduled_period
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

# What the reports are of: data of so many bits (sums have them too), this clock, these widths and even weight bits.
_MEASURED_BITS, _MEASURED_CLOCK_NS = 16.0, 5.0
_MEASURED_WIDTHS, _MEASURED_WEIGHT_BITS = (32, 256), (2, 14)
_OUTSIDE_SPREAD = 0.7  # where the reports are scaled or extended to what they are not of, an assumption
# Unrolled layers of narrower data: placed LUT + 55 DSP = EBOPs, roughly (HGQ, arXiv:2405.00645); spread assumed.
_EBOPS_PER_DSP, _EBOPS_SPREAD, _LEAST_EBOPS = 55.0, 0.45, 0.3
# Constants and half-widths of 90 % intervals are fits of benchmarks/estimators/hls_reports.py; errors are SMAPE on
# layer shapes that were left out of them. Fully unrolled (62 reports), LUT and FF by strategy and count: LUT 2.3 %; FF,
# for which the scheduler tosses a coin, 12 %, half of them within 8 % and the worst a factor 3 off.
_UNROLLED_LUT = {
    "latency": {"nonzero": 15.6, "distinct_others": 31.7, "distinct_powers": 19.3, "dsp_products": 7.9},
    "resource": {"nonzero": 15.8, "distinct_others": 32.4, "distinct_powers": 19.9, "dsp_products": 2.9},
}
_UNROLLED_FF = {
    "latency": {"nonzero": 1.69, "distinct_others": 1.55, "dsp_products": 1.58, "n_out": 0.0},
    "resource": {"nonzero": 0.24, "distinct_others": 4.94, "dsp_products": 8.83, "n_out": 12.9},
}
_UNROLLED_SPREAD, _UNROLLED_FF_SPREAD = 0.056, 0.36
# Products of narrow data stay in LUTs: about 5 % on DSPs at 7 bits (one report), all at 16 bits (62 reports).
_DSP_BITS, _DSP_SHARES = (7.0, 16.0), (0.05, 1.0)
_DSP_LOW = 0.3  # of the expected DSPs, lower end outside the reports
_DSP_LOW_SEEN = 0.95  # the same inside: unrolled ones are at worst 4 % fewer than expected, others exact
_NARROW_BITS = 12  # of both operands together: in Resource such products are expected in LUTs; an assumption
# Latency of unrolled layers at 5 ns: 7 to 10 cycles for networks of three and four layers.
_CYCLES_PER_LAYER, _CYCLES_LOW, _CYCLES_HIGH = 2.0, 1.0, 3.5
# Resource, reuse factor above n_in (871 reports), in the order of the terms: LUT 0.2 %, at most 1.8 % where all layers
# of a width were left out; FF 1.4 %. Worst is 32 x 32 with a single multiplier: LUT 11 %, FF 59 %.
_RESOURCE_LUT_DESIGN, _RESOURCE_LUT = 4632.0, (32.3, 23.8, 5.39, 12.4, -54.6, 37.6, 18.8, -4.79)
_RESOURCE_FF_LAYER, _RESOURCE_FF = 102.0, (16.0, 11.5, 4.3, 7.3)
_RESOURCE_SPREAD, _RESOURCE_FF_SPREAD = 0.01, 0.033  # LUTs lie within 44, and no design has less than 4,632
_BETWEEN_SPREAD = 1.0  # reuse factor from 2 to n_in: another kernel, no reports


def in_reports(traits: LayerTraits, reuse: Array, clock_ns: float) -> NDArray[np.bool_]:
    """Return whether all layers `(..., n_layers)` are like those of the reports, for which the laws were measured."""
    least, most = _MEASURED_WIDTHS
    narrow, wide = np.minimum(traits.n_in, traits.n_out), np.maximum(traits.n_in, traits.n_out)
    low, high = _MEASURED_WEIGHT_BITS
    bits = (traits.weight_bits >= low) & (traits.weight_bits <= high) & (traits.weight_bits % 2 == 0)
    kernel = (reuse <= 1) | (reuse > traits.n_in)
    data = (traits.input_bits == _MEASURED_BITS) & (traits.input_type_bits == _MEASURED_BITS)
    inside = (narrow >= least) & (wide <= most) & bits & kernel & data & (clock_ns == _MEASURED_CLOCK_NS)
    found: NDArray[np.bool_] = np.all(inside | ~traits.present, axis=-1)
    return found


def unrolled_luts(traits: LayerTraits, strategy: Unrolled) -> Array:
    """Return csynth LUTs `(..., n_layers)` of fully unrolled layers with 16-bit data."""
    return _counted(traits, _UNROLLED_LUT[strategy])


def unrolled_ffs(traits: LayerTraits, strategy: Unrolled) -> Array:
    """Return csynth flip-flops `(..., n_layers)` of fully unrolled layers with 16-bit data."""
    return _counted(traits, _UNROLLED_FF[strategy])


def _counted(traits: LayerTraits, each: dict[str, float]) -> Array:
    return _weighted(each.values(), (getattr(traits, name) for name in each))


def _weighted(constants: Iterable[float], terms: Iterable[Array]) -> Array:
    total: Array = np.asarray(sum(constant * term for constant, term in zip(constants, terms, strict=True)))
    return total


def resource_lut_terms(traits: LayerTraits, reuse: Array) -> tuple[Array, ...]:
    """Return what the LUTs of Resource layers are proportional to, each `(..., n_layers)`.

    Above two rounds over the inputs a multiplier feeds several sums through a multiplexer of as many ways as the next
    power of two from ``n_out``. One of 64 ways is cheaper than those of 32 and 128 make expect.
    """
    multipliers = traits.n_in * traits.n_out / reuse
    several = (reuse > 2 * traits.n_in) & traits.present
    ways = np.exp2(np.ceil(np.log2(np.maximum(traits.n_out, 1.0))))
    chosen, plain = several * multipliers, 1.0 - several
    return (
        traits.n_in,
        several * traits.n_out,
        chosen * ways,
        chosen,
        chosen * (ways == 64),
        plain * traits.n_out,
        plain * multipliers,
        (traits.weight_bits >= 6) * multipliers,
    )


def resource_luts(traits: LayerTraits, reuse: Array) -> Array:
    """Return csynth LUTs `(..., n_layers)` of Resource layers with 16-bit data, the constant of the design left out."""
    return _weighted(_RESOURCE_LUT, resource_lut_terms(traits, reuse))


def resource_ff_terms(traits: LayerTraits, reuse: Array) -> tuple[Array, ...]:
    """Return what the flip-flops of Resource layers are proportional to, each `(..., n_layers)`."""
    multipliers = traits.n_in * traits.n_out / reuse
    several = (reuse > 2 * traits.n_in) & traits.present
    return traits.n_out, (traits.weight_bits >= 6) * multipliers, several * multipliers, several.astype(np.float64)


def resource_ffs(traits: LayerTraits, reuse: Array) -> Array:
    """Return csynth flip-flops `(..., n_layers)` of Resource layers with 16-bit data, the constant left out."""
    return _weighted(_RESOURCE_FF, resource_ff_terms(traits, reuse))


def resource_dsps(traits: LayerTraits, reuse: Array) -> Array:
    """Return DSPs `(..., n_layers)` of Resource layers with 16-bit data: none up to 4 bits, else one a multiplier.

    At 6 bits one fewer, except with 32 inputs; exact in all reports. 5 and 7 bits are not in them; 5 is taken as 6.
    """
    multipliers = np.ceil(traits.n_in * traits.n_out / reuse)
    one_less = (np.abs(traits.weight_bits - 5.5) < 1) & (traits.n_in != 32) & traits.present
    return np.where(traits.weight_bits > 4, np.maximum(multipliers - one_less, 0.0), 0.0)


def resource_brams(traits: LayerTraits, reuse: Array) -> Array:
    """Return BRAM18 `(..., n_layers)` of Resource layers: the weights, ``reuse`` words of all multipliers' weights.

    Exact in 92 % of the reports, one beside in nearly all others.
    """
    word = traits.n_in * traits.n_out / reuse * traits.weight_bits
    full, rest = np.divmod(reuse, 1024)
    blocks = (full + (rest > 512)) * np.ceil(word / 18) + ((rest > 0) & (rest <= 512)) * np.ceil(word / 36)
    rounds = np.maximum(reuse / np.maximum(traits.n_in, 1.0), 1.0)
    blocks += reuse * np.ceil(np.log2(rounds)) >= 1024  # the table of output indices
    return np.where(traits.present, blocks, 0.0)


def resource_cycles(reuse: Array) -> tuple[Array, Array]:
    """Return the worst latency and the II of Resource layers alone.

    The II is exact in all reports with a reuse factor above n_in; the latency is in 95 % and one less in the rest. A
    layer that is unrolled takes a cycle, or none where its sums fit into the first.
    """
    return np.where(reuse > 1, reuse + 2, 1.0), np.where(reuse > 1, reuse, 2.0)


def latency_dsps(reuse: Array, products: Array, limit: Array) -> Array:
    """Return DSPs of Latency layers alone with a reuse factor above 1: exact at the 512 and 1,024 of the reports.

    Args:
        reuse: Reuse factors.
        products: Distinct weights of each input with at least 3 signed digits, summed over inputs.
        limit: :func:`~nas_fpga.hardware._mappings.multiplier_limit`; at 1,024 there is one more.
    """
    return np.where(products > 0, np.minimum(limit + (reuse >= 1024), products), 0.0)


def latency_cycles(reuse: Array, products: Array, dsps: Array) -> tuple[Array, Array]:
    """Return latency and II of Latency layers alone.

    With a reuse factor above 1 all products that may be on DSPs take turns on those there are: exact in all 30 reports
    with such products, and in 20 of the 24 without. In the other four, as in some unrolled ones, sums fit into a cycle.

    Args:
        reuse: Reuse factors.
        products: Distinct weights of each input with at least 3 signed digits, summed over inputs.
        dsps: :func:`latency_dsps`.
    """
    turns = np.where(products > 0, np.ceil(products / np.maximum(dsps, 1)) + 1, 2.0)
    return np.where(reuse > 1, turns, 1.0), np.where(reuse > 1, turns + 1, 1.0)


def latency_strategy(traits: LayerTraits, n_inputs: int, clock_ns: float) -> Array:
    """Return the cost array `(7, 4, ...)` of fully unrolled, pipelined networks at place and route."""
    lut, reported, ff, dsp = (x.sum(axis=-1) for x in _unrolled(traits, "latency"))
    narrow = ((traits.input_bits < _MEASURED_BITS) | ~traits.present).all(axis=-1)
    seen = in_reports(traits, np.ones_like(traits.n_in), clock_ns)
    outside = np.where(seen, 0.0, _OUTSIDE_SPREAD)
    law = np.where(narrow, _EBOPS_SPREAD, np.hypot(combined(_UNROLLED_SPREAD, CSYNTH_LUT_SPREAD), outside))
    layers = traits.present.sum(axis=-1) * max(_MEASURED_CLOCK_NS / clock_ns, 0.5)
    most = traits.dsp_products.sum(axis=-1)
    luts = lut + input_format_luts(traits, n_inputs)
    return assemble(
        lut=spread(luts, law, np.where(reported > 0, reported, np.nan)),
        ff=spread(ff / CSYNTH_FF_RATIO, np.hypot(combined(_UNROLLED_FF_SPREAD, CSYNTH_FF_SPREAD), outside), ff),
        dsp=between(dsp / CSYNTH_DSP_RATIO, np.where(seen, _DSP_LOW_SEEN, _DSP_LOW) * dsp, np.maximum(most, dsp), dsp),
        bram18=spread(np.zeros_like(lut), 0.0),
        latency_cycles=np.ceil(between(_CYCLES_PER_LAYER * layers, _CYCLES_LOW * layers, _CYCLES_HIGH * layers + 2)),
        ii_cycles=spread(np.ones_like(lut), 0.0),
        period_ns=scheduled_period(luts, law, clock_ns),
    )


def least_latency_luts(adder_luts: float, dsps: float) -> float:
    """Return the placed LUTs that a network takes at least in the Latency strategy: what its law says of adders' law.

    Args:
        adder_luts: Placed LUTs of the network's adder graph.
        dsps: That it takes in Latency, expected ones; less than half a DSP saves nothing.
    """
    return max(adder_luts - _EBOPS_PER_DSP * round(dsps), 0.0)


def resource_strategy(traits: LayerTraits, reuse: Array, n_inputs: int, clock_ns: float) -> Array:
    """Return the cost array `(7, 4, ...)` of Resource networks (dataflow: the slowest layer sets the II).

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
    reported = np.where(once, flat_reported, lut).sum(axis=-1) + _RESOURCE_LUT_DESIGN
    dsps = np.where(once, flat_dsp, np.where(in_luts, 0.0, dsp)).sum(axis=-1)
    brams = np.where(once, 0.0, resource_brams(traits, reuse))
    n_layers = present.sum(axis=-1)
    seen = in_reports(traits, reuse, clock_ns)
    least = np.where(once | in_luts, 0.0, _DSP_LOW)
    law = _law_spread(seen, once, between_kernels, _RESOURCE_SPREAD, _UNROLLED_SPREAD)
    ff_law = _law_spread(seen, once, between_kernels, _RESOURCE_FF_SPREAD, _UNROLLED_FF_SPREAD)
    folded_ff = resource_ffs(traits, reuse) * scale + _RESOURCE_FF_LAYER * present
    ff = np.where(once, flat_ff, folded_ff).sum(axis=-1)
    luts = placed.sum(axis=-1) + _RESOURCE_LUT_DESIGN / CSYNTH_LUT_RATIO + input_format_luts(traits, n_inputs)
    alone, interval = resource_cycles(reuse)
    latency = np.where(once, _CYCLES_PER_LAYER, np.where(present, alone, 0.0)).sum(axis=-1)
    interval = np.where(present, interval, 1.0).max(axis=-1)
    lut_spread = np.hypot(law, CSYNTH_LUT_SPREAD)
    return assemble(
        lut=spread(luts, lut_spread, reported),
        ff=spread(ff / CSYNTH_FF_RATIO, np.hypot(ff_law, CSYNTH_FF_SPREAD), ff),
        dsp=between(
            dsps / CSYNTH_DSP_RATIO,
            (np.where(seen[..., None], _DSP_LOW_SEEN, least) * np.where(once, flat_dsp, dsp)).sum(axis=-1),
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
        period_ns=scheduled_period(luts, lut_spread, clock_ns),
    )


def _law_spread(
    seen: NDArray[np.bool_], once: NDArray[np.bool_], between_kernels: NDArray[np.bool_], folded: float, unrolled: float
) -> Array:
    """Return the half-width `(...)` of a Resource law from where networks lie and what was measured by kernel."""
    measured = np.where(once.any(axis=-1), max(folded, unrolled), folded)
    law = np.where(between_kernels.any(axis=-1), _BETWEEN_SPREAD, measured)
    return np.hypot(law, np.where(seen, 0.0, _OUTSIDE_SPREAD))


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
