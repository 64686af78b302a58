"""Figures with unit, stage and interval: a resource or latency is never a bare number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Stage = Literal["estimate", "adder-graph", "logic-synthesis", "csynth", "vendor-synthesis", "place-and-route"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Resource = Literal["lut", "ff", "dsp", "bram18"]
RESOURCES: tuple[Resource, ...] = get_args(Resource)
Unit = Literal["LUT", "FF", "DSP", "BRAM18", "URAM", "bit operations", "cycles", "ns"]


@dataclass(frozen=True)
class Figure:
    """A value with its unit, the stage that it speaks of, and a 90 % interval.

    Attributes:
        value: Central value, in ``unit``.
        unit: What is counted.
        stage: The stage of the tool flow that the value predicts or was read from.
        low: Lower end of the interval.
        high: Upper end of the interval.
        source: Which law or report it comes from, and which stage that speaks of where it was carried over.
        original: Value and stage of the law or report before it was carried to ``stage``; without the parts, if any,
            that were of ``stage`` from the start.
    """

    value: float
    unit: Unit
    stage: Stage
    low: float
    high: float
    source: str = ""
    original: tuple[float, Stage] | None = None

    def __post_init__(self) -> None:
        """Refuse an interval that does not hold its value."""
        if not self.low <= self.value <= self.high:
            raise ValueError(f"figure {self.value} {self.unit} lies outside its interval [{self.low}, {self.high}]")

    def __str__(self) -> str:
        """`1,234 LUT (900-1,700, place-and-route; 2,172 at csynth)`."""
        carried = "" if self.original is None else "; {:,.4g} at {}".format(*self.original)
        return f"{self.value:,.4g} {self.unit} ({self.low:,.4g}-{self.high:,.4g}, {self.stage}{carried})"
