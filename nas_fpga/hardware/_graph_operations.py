"""What the operations of an adder graph take in LUTs, counted bit by bit.

da4ml's own cost counts an adder in bits of its result, and sees no saturation. Logic synthesis makes a LUT of every bit
at which two words meet, less of bits that only carry a sign on and of constants that are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nas_fpga.errors import InputError

# LUTs for each bit: non-negative least squares of relative errors to Yosys (synth_xilinx, xcup) on the seen half of
# benchmarks/estimators/networks.csv and 16 of 90 to 27,000 LUT of a front, by `python -m
# benchmarks.estimators.adder_graphs`. Divided by Yosys' LUTs over da4ml's cost in that half, so that both have one
# scale and all ratios of that cost hold.
LUTS_PER_BIT: Mapping[str, float] = {"overlap": 1.058, "extension": 0.261, "constant": 0.737, "saturation": 0.820}

_ADD, _SUBTRACT, _ADD_CONSTANT, _SELECT = (0,), (1,), (4,), (6, -6)
# Inputs, ReLU, rounding and constants: wires, or part of the LUTs beside them.
_FREE = (-1, 2, -2, 3, -3, 5)


@dataclass(frozen=True)
class OperationBits:
    """Bits of the results of an adder graph's operations, summed.

    Attributes:
        overlap: Of sums of two words, where both have a bit; for differences also where only the subtrahend has.
        extension: Of sums, above the shorter word: its sign, and the carry.
        constant: Of sums of a word and a constant, from the constant's lowest set bit on.
        saturation: Of choices between two words, which in a network are a word and the end of its range.
    """

    overlap: int
    extension: int
    constant: int
    saturation: int

    @property
    def luts(self) -> float:
        """LUTs that they take, stage `adder-graph`."""
        bits: dict[str, int] = asdict(self)
        return sum(LUTS_PER_BIT[name] * bits[name] for name in bits)


def operation_bits(comb: Any) -> OperationBits:
    """Count the bits of da4ml's traced logic.

    Raises:
        InputError: It has an operation that no dense layer is made of; it never counts as free.
    """
    from da4ml.types import minimal_kif

    formats = [minimal_kif(op.qint) for op in comb.ops]
    bits = [int(sum(one)) for one in formats]
    overlap = extension = constant = saturation = 0
    for op, form, width, uses in zip(comb.ops, formats, bits, comb.ref_count, strict=True):
        if uses == 0 or width == 0:
            continue
        if op.opcode in _ADD + _SUBTRACT:
            low, high = -form[2], width - form[2]  # places of the lowest bit and above the highest, in powers of two
            low_0, low_1 = -formats[op.id0][2], op.data - formats[op.id1][2]
            high_0, high_1 = low_0 + bits[op.id0], low_1 + bits[op.id1]
            first = low_1 if op.opcode in _SUBTRACT else max(low_0, low_1)
            first = max(first, low)
            shorter = max(first, min(high_0, high_1))
            overlap += max(0, min(shorter, high) - first)
            extension += max(0, high - max(shorter, first))
        elif op.opcode in _ADD_CONSTANT:
            magnitude = abs(int(op.data))
            constant += max(0, width - ((magnitude & -magnitude).bit_length() - 1)) if magnitude else 0
        elif op.opcode in _SELECT:
            saturation += width
        elif op.opcode not in _FREE:
            raise InputError(f"RTL: da4ml's operation {op.opcode} has no known LUTs; use dense layers and ReLU")
    return OperationBits(overlap, extension, constant, saturation)
