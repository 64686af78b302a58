"""The quantizers of HGQ and their surrogate gradients, and the effective bit operations that they amount to.

Sun et al., "Gradient-based automatic mixed precision quantization for neural networks on-chip", arXiv:2405.00645; the
gradients are those of the package HGQ2 (rounding ``RND``; overflow ``WRAP`` for weights, ``SAT`` for activations): the
derivative by the fraction bits is that of the rounding error, ln 2 times (value - quantized value).
"""

from __future__ import annotations

import math
from typing import Any

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
    rounded = jnp.floor(x * power_of_two(bits) + 0.5) * power_of_two(-bits)
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


@jax.custom_vjp
def quantize_units(x: Any, signed: Any, integer: Any, fraction: Any) -> Any:
    """Saturate and round the columns of ``x``, each to its own format; without a sign this is a quantized ReLU.

    Args:
        x: `(batch, n)`.
        signed: `(n,)` 1 where negative values exist, else 0.
        integer: `(n,)` integer bits, the sign not counted.
        fraction: `(n,)` fraction bits.
    """
    return _quantize_units(x, signed, integer, fraction)[0]


def _quantize_units(x: Any, signed: Any, integer: Any, fraction: Any) -> tuple[Any, Any]:
    fraction = jnp.round(fraction)
    step, inverse = power_of_two(-fraction), power_of_two(fraction)
    end = power_of_two(jnp.maximum(jnp.round(integer), -fraction))
    low, high = -end * signed, end - step
    rounded = jnp.floor(jnp.clip(x, low, high) * inverse + 0.5) * step
    return rounded, (x, rounded, low, high, end, step)


def _units_gradient(kept: Any, upstream: Any) -> tuple[Any, None, Any, Any]:
    x, rounded, low, high, end, step = kept
    over = jnp.where(x > high, upstream, 0.0).sum(axis=0)
    # An unsigned zero lies at the kink of the ReLU, where the derivative is taken as 0; a signed one is inside.
    inside = jnp.where((x <= high) & jnp.where(low < 0, x >= low, x > 0), upstream, 0.0)
    by_fraction = (inside * (x - rounded)).sum(axis=0) + over * step
    # Below a signed range the end is -2**i.
    under = jnp.where(x < low, upstream, 0.0).sum(axis=0) * jnp.where(low < 0, 1.0, 0.0)
    return inside, None, _LN2 * (over - under) * end, _LN2 * by_fraction


quantize_units.defvjp(_quantize_units, _units_gradient)


def unit_bits(signed: Any, integer: Any, fraction: Any) -> Any:
    """Return the bits of units, the sign included; the derivative by both kinds of bits is 1 where there are any."""
    bits = jax.lax.stop_gradient(jnp.round(integer) + jnp.round(fraction))
    change = integer + fraction - jax.lax.stop_gradient(integer + fraction)
    return jnp.where(bits > 0, bits + change, 0.0) + signed
