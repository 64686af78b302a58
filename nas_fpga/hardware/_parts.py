"""FPGAs and what they hold, by the names that people give them: parts, devices, boards."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from nas_fpga.errors import InputError


@dataclass(frozen=True)
class Part:
    """One device.

    Attributes:
        name: Vendor's name: device, package, speed grade.
        lut: Six-input look-up tables.
        ff: Flip-flops.
        dsp: DSP slices.
        bram36: Block memories of 36 Kbit.
        uram: Memories of 288 Kbit.
        slrs: Super logic regions (dies); crossing between them costs time and wires.
        source: The vendor's data sheet that its numbers are from.
    """

    name: str
    lut: int
    ff: int
    dsp: int
    bram36: int
    uram: int
    slrs: int
    source: str

    @property
    def bram18(self) -> int:
        """Block memories of 18 Kbit: each of 36 Kbit is two."""
        return 2 * self.bram36

    @property
    def device(self) -> str:
        """`xcvu13p` of `xcvu13p-flga2577-2-e`."""
        return _split(self.name)[0]


def _of_series(source: str, *rows: tuple[str, int, int, int, int, int]) -> tuple[Part, ...]:
    """Return the parts of a data sheet from name, LUT, DSP, BRAM36, URAM, SLRs: there are two flip-flops for a LUT."""
    return tuple(
        Part(name, lut, 2 * lut, dsp, bram36, uram, slrs, source) for name, lut, dsp, bram36, uram, slrs in rows
    )


# Product tables of the data sheets. The first part, the default, has the totals that Vivado HLS reports for it.
_PARTS = (
    *_of_series(
        "DS890 UltraScale Architecture and Product Data Sheet",
        ("xcvu13p-flga2577-2-e", 1_728_000, 12_288, 2_688, 1_280, 4),
        ("xcvu3p-ffvc1517-2-e", 394_080, 2_280, 720, 320, 1),
        ("xcvu7p-flva2104-2-e", 788_160, 4_560, 1_440, 640, 2),
        ("xcvu9p-flga2104-2L-e", 1_182_240, 6_840, 2_160, 960, 3),
        ("xcvu11p-flga2577-2-e", 1_296_000, 9_216, 2_016, 960, 3),
        ("xcvu19p-fsva3824-2-e", 4_085_760, 3_840, 2_160, 320, 4),
        ("xcvu35p-fsvh2104-2-e", 871_680, 5_952, 1_344, 640, 2),
        ("xcvu37p-fsvh2892-2L-e", 1_303_680, 9_024, 2_016, 960, 3),
        ("xcku040-ffva1156-2-e", 242_400, 1_920, 600, 0, 1),
        ("xcku060-ffva1517-2-e", 331_680, 2_760, 1_080, 0, 1),
        ("xcku115-flvb2104-2-i", 663_360, 5_520, 2_160, 0, 2),
        ("xcku3p-ffvb676-2-e", 162_720, 1_368, 360, 48, 1),
        ("xcku5p-ffvb676-2-e", 216_960, 1_824, 480, 64, 1),
        ("xcku11p-ffva1156-2-e", 298_560, 2_928, 600, 80, 1),
        ("xcku15p-ffva1760-2-e", 522_720, 1_968, 984, 128, 1),
    ),
    *_of_series(
        "DS891 Zynq UltraScale+ MPSoC Data Sheet",
        ("xczu3eg-sbva484-1-e", 70_560, 360, 216, 0, 1),
        ("xczu7ev-ffvc1156-2-e", 230_400, 1_728, 312, 96, 1),
        ("xczu9eg-ffvb1156-2-e", 274_080, 2_520, 912, 0, 1),
        ("xczu11eg-ffvc1760-2-e", 298_560, 2_928, 600, 80, 1),
        ("xczu15eg-ffvb1156-2-e", 341_280, 3_528, 744, 112, 1),
        ("xczu19eg-ffvc1760-2-e", 522_720, 1_968, 984, 128, 1),
    ),
    *_of_series(
        "DS889 Zynq UltraScale+ RFSoC Data Sheet",
        ("xczu28dr-ffvg1517-2-e", 425_280, 4_272, 1_080, 80, 1),
        ("xczu48dr-ffvg1517-2-e", 425_280, 4_272, 1_080, 80, 1),
        ("xczu49dr-ffvf1760-2-e", 425_280, 4_272, 1_080, 80, 1),
    ),
    *_of_series("DS987 Kria K26 SOM Data Sheet", ("xck26-sfvc784-2LV-c", 117_120, 1_248, 144, 64, 1)),
    *_of_series("DS965 Alveo U50 Data Sheet", ("xcu50-fsvh2104-2-e", 871_680, 5_952, 1_344, 640, 2)),
    *_of_series(
        "DS962 Alveo U200 and U250 Data Sheet",
        ("xcu200-fsgd2104-2-e", 1_182_240, 6_840, 2_160, 960, 3),
        ("xcu250-figd2104-2L-e", 1_728_000, 12_288, 2_688, 1_280, 4),
    ),
    *_of_series("DS963 Alveo U280 Data Sheet", ("xcu280-fsvh2892-2L-e", 1_303_680, 9_024, 2_016, 960, 3)),
    *_of_series("DS978 Alveo U55C Data Sheet", ("xcu55c-fsvh2892-2L-e", 1_303_680, 9_024, 2_016, 960, 3)),
    *_of_series(
        "DS180 7 Series FPGAs Data Sheet",
        ("xc7a35tcpg236-1", 20_800, 90, 50, 0, 1),
        ("xc7a100tcsg324-1", 63_400, 240, 135, 0, 1),
        ("xc7a200tfbg676-2", 134_600, 740, 365, 0, 1),
        ("xc7k325tffg900-2", 203_800, 840, 445, 0, 1),
        ("xc7vx485tffg1761-2", 303_600, 2_800, 1_030, 0, 1),
        ("xc7vx690tffg1927-2", 433_200, 3_600, 1_470, 0, 1),
        ("xc7v2000tflg1925-2", 1_221_600, 2_160, 1_292, 0, 4),
    ),
    *_of_series(
        "DS190 Zynq-7000 SoC Data Sheet",
        ("xc7z020clg400-1", 53_200, 220, 140, 0, 1),
        ("xc7z045ffg900-2", 218_600, 900, 545, 0, 1),
    ),
)
DEFAULT_PART = _PARTS[0].name
_BOARDS = {
    "serenity-s1": "xcvu13p-flga2577-2-e",
    "mp7": "xc7vx690tffg1927-2",
    "vcu118": "xcvu9p-flga2104-2L-e",
    "vcu128": "xcvu37p-fsvh2892-2L-e",
    "kcu105": "xcku040-ffva1156-2-e",
    "kcu116": "xcku5p-ffvb676-2-e",
    "zcu102": "xczu9eg-ffvb1156-2-e",
    "zcu104": "xczu7ev-ffvc1156-2-e",
    "zcu106": "xczu7ev-ffvc1156-2-e",
    "zcu111": "xczu28dr-ffvg1517-2-e",
    "zcu216": "xczu49dr-ffvf1760-2-e",
    "rfsoc4x2": "xczu48dr-ffvg1517-2-e",
    "ultra96": "xczu3eg-sbva484-1-e",
    "kv260": "xck26-sfvc784-2LV-c",
    "alveo-u50": "xcu50-fsvh2104-2-e",
    "alveo-u200": "xcu200-fsgd2104-2-e",
    "alveo-u250": "xcu250-figd2104-2L-e",
    "alveo-u280": "xcu280-fsvh2892-2L-e",
    "alveo-u55c": "xcu55c-fsvh2892-2L-e",
    "vc707": "xc7vx485tffg1761-2",
    "kc705": "xc7k325tffg900-2",
    "arty-a7-35": "xc7a35ticsg324-1L",
    "arty-a7-100": "xc7a100tcsg324-1",
    "basys3": "xc7a35tcpg236-1",
    "pynq-z1": "xc7z020clg400-1",
    "pynq-z2": "xc7z020clg400-1",
    "zedboard": "xc7z020clg484-1",
    "zc706": "xc7z045ffg900-2",
}


def known_parts() -> tuple[Part, ...]:
    """Return one part of every device that :func:`find_part` knows."""
    return _PARTS


def known_boards() -> tuple[str, ...]:
    """Return the names of all boards that :func:`find_part` knows."""
    return tuple(_BOARDS)


def find_part(name: str) -> Part:
    """Return a part by its full name, its device (`xcvu13p`, `vu13p`, `u250`) or its board (`zcu102`).

    A full name is kept, as the vendor spells it: other packages and speed grades hold the same. A device stands for its
    commonest package.

    Raises:
        InputError: No such part, or not a name; the text names the nearest.
    """
    text = name.strip().lower()
    full = _BOARDS.get(text) or _spelled(text)
    device, package = _split(full)
    for part in _PARTS:
        if device == part.device:
            return part if not package or full == part.name else replace(part, name=full)
    known = [*(part.device for part in _PARTS), *_BOARDS]
    near = sorted(known, key=lambda each: -difflib.SequenceMatcher(None, text, each).ratio())[:4]
    raise InputError(
        f"part '{name}' is not known, did you mean {near[0]}? Others of {len(known)} devices and boards: "
        + ", ".join(near[1:])
    )


def _spelled(name: str) -> str:
    """Return a lower-case name as the vendor spells it: `xcvu9p-flga2104-2L-e` of `vu9p-flga2104-2l-e`."""
    full = name if name.startswith("xc") else f"xc{name}"
    return re.sub(r"(?<=-\d)lv?(?=-|$)", lambda low_power: low_power[0].upper(), full)


def _split(name: str) -> tuple[str, str]:
    """Return device and package with speed grade; names of the 7 series have no dash between them."""
    match = re.fullmatch(r"(xc7[a-z]{1,2}\d+t?)((?:i?[a-z]{3}\d+(?:-.*)?)?)", name)
    if match:
        return match[1], match[2]
    device, _, package = name.partition("-")
    return device, package
