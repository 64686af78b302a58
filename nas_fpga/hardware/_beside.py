"""What is left of a part beside the firmware that is there already."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nas_fpga.errors import InputError
from nas_fpga.hardware._figures import RESOURCES
from nas_fpga.hardware._limits import MAY_BE_NONE, make_target
from nas_fpga.hardware._reports import read_report
from nas_fpga.hardware._vivado_report import UtilizationReport

_LIMITS = dict(zip(RESOURCES, ("max_luts", "max_ffs", "max_dsps", "max_brams"), strict=True))


def room_beside(report: Path | str, fill: str, **hardware: Any) -> dict[str, float]:
    """Return the limits of a design that shares its part with other firmware.

    They are those that it has without that firmware, but no more than the share of the whole part that may be filled,
    less what is used. Of DSPs and BRAMs that may be nothing: a design in distributed arithmetic needs none.

    Args:
        report: Of `report_utilization`, of that firmware alone.
        fill: Share of every resource that may be filled, such as `80%`: beyond, routing fails or timing is not met.
        **hardware: Of :func:`make_target`: part, region and limits of the design.

    Returns:
        ``max_luts``, ``max_ffs``, ``max_dsps`` and ``max_brams`` of :func:`make_target`.

    Raises:
        InputError: No such report, one of another part, no share, no LUTs or flip-flops are left, or see
            :func:`make_target`.
    """
    try:
        share = float(fill.strip().removesuffix("%")) / 100 if fill.strip().endswith("%") else math.nan
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise InputError(f"--fill {fill} must be a share of the part such as 80%")
    found = read_report(report)
    if not isinstance(found, UtilizationReport):
        raise InputError(f"--beside {report} is no report_utilization of Vivado; give that of the other firmware")
    target = make_target(**hardware)
    device = target.part.device.removeprefix("xc")
    if device not in found.part.lower():
        raise InputError(f"--beside {report} is of {found.part}, not of {target.part.name}; give --part {found.part}")
    room = {}
    for name, limit in _LIMITS.items():
        used = getattr(found.used, name).value
        left = min(getattr(target.limits, name), share * getattr(target.part, name) - used)
        if left <= 0 and name not in MAY_BE_NONE:
            raise InputError(
                f"--beside {report} uses {used:,.0f} of {getattr(target.part, name):,} {name.upper()}: nothing is left "
                f"below {fill}; give a larger --fill or --part"
            )
        room[limit] = max(left, 0.0)
    return room
