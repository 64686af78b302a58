"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Proof = Literal["cpp", "rtl"]


@dataclass(frozen=True)
class Verification:
    """What was run against Keras, and what came out.

    Attributes:
        proof: ``cpp``: the project's C++ was compiled and run; ``rtl``: its RTL was simulated.
        tool: Compiler or simulator with its version.
        events: Inputs that were compared.
        real_events: Of these, events of the data set.
        outputs: Numbers that were compared: events times outputs.
        distinct_outputs: Different answers of Keras among them: a proof on events that all give the same is none.
        differing: Numbers that were not equal bit for bit.
        largest_difference: Largest distance between two of them.
        wall_time_s: Of compilation and run.
        latency_cycles: Of simulated RTL, measured; None for C++.
        stated_latency_cycles: Of RTL, as the design states it.
        integers_differing: Numbers that differ from the network's integers; None where there are none.
        float32_rounds: Whether sums need more than 24 bits, so that Keras itself may round.
    """

    proof: Proof
    tool: str
    events: int
    real_events: int
    outputs: int
    distinct_outputs: int
    differing: int
    largest_difference: float
    wall_time_s: float
    latency_cycles: int | None = None
    stated_latency_cycles: int | None = None
    integers_differing: int | None = None
    float32_rounds: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing differs and the latency is what is stated. Where Keras rounds, the integers decide."""
        if self.latency_cycles != self.stated_latency_cycles or self.integers_differing:
            return False
        return self.differing == 0 or (self.float32_rounds and self.integers_differing == 0)

    def __str__(self) -> str:
        """One line: the verdict, what was compared, and how long it took."""
        text = (
            f"{'passed' if self.passed else 'FAILED'}: {self.events:,} events ({self.real_events:,} real), "
            f"{self.outputs:,} outputs ({self.distinct_outputs:,} distinct), {self.differing:,} differing, "
            f"largest difference {self.largest_difference:g}"
        )
        if self.latency_cycles is not None:
            text += f", latency {self.latency_cycles} cycles (stated {self.stated_latency_cycles})"
        if self.integers_differing:
            text += f", {self.integers_differing:,} differ from the integers"
        if self.float32_rounds:
            text += ", Keras itself rounds in float32: the integers decide"
        what = "C++ with" if self.proof == "cpp" else "RTL in"
        return f"{text}; {what} {self.tool}, {self.wall_time_s:.1f} s"
