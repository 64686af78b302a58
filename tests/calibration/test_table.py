"""Tables from a spreadsheet: what they may say, and what is refused by line."""

from __future__ import annotations

import pytest

from nas_fpga.calibration import TABLE_COLUMNS, calibrate
from nas_fpga.calibration._table import read_table
from nas_fpga.errors import InputError
from nas_fpga.hardware import StageCounts

HEAD = "design,strategy,stage,lut,ff\n"
ROWS = "a,latency,csynth,1000,900\na,latency,place-and-route,600,\n"


def table(folder, text):
    path = folder / "designs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_a_design_at_a_stage(tmp_path):
    path = table(
        tmp_path,
        "\N{ZERO WIDTH NO-BREAK SPACE}design, strategy,stage,lut,ff,dsp,bram18,network\r\n"
        "a,distributed-arithmetic, adder-graph ,1000.5,,0,,net\r\n"
        '"b, the second",resource,csynth,,7,3,2,\r\n',
    )
    assert read_table(path) == [
        StageCounts("a", "net", "distributed_arithmetic", "adder-graph", {"lut": 1000.5, "dsp": 0.0}),
        StageCounts("b, the second", "b, the second", "resource", "csynth", {"ff": 7.0, "dsp": 3.0, "bram18": 2.0}),
    ]
    assert TABLE_COLUMNS[:5] == ("design", "strategy", "stage", "lut", "ff")


def test_an_empty_cell_is_not_known_and_never_zero(tmp_path):
    learned = calibrate([table(tmp_path, HEAD + ROWS)])
    assert [(ratio.stage, ratio.resource) for ratio in learned.calibration.ratios] == [("csynth", "lut")]


def test_tables_add_up(tmp_path):
    one = table(tmp_path, HEAD + ROWS)
    other = tmp_path / "MORE.CSV"
    other.write_text(HEAD + ROWS.replace("a,", "b,"))
    assert calibrate([one, str(other)]).designs == ("a", "b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has columns none; known are design, strategy, stage, lut, ff, dsp, bram18, network"),
        ("design,strategy,stage\n", "has columns design, strategy, stage; known"),
        ("design,strategy,stage,luts\n", "has columns design, strategy, stage, luts; known"),
        (HEAD + "a,fast,csynth,1,1\n", "line 2: strategy 'fast' is none of distributed_arithmetic, latency, resource"),
        (HEAD + "a,latency,cosim,1,1\n", "line 2: stage 'cosim' is none of estimate, adder-graph"),
        (HEAD + ROWS + "b,latency,csynth,0,1\n", "line 4: lut '0' must be a number above 0; leave the cell empty"),
        (HEAD + "a,latency,csynth,5,-3\n", "line 2: ff '-3' must be a number above 0"),
        (HEAD + "a,latency,csynth,nan,3\n", "lut 'nan' must be"),
        (HEAD + "a,latency,csynth,1e999,3\n", "lut '1e999' must be"),
        (HEAD + "a,latency,csynth,'1,000',3\n", "line 2: it has more cells than columns"),
        (HEAD + "a,latency,csynth,,\n", "design a has no figures at csynth"),
        (HEAD + ",latency,csynth,1,1\n", "it names no design"),
        ("design,strategy,stage,lut,dsp\na,latency,csynth,1,-1\n", "dsp '-1' must be a number 0 or more"),
        (HEAD + "a,latency,csynth,9,9\n", "none of 1 designs is counted at two stages"),
        (HEAD, "no reports there"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_its_place(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        calibrate([table(tmp_path, text)])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_text(tmp_path):
    (tmp_path / "designs.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no CSV table in UTF-8"):
        calibrate([tmp_path / "designs.csv"])
