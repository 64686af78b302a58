"""`front --beside`: the limits of a study hold beside other firmware too."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_fpga.errors import SearchFailedError
from nas_fpga.hardware import find_part, make_target
from nas_fpga.study import DataSource, HardwareTarget, SearchDefinition, StudyStorage

# Of a U250, with 21,874 LUT and 305 DSP.
USED = Path(__file__).parents[1] / "hardware" / "data" / "reports" / "utilization_2022.2_ultrascale_plus_synth.rpt"
U250 = find_part("u250")


@pytest.mark.parametrize(
    ("of_study", "options", "luts", "dsps"),
    [
        ({"region": "5%"}, "", 0.05 * U250.lut, 0.05 * U250.dsp),
        ({"region": "part", "max_luts": 5000}, "", 5000, 0.8 * U250.dsp - 305),
        ({"region": "part", "max_luts": 5000}, "--max-luts 7000 --region slr", 7000, U250.dsp / 4),
        ({"region": "part"}, "--fill 3% --max-dsps 3", 0.03 * U250.lut - 21_874, 3),
        ({"region": "part", "part": "vu13p"}, "--part u250 --max-luts 1000000", 1_000_000, 0.8 * U250.dsp - 305),
    ],
)
def test_the_smallest_of_study_command_line_and_what_is_left(
    tmp_path, monkeypatch, nas_fpga, of_study, options, luts, dsps
):
    hardware = HardwareTarget(**{"part": "u250", **of_study})
    with StudyStorage(tmp_path / "mine") as storage:
        storage.create(SearchDefinition(data=DataSource(name="data.csv"), budget=40, hardware=hardware))
    asked = {}

    def read(folder, storage_url, hardware, **_):
        asked.update(hardware)
        raise SearchFailedError("asked")

    monkeypatch.setattr("nas_fpga.study.read_outcome", read)
    ended = nas_fpga(["front", "--runs", str(tmp_path), "--beside", str(USED), *options.split()])
    assert ended.err.endswith("asked\n")
    limits = make_target(**{**vars(hardware), **asked}).limits
    assert (limits.lut, limits.dsp) == (pytest.approx(luts), pytest.approx(dsps))
