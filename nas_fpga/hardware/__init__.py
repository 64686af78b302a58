"""Hardware cost: parts, limits, mappings, and estimators that give figures with unit, stage and interval."""

from nas_fpga.hardware._figures import Figure, Stage, Unit

__all__ = ["Figure", "Stage", "Unit"]
