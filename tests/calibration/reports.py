"""Reports of the vendor's tools with counts of one's own, from those that the tests of hardware have."""

from __future__ import annotations

from pathlib import Path

REPORTS = Path(__file__).parents[1] / "hardware" / "data" / "reports"


def csynth(lut: int, ff: int) -> str:
    text = (REPORTS / "vitis_hls_2023.1.xml").read_text(encoding="utf-8")
    return _with(text, {"<LUT>40962<": f"<LUT>{lut}<", "<FF>5381<": f"<FF>{ff}<"})


def synthesised(lut: int, ff: int) -> str:
    text = (REPORTS / "utilization_2022.2_ultrascale_plus_synth.rpt").read_text(encoding="utf-8")
    return _with(text, {"| CLB LUTs*               | 21874 |": f"| CLB LUTs*               | {lut:5} |",
                        "| CLB Registers           |  9406 |": f"| CLB Registers           | {ff:5} |"})  # fmt: skip


def placed(lut: int, ff: int) -> str:
    return _with(synthesised(lut, ff), {"Design State : Synthesized": "Design State : Routed"})


def _with(text: str, changes: dict[str, str]) -> str:
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text
