"""The text files that a test bench plays and checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def write_stimulus(path: Path, buses: Sequence[int], bits: int) -> list[int]:
    """Write one line for each clock cycle, and return the cycle in which each event is played.

    Events come in blocks of 32: back to back, then with 0 to 3 idle cycles after each; idle cycles carry ones.
    """
    digits = (bits + 3) // 4
    lines: list[str] = []
    cycles: list[int] = []
    for event, bus in enumerate(buses):
        cycles.append(len(lines))
        lines.append(f"1 {bus:0{digits}x}")
        if event // 32 % 2:
            lines += [f"0 {(1 << bits) - 1:0{digits}x}"] * (event % 4)
    path.write_text("\n".join(lines) + "\n")
    return cycles


def write_expected(path: Path, results: Sequence[int], bits: int) -> None:
    """Write one line for each event."""
    digits = (bits + 3) // 4
    path.write_text("".join(f"{result:0{digits}x}\n" for result in results))


def read_outputs(path: Path) -> tuple[list[int], list[int]]:
    """Return the clock cycle and the result of each valid output that a simulation wrote."""
    rows = [line.split() for line in path.read_text().splitlines()]
    return [int(cycle) for cycle, _ in rows], [int(result, 16) for _, result in rows]
