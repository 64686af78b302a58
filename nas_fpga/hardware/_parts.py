"""FPGAs and what they hold."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from nas_fpga.errors import InputError


@dataclass(frozen=True)
class Part:
    """One device.

    Attributes:
        name: Vendor's name: device, package, speed grade.
        lut: Six-input look-up tables.
        ff: Flip-flops.
        dsp: DSP slices.
        bram18: Block memories of 18 Kbit (a 36 Kbit block counts twice).
        slrs: Super logic regions (dies); crossing between them costs time and wires.
    """

    name: str
    lut: int
    ff: int
    dsp: int
    bram18: int
    slrs: int = 1


# Device data sheets: UltraScale+ DS890 (product tables), UltraScale DS890, Zynq-7000 DS190; the first line of the table
# equals the totals in Vivado HLS reports for that part.
_PARTS = (
    Part("xcvu13p-flga2577-2-e", 1_728_000, 3_456_000, 12_288, 5_376, 4),
    Part("xcvu9p-flga2104-2L-e", 1_182_240, 2_364_480, 6_840, 4_320, 3),
    Part("xcku115-flvb2104-2-i", 663_360, 1_326_720, 5_520, 4_320, 2),
    Part("xcku15p-ffva1760-2-e", 522_720, 1_045_440, 1_968, 1_968),
    Part("xcku5p-ffvb676-2-e", 216_960, 433_920, 1_824, 960),
    Part("xczu9eg-ffvb1156-2-e", 274_080, 548_160, 2_520, 1_824),
    Part("xczu7ev-ffvc1156-2-e", 230_400, 460_800, 1_728, 624),
    Part("xc7z020clg400-1", 53_200, 106_400, 220, 280),
    Part("xcu250-figd2104-2L-e", 1_728_000, 3_456_000, 12_288, 5_376, 4),
    Part("xcu55c-fsvh2892-2L-e", 1_303_680, 2_607_360, 9_024, 4_032, 3),
)
DEFAULT_PART = _PARTS[0].name


def known_parts() -> tuple[Part, ...]:
    """Return all parts that :func:`find_part` knows."""
    return _PARTS


def find_part(name: str) -> Part:
    """Return a part by its full name, or by its device name (`xcvu13p`, another package or speed grade included).

    Raises:
        InputError: No such part, or not a name; the text suggests the nearest.
    """
    text = name.strip().lower()
    device = _device(text)
    for part in _PARTS:
        if _device(part.name) == device:
            return part
    known = [_device(part.name) for part in _PARTS]
    near = difflib.get_close_matches(device, known, n=1, cutoff=0.0)[0]
    raise InputError(f"part '{name}' is not known, did you mean {near}? Known: {', '.join(known)}")


def _device(name: str) -> str:
    """`xcvu13p` of `xcvu13p-flga2577-2-e`; names of the 7 series have no dash before the package."""
    match = re.fullmatch(r"(xc7[a-z]\d+[a-z]?)(?:[a-z]{3}\d+)(?:-.*)?", name)
    return match[1] if match else name.split("-")[0]
