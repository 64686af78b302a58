"""The quantizers of HGQ and their surrogate gradients, and the effective bit operations that they amount to.

Sun et al., "Gradient-based automatic mixed precision quantization for neural networks on-chip", arXiv:2405.00645; the
gradients are those of the package HGQ2 (rounding ``RND``; overflow ``WRAP`` for weights, ``SAT`` for activations): the
derivative by the fraction bits is that of the rounding error, ln 2 times (value - quantized value).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

_LN2 = math.log(2)


def power_of_two(exponents: Any) -> Any:
    """Return ``2**n`` for whole numbers n from -126 to 127 as float32; exact, as `exp2` is not everywhere."""
    return jax.lax.bitcast_convert_type((exponents.astype(jnp.int32) + 127) << 23, jnp.float32)


def bit_length(integers: Any) -> Any:
    """Return the binary digits of whole numbers below ``2**24``, given and returned as float32; 0 has none."""
    exponents = jax.lax.bitcast_convert_type(integers, jnp.int32) >> 23
    return jnp.maximum(exponents - 126, 0).astype(jnp.float32)


@jax.custom_vjp
def quantize_weights(x: Any, fraction: Any) -> Any:
    """Round each `x` to its own fraction bits (rounded themselves); the integer bits follow from the value."""
    return _quantize_weights(x, fraction)[0]


def _quantize_weights(x: Any, fraction: Any) -> tuple[Any, Any]:
    bits = jnp.round(fraction)
    rounded = jnp.floor(x * power_of_two(bits) + 0.5) / power_of_two(bits)  # a quotient: see `_unit_formats`
    return rounded, x - rounded


def _weights_gradient(error: Any, upstream: Any) -> tuple[Any, Any]:
    return upstream, upstream * (_LN2 * error)


quantize_weights.defvjp(_quantize_weights, _weights_gradient)


def weight_bits(quantized: Any, fraction: Any) -> Any:
    """Return the effective bits of quantized weights, sign not counted: 0 for a zero.

    The derivative by the fraction bits is 1 for all that is not zero.
    """
    bits = jax.lax.stop_gradient(bit_length(jnp.abs(quantized) * power_of_two(jnp.round(fraction))))
    return bits + jnp.where(bits > 0, fraction - jax.lax.stop_gradient(fraction), 0.0)


class UnitFormats(NamedTuple):
    """What the formats of units amount to, one value for each unit.

    Attributes:
        low: Least value; a scalar 0 where no unit has a sign, which needs no derivative.
        high: Largest value.
        step: Of the values; without derivative.
        inverse: Of the step; without derivative.
        fraction: Fraction bits, not rounded: only the derivative by them is used.
        bits: Bits, the sign included.
    """

    low: Any
    high: Any
    step: Any
    inverse: Any
    fraction: Any
    bits: Any


@jax.custom_vjp
def unit_formats(signed: Any, integer: Any, fraction: Any) -> UnitFormats:
    """Return the formats for signs (0 or 1), integer bits without the sign and fraction bits, `(n,)` each.

    The derivative of the bits is 1 by both kinds of bits where there are any; by the signs there is none.
    """
    return _unit_formats(signed, integer, fraction)[0]


def _unit_formats(signed: Any, integer: Any, fraction: Any) -> tuple[UnitFormats, Any]:
    whole = jnp.round(fraction)
    integer_used = jnp.maximum(jnp.round(integer), -whole)
    n_bits = integer_used + whole
    # Quotients, which are exact here: XLA works them out once, and other things again for every element of a batch.
    step, end = 1 / power_of_two(whole), 1 / power_of_two(-integer_used)
    high = (power_of_two(n_bits) - 1) / power_of_two(whole)
    formats = UnitFormats(-signed / power_of_two(-integer_used), high, step, 1 / step, fraction, n_bits + signed)
    return formats, (signed, end, step, n_bits > 0)


def _formats_gradient(kept: Any, upstream: UnitFormats) -> tuple[Any, Any, Any]:
    signed, end, step, has_bits = kept
    of_bits = jnp.where(has_bits, upstream.bits, 0.0)
    of_integer = _LN2 * end * (upstream.high - signed * upstream.low) + of_bits
    of_fraction = _LN2 * step * upstream.high + upstream.fraction + of_bits
    return jnp.zeros_like(signed), of_integer, of_fraction


unit_formats.defvjp(_unit_formats, _formats_gradient)


@jax.custom_vjp
def quantize_units(x: Any, formats: UnitFormats) -> Any:
    """Saturate and round the columns of ``x`` `(batch, n)`, each to its own format; without sign a quantized ReLU."""
    return _quantize_units(x, formats)[0]


def _quantize_units(x: Any, formats: UnitFormats) -> tuple[Any, Any]:
    steps = jnp.clip(x, formats.low, formats.high) * formats.inverse
    rounded = jnp.floor(steps + 0.5) * formats.step
    return rounded, (x, rounded, formats)


def _units_gradient(kept: Any, upstream: Any) -> tuple[Any, UnitFormats]:
    x, rounded, formats = kept
    low, high = formats.low, formats.high
    over = _column_sums(jnp.where(x > high, upstream, 0.0))
    under = _column_sums(jnp.where(x < low, upstream, 0.0))
    # The ends are multiples of the step: what saturates has no rounding error.
    error = _column_sums(upstream * (jnp.clip(x, low, high) - rounded))
    # An unsigned zero lies at the kink of the ReLU, where the derivative is taken as 0.
    inside = jnp.where((x > low) & (x <= high), upstream, 0.0)
    none = jnp.zeros_like(high)
    return inside, UnitFormats(under if low.ndim else under.sum(), over, none, none, _LN2 * error, none)


def _column_sums(x: Any) -> Any:
    """Return the sums over the batch; as a product of matrices, which a CPU does faster than a reduction."""
    return jnp.ones(x.shape[0], x.dtype) @ x


quantize_units.defvjp(_quantize_units, _units_gradient)
