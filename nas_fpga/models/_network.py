"""From a chain to integers: bits for what has none, and formats that one network can have for those that are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.errors import InputError
from nas_fpga.models._chain import (
    Approximations,
    Array,
    Dense,
    DenseWithSteps,
    Output,
    Quantizer,
    Relu,
    Step,
    split_at_layers,
)
from nas_fpga.space import BitWidths, Candidate, LearnedBits
from nas_fpga.training import QuantizedLayer, QuantizedNetwork, trailing_zeros

DEFAULT_BITS = 16  # hls4ml's ap_fixed<16,6>
_MOST_BITS = 16  # asked for; what the cost of 16-bit data was measured for
_WIDEST = 31  # of the weights' int32
_INTEGER_SHARE = 6 / 16  # of the bits of an activation whose range is unknown; ap_fixed<16,6> again
_OPTION = {False: "--bits", True: "--input-bits"}  # of inputs
_FINE = 512  # fraction bits, beyond those of any number here: a real number

Bits = NDArray[np.int64]


class _Values(NamedTuple):
    """What is known of the values at a place of the chain, `(n,)` each: their ends, and the fraction bits they need."""

    low: NDArray[np.floating]
    high: NDArray[np.floating]
    grid: Bits


class _Format(NamedTuple):
    """A format, `(n,)` each; ``bits`` count the sign, and are 0 where all values are zero."""

    signed: NDArray[np.bool_]
    bits: Bits
    fraction_bits: Bits


def network_of(
    chain: Sequence[Step],
    source: object,
    *,
    bits: int | None,
    input_bits: int | None,
    approximated: Approximations,
    message: Callable[[str], None],
) -> QuantizedNetwork:
    """Return the network of a chain.

    Args:
        chain: As a reader made it.
        source: The file, for messages.
        bits: See :func:`nas_fpga.models.read_model`, as the next.
        input_bits: Of the inputs.
        approximated: Takes note of what the network does not express.
        message: Told which bits were chosen.

    Raises:
        InputError: The chain is no such network, or bits are asked where it has its own.
    """
    front, layers = split_at_layers(chain, source, approximated)
    needing = _needing_bits(front, layers)
    _check_bits(_OPTION[False], bits, [name for name in needing if name != "inputs"], source)
    _check_bits(_OPTION[True], input_bits, [name for name in needing if name == "inputs"], source)
    if needing and bits is None and (input_bits is None or needing != ["inputs"]):
        what = "all numbers" if len(needing) == 2 * len(layers) else ", ".join(needing)
        message(
            f"{source}: {what} have no bits of their own and get {DEFAULT_BITS}, of which activations and inputs have "
            f"{_integer_bits(DEFAULT_BITS)} before the binary point; {_OPTION[needing == ['inputs']]} N gives others"
        )
    bits = bits or DEFAULT_BITS
    input_bits = input_bits or bits
    n_in = layers[0].dense.kernel.shape[0]
    anything = _Values(np.full(n_in, -np.inf), np.full(n_in, np.inf), np.full(n_in, _FINE))
    form = _merged(front, anything, approximated) if front else _default(n_in, input_bits, signed=True)
    _check_width("inputs", form.bits, source)
    input_format = InputFormat(form.bits, form.signed, form.fraction_bits, np.zeros(n_in, np.int64))
    values = _Values(*input_format.ends, form.fraction_bits)
    built = []
    for i, layer in enumerate(layers):
        weights, weight_fraction = _weights(layer.dense, bits, source)
        bias, bias_fraction = _bias(layer.dense, weight_fraction + int(values.grid.max()), source)
        quantized = QuantizedLayer(weights, weight_fraction, bias, bias_fraction, None, None)
        sums = _Values(*quantized.ends_of_sums(values.low, values.high), quantized.grid_of_sums(values.grid))
        if i == len(layers) - 1:
            _note_output(layer, sums, approximated)
            built.append(quantized)
            break
        quantizers = [step for step in layer.after if isinstance(step, Quantizer)]
        form = _merged(layer.after, sums, approximated) if quantizers else _default(len(bias), bits, signed=False)
        unsigned = np.maximum(form.bits - form.signed, 0)
        _check_width(layer.dense.name, unsigned, source)
        quantized = QuantizedLayer(weights, weight_fraction, bias, bias_fraction, unsigned, form.fraction_bits)
        low, high = (quantized.activate(ends) for ends in (sums.low, sums.high))
        values = _Values(low, high, np.minimum(sums.grid, form.fraction_bits))
        built.append(quantized)
    return QuantizedNetwork(_candidate(built), input_format, tuple(built))


def _needing_bits(front: Sequence[Quantizer], layers: Sequence[DenseWithSteps]) -> list[str]:
    """Return what has no bits of its own, by name."""
    needing = [] if front else ["inputs"]
    for i, layer in enumerate(layers):
        if not layer.dense.has_bits:
            needing.append(f"weights of {layer.dense.name}")
        if i < len(layers) - 1 and not any(isinstance(step, Quantizer) for step in layer.after):
            needing.append(f"activations of {layer.dense.name}")
    return needing


def _check_bits(option: str, bits: int | None, needing: Sequence[str], source: object) -> None:
    if bits is None:
        return
    if not 2 <= bits <= _MOST_BITS:
        raise InputError(f"{option} {bits} must be from 2 to {_MOST_BITS}")
    if not needing:
        raise InputError(f"{option} {bits} is for numbers without bits; {source} has its own, leave it out")


def _integer_bits(bits: int) -> int:
    """Return the bits before the binary point of numbers whose range is unknown, the sign included."""
    return round(bits * _INTEGER_SHARE)


def _default(n: int, bits: int, *, signed: bool) -> _Format:
    """Return the format of ``n`` numbers whose range is unknown."""
    fraction = bits - _integer_bits(bits)
    return _Format(np.full(n, signed), np.full(n, bits, np.int64), np.full(n, fraction, np.int64))


def _merged(steps: Sequence[Step], values: _Values, approximated: Approximations) -> _Format:
    """Return the one format that several steps come to: the coarsest step and the narrowest range of all."""
    n = len(values.low)
    quantizers = [step for step in steps if isinstance(step, Quantizer)]
    signed, integer, fraction = (
        np.stack([np.broadcast_to(getattr(step, name), n) for step in quantizers])
        for name in ("signed", "integer_bits", "fraction_bits")
    )
    live = (signed + integer + fraction > 0).all(axis=0)
    bits = np.where(live, signed.all(axis=0) + np.maximum(integer.min(axis=0) + fraction.min(axis=0), 0), 0)
    form = _Format(np.asarray(signed.all(axis=0)), bits, fraction.min(axis=0))
    _note_differences(steps, values, form.fraction_bits, approximated)
    return form


def _note_differences(steps: Sequence[Step], values: _Values, finest: Bits, approximated: Approximations) -> None:
    """Take note of what steps do to these values that their one format does not: only of what can happen.

    Args:
        steps: One after the other.
        values: That arrive.
        finest: Fraction bits of their one format.
        approximated: Takes note.
    """
    low, high, grid = values
    rectified = any(isinstance(step, Relu) for step in steps)
    rounded: NDArray[np.bool_] = np.zeros(len(low), np.bool_)
    for i, step in enumerate(steps):
        if isinstance(step, Relu):
            low, high = np.maximum(low, 0.0), np.maximum(high, 0.0)
        if not isinstance(step, Quantizer):
            continue
        (bottom, top), live = _ends(step), _live(step)
        rounds, above, below = (grid > step.fraction_bits) & live, (high > top) & live, (low < bottom) & live
        off_grid = above & (step.fraction_bits > finest)
        if step.rounding == "TRN":  # to at least half the step that is rounded to later: this changes nothing
            for later in steps[i + 1 :]:
                if isinstance(later, Quantizer) and later.rounding == "RND":
                    rounds = rounds & (later.fraction_bits >= step.fraction_bits)
        if step.overflow == "SAT_SYM":  # differs from SAT in its least value alone
            above, below = np.zeros_like(above), below & (not rectified)
        if step.rounding != "RND" and rounds.any():
            approximated.add(f"rounding {step.rounding} is counted as RND", step.name)
        if step.overflow != "SAT" and (above | below).any():
            approximated.add(f"overflow {step.overflow} is counted as SAT", step.name)
        if ((rounds & rounded) | off_grid).any():
            approximated.add("two quantizers are counted as one", step.name)
        rounded = rounded | rounds
        low, high = np.clip(low, bottom, top), np.clip(high, bottom, top)
        grid = np.minimum(grid, step.fraction_bits)


def _live(step: Quantizer) -> NDArray[np.bool_]:
    """Return where a format has bits."""
    live: NDArray[np.bool_] = np.asarray(step.signed + step.integer_bits + step.fraction_bits > 0)
    return live


def _ends(step: Quantizer) -> tuple[Array, Array]:
    """Return the least and the largest value of a format; 0 where it has no bits."""
    live = _live(step)
    reach = np.ldexp(1.0, step.integer_bits)
    top = np.where(live, reach - np.ldexp(1.0, -step.fraction_bits), 0.0)
    return np.where(step.signed & live, -top if step.overflow == "SAT_SYM" else -reach, 0.0), top


def _note_output(layer: DenseWithSteps, sums: _Values, approximated: Approximations) -> None:
    """Take note of what follows the raw outputs and changes them."""
    low, high, grid = sums
    for step in layer.after:
        if isinstance(step, Output):
            approximated.add(f"{step.kind} at the end is not counted", step.name)
            return
        if isinstance(step, Quantizer):
            bottom, top = _ends(step)
            if ((grid > step.fraction_bits) | (high > top) | (low < bottom)).any():
                approximated.add("quantizer of the outputs is not counted", step.name)


def _weights(dense: Dense, bits: int, source: object) -> tuple[NDArray[np.int32], int]:
    """Return integer weights and their fraction bits."""
    if not (np.isfinite(dense.kernel).all() and np.isfinite(dense.bias).all()):
        raise InputError(f"layer {dense.name} of {source} has weights that are no finite numbers; train it again")
    if dense.has_bits:
        fraction = _finest(dense.kernel)
        integers = np.ldexp(dense.kernel, fraction)
        if np.abs(integers).max(initial=0.0) >= 2.0**_WIDEST:
            raise InputError(f"weights of layer {dense.name} of {source} need more than {_WIDEST + 1} bits; give fewer")
        return integers.astype(np.int32), fraction
    fraction = bits - 1 - int(np.frexp(np.abs(dense.kernel).max(initial=0.0))[1])
    reach = 2 ** (bits - 1)
    integers = np.clip(np.floor(np.ldexp(dense.kernel, fraction) + 0.5), -reach, reach - 1)
    return integers.astype(np.int32), fraction


def _bias(dense: Dense, accumulator: int, source: object) -> tuple[NDArray[np.int64], int]:
    """Return integer biases and their fraction bits; of float ones those of the accumulator, where nothing is lost."""
    fraction = _finest(dense.bias) if dense.bias_has_bits else accumulator
    integers = np.floor(np.ldexp(dense.bias, fraction) + 0.5)
    if np.abs(integers).max(initial=0.0) >= 2.0**62:
        raise InputError(f"the bias of layer {dense.name} of {source} needs more than 62 bits; give fewer")
    return integers.astype(np.int64), fraction


def _finest(values: Array) -> int:
    """Return the least fraction bits with which all of ``values`` are integers."""
    mantissas, exponents = np.frexp(values)
    fractions = 53 - exponents - trailing_zeros(np.ldexp(mantissas, 53).astype(np.int64))
    return int(fractions.max(where=values != 0, initial=-_FINE)) if values.any() else 0


def _check_width(name: str, bits: Bits, source: object) -> None:
    if bits.max(initial=0) > _WIDEST:
        raise InputError(f"{name} of {source} have {bits.max()} bits; at most {_WIDEST} are supported")


def _candidate(layers: Sequence[QuantizedLayer]) -> Candidate:
    """Return topology and bits; the latter count as learned where activations differ."""
    topology = tuple(layer.n_out for layer in layers[:-1])
    hidden = [layer.activation_bits for layer in layers if layer.activation_bits is not None]
    activations = np.unique(np.concatenate(hidden))
    if len(activations) > 1:
        return Candidate(topology, LearnedBits())
    magnitude = max(int(np.where(layer.weights < 0, ~layer.weights, layer.weights).max(initial=0)) for layer in layers)
    return Candidate(topology, BitWidths(magnitude.bit_length() + 1, int(activations[0])))
