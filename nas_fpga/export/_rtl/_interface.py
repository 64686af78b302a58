"""What a wrapper and its test bench are written from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nas_fpga.export._rtl._ports import Word, bus_bits
from nas_fpga.hardware import NetWord

Decision = Literal["none", "constant", "register"]


@dataclass(frozen=True)
class Interface:
    """The ports of the IP and what is behind them.

    Attributes:
        top: Name of the IP; the netlist is called ``<top>_net``.
        inputs: Words of ``in_data``.
        outputs: Words of ``out_data``.
        net_inputs: Words of the netlist's input bus; those of features that it does not need have no bits.
        net_outputs: Words of its output bus.
        decision: Whether there is a decision, and where its threshold comes from.
        threshold: Working point in LSBs of the output; None without a decision.
        latency_cycles: From valid in to valid out.
        clock_ns: Period of the clock.
        header: Lines that say what it is, with the tables of ports.
    """

    top: str
    inputs: tuple[Word, ...]
    outputs: tuple[Word, ...]
    net_inputs: tuple[NetWord, ...]
    net_outputs: tuple[NetWord, ...]
    decision: Decision
    threshold: int | None
    latency_cycles: int
    clock_ns: float
    header: tuple[str, ...]

    @property
    def in_bits(self) -> int:
        """Width of ``in_data``."""
        return bus_bits(self.inputs)

    @property
    def out_bits(self) -> int:
        """Width of ``out_data``."""
        return bus_bits(self.outputs)

    @property
    def result_bits(self) -> int:
        """Width of what a test bench compares for each event: ``out_data``, with the decision above it."""
        return self.out_bits + (self.decision != "none")

    def net_in_slices(self) -> list[tuple[int, int]]:
        """Return the bits of ``in_data`` that the netlist takes, lowest first, as (hi, lo)."""
        return [(word.hi, word.lo) for word, net in zip(self.inputs, self.net_inputs, strict=True) if net.bits]

    def net_out_slices(self) -> list[tuple[int, int, int, int, bool]]:
        """Return for each output (hi, lo) on the netlist's bus, bits to extend above, zeros below, and signedness.

        An output that is always zero has ``hi < lo``.
        """
        slices, lo = [], 0
        for word, net in zip(self.outputs, self.net_outputs, strict=True):
            below = word.fraction_bits - net.fraction_bits if net.bits else 0
            slices.append((lo + net.bits - 1, lo, word.bits - net.bits - below, below, net.signed))
            lo += net.bits
        return slices
