"""The fixed packing of features and outputs into the buses of the IP, as a table and as code that reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.export._rtl._formats import FeatureFormat
from nas_fpga.export._text import cell
from nas_fpga.hardware import SPARE_BITS


@dataclass(frozen=True)
class Word:
    """One signed two's complement number on a bus.

    Attributes:
        name: Feature or output.
        unit: Unit of its value, empty where there is none.
        hi: Most significant bit on the bus.
        lo: Least significant bit on the bus.
        fraction_bits: One LSB is worth ``2**-fraction_bits``.
        low: Least value that is distinguished.
        high: Largest value that is distinguished.
        beyond: What the sender does with values that the word cannot hold; empty for outputs.
        note: One remark for people.
    """

    name: str
    unit: str
    hi: int
    lo: int
    fraction_bits: int
    low: float
    high: float
    beyond: str
    note: str

    @property
    def bits(self) -> int:
        """Width of the word."""
        return self.hi - self.lo + 1

    @property
    def lsb(self) -> float:
        """Value of one LSB."""
        return 2.0**-self.fraction_bits

    def as_json(self) -> dict[str, Any]:
        """Return the word as a JSON object that needs no arithmetic to be used."""
        return dataclasses.asdict(self) | {"bits": self.bits, "lsb": self.lsb, "signed": True}


def word_of_json(description: Mapping[str, Any]) -> Word:
    """Return the word of such an object."""
    return Word(**{field.name: description[field.name] for field in dataclasses.fields(Word)})


def input_words(names: Sequence[str], units: Sequence[str], formats: Sequence[FeatureFormat]) -> tuple[Word, ...]:
    """Lay raw features on the input bus, first feature lowest.

    Every word has one fraction bit more than the feature's own step ``s = 2**-f``, so a sender may cut (floor) a raw
    value ``x`` to the port's grid ``s / 2``: the design rounds with ``floor(x / s + 1/2)``, and with ``y = 2 x / s``

        floor(x / s + 1/2) = floor((y + 1) / 2) = floor((floor(y) + 1) / 2),

    since ``floor(z / 2) = floor(floor(z) / 2)`` for every real ``z``, here ``z = y + 1``. Saturating a raw value at the
    ends of the word changes nothing either: they lie beyond the format's own, where the design saturates as well.
    """
    bits = max((form.bits for form in formats), default=0) + SPARE_BITS
    words = []
    for i, (name, unit, form) in enumerate(zip(names, units, formats, strict=True)):
        step = 2.0**-form.fraction_bits
        low = -(2.0 ** (form.bits - 1)) * step if form.signed else 0.0
        high = (2.0 ** (form.bits - form.signed) - 1) * step
        if form.bits == 0:
            low, high, note = 0.0, 0.0, "not seen by the model"
        else:
            note = f"step {step:g}, {'wraps' if form.wraps else 'saturates'} inside"
        beyond = "wrap" if form.wraps else "saturate"
        words.append(Word(name, unit, bits * (i + 1) - 1, bits * i, form.fraction_bits + 1, low, high, beyond, note))
    return tuple(words)


def output_words(names: Sequence[str], lows: Sequence[float], highs: Sequence[float], grid: int) -> tuple[Word, ...]:
    """Lay outputs on the output bus, first output lowest, all on one grid so that they compare as integers.

    Args:
        names: Of the outputs.
        lows: Least value of each.
        highs: Largest value of each.
        grid: Fraction bits of the finest.
    """
    reach = [max(round(high * 2.0**grid), -round(low * 2.0**grid) - 1) for low, high in zip(lows, highs, strict=True)]
    bits = max(max(reach), 0).bit_length() + 1
    return tuple(
        Word(name, "", bits * (i + 1) - 1, bits * i, grid, low, high, "", "raw output of the last layer")
        for i, (name, low, high) in enumerate(zip(names, lows, highs, strict=True))
    )


def bus_bits(words: Sequence[Word]) -> int:
    """Return the width of the bus of these words."""
    return words[-1].hi + 1


def pack(words: Sequence[Word], values: NDArray[np.floating]) -> list[int]:
    """Return the bus as an integer for each row of values `(n, len(words))`: floored to the grid, then saturated.

    Where the model wraps around, the upper bits are dropped instead.

    Raises:
        InputError: A value is not a number.
    """
    if np.isnan(values).any():
        raise InputError("RTL: a feature is NaN, which no port can carry; drop or fill such rows")
    steps = np.floor(np.asarray(values, np.float64) * np.exp2([float(word.fraction_bits) for word in words]))
    total = np.zeros(len(steps), object)
    for word, column in zip(words, steps.T, strict=True):
        if word.beyond == "wrap":
            integers = np.mod(np.where(np.isfinite(column), column, 0.0), 2.0**word.bits)
        else:
            integers = np.clip(column, -(2.0 ** (word.bits - 1)), 2.0 ** (word.bits - 1) - 1)
        mask = (1 << word.bits) - 1
        total += np.array([(int(value) & mask) << word.lo for value in integers.tolist()], object)
    return [int(row) for row in total]


def unpack(words: Sequence[Word], buses: Iterable[int]) -> NDArray[np.float64]:
    """Return the values `(n, len(words))` on a bus, exact."""
    rows = []
    for bus in buses:
        integers = ((bus >> word.lo) & ((1 << word.bits) - 1) for word in words)
        rows.append([n - (1 << w.bits) if n >> (w.bits - 1) else n for n, w in zip(integers, words, strict=True)])
    steps = np.array(rows, np.float64).reshape(-1, len(words))
    return steps * np.exp2([-float(word.fraction_bits) for word in words])


def edge_events(words: Sequence[Word]) -> NDArray[np.float32]:
    """Return events `(n, len(words))` that a port can get wrong: zero, the ends, far beyond them, half-way, signs."""
    lsb = np.array([word.lsb for word in words])
    low, high = np.array([word.low for word in words]), np.array([word.high for word in words])
    reach = np.array([2.0 ** (word.bits - 1) for word in words]) * lsb
    alternating = np.where(np.arange(len(words)) % 2, low, high)
    rows = [0 * lsb, lsb, -lsb, 3 * lsb, -3 * lsb, low, low - lsb, low - 3 * lsb, high, high + lsb, high + 3 * lsb]
    rows += [alternating, low + high - alternating, reach - lsb, -reach, 64 * reach, -64 * reach]
    return np.array(rows, np.float32)


def table(words: Sequence[Word]) -> list[str]:
    """Return the words as lines of a Markdown table."""
    rows = [("bits", "name", "unit", "value of 1 LSB", "from", "to", "beyond the word", "note")]
    rows += [
        (
            f"[{word.hi}:{word.lo}]",
            cell(word.name),
            cell(word.unit) or "-",
            f"2^{-word.fraction_bits}",
            f"{word.low:.9g}",
            f"{word.high:.9g}",
            f"{word.beyond} at [{-(2 ** (word.bits - 1)) * word.lsb:g}, {2 ** (word.bits - 1) * word.lsb:g})"
            if word.beyond
            else "-",
            word.note,
        )
        for word in words
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    return [lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]]
