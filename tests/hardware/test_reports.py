"""Reports give every number with its unit and stage, and are refused where anything is missing."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nas_fpga.errors import InputError
from nas_fpga.hardware import (
    CSynthReport,
    Figure,
    Report,
    ReportedResources,
    TimingReport,
    UtilizationReport,
    read_report,
)

DATA = Path(__file__).parent / "data" / "reports"
XML, OLD_XML = "vitis_hls_2023.1.xml", "vivado_hls_2018.3.xml"
TEXT, OLD_TEXT = "vitis_hls_2022.2_csynth.rpt", "vivado_hls_2018.2_csynth.rpt"
SYNTHESISED, PLACED = "utilization_2022.2_ultrascale_plus_synth.rpt", "utilization_2014.2_7series_placed.rpt"
ROUTED, OLD_TIMING = "timing_2023.1_routed.rpt", "timing_2019.1.rpt"
STAGES = dict.fromkeys((XML, OLD_XML, TEXT, OLD_TEXT), "csynth") | {
    SYNTHESISED: "vendor-synthesis",
    **dict.fromkeys((PLACED, ROUTED, OLD_TIMING), "place-and-route"),
}
CSYNTH = (
    "latency_best_cycles",
    "latency_worst_cycles",
    "ii_min_cycles",
    "ii_max_cycles",
    "target_clock_ns",
    "estimated_clock_ns",
    "clock_uncertainty_ns",
)
CYCLES_AND_NS = ("cycles",) * 4 + ("ns",) * 3


def read(name: str) -> Report:
    return read_report(DATA / name, stage="place-and-route" if name == OLD_TIMING else None)


def changed(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = (DATA / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def refusal(path: Path, **options) -> str:
    """The one line of the error, which names the file."""
    with pytest.raises(InputError) as caught:
        read_report(path, **options)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    return line


def figures(report: Report | ReportedResources) -> dict[str, Figure]:
    found = {}
    for field in fields(report):
        value = getattr(report, field.name)
        if isinstance(value, ReportedResources):
            found |= {f"{field.name}.{name}": figure for name, figure in figures(value).items()}
        elif isinstance(value, Figure):
            found[field.name] = value
    return found


def resources(of: str, lut: int, ff: int, dsp: int, bram18: int, uram: int | None) -> dict[str, tuple[float, str]]:
    found = {"lut": (lut, "LUT"), "ff": (ff, "FF"), "dsp": (dsp, "DSP"), "bram18": (bram18, "BRAM18")}
    found |= {} if uram is None else {"uram": (uram, "URAM")}
    return {f"{of}.{name}": figure for name, figure in found.items()}


def csynth(*numbers: float | None) -> dict[str, tuple[float, str]]:
    named = zip(CSYNTH, numbers, CYCLES_AND_NS, strict=True)
    return {name: (number, unit) for name, number, unit in named if number is not None}


EXPECTED = {
    XML: (
        CSynthReport,
        {"tool": "HLS 2023.1", "part": "xcvu13p-flga2577-2-e", "top": "trigger_net"},
        resources("used", 40_962, 5_381, 214, 7, 3)
        | resources("available", 1_728_000, 3_456_000, 12_288, 5_376, 1_280)
        | csynth(11, 13, 1, 2, 2.5, 1.793, 0.68),
    ),
    OLD_XML: (
        CSynthReport,
        {"tool": "HLS 2018.3", "part": "xc7a35tcpg236-1", "top": "tagger"},
        resources("used", 7_724, 3_017, 46, 5, None)
        | resources("available", 20_800, 41_600, 90, 100, None)
        | csynth(58, None, 33, None, 10, 8.607, 1.25),
    ),
    TEXT: (
        CSynthReport,
        {"tool": "Vitis HLS 2022.2", "part": "xcvu9p-flga2104-2L-e", "top": "trigger_net"},
        resources("used", 18_448, 7_706, 88, 17, 2)
        | resources("available", 1_182_240, 2_364_480, 6_840, 4_320, 960)
        | csynth(70, 91, 64, 65, 4, 2.916, 1.08),
    ),
    OLD_TEXT: (
        CSynthReport,
        {"tool": "Vivado HLS 2018.2", "part": "xcku115-flvb2104-2-i", "top": "tagger"},
        resources("used", 12_023, 20_311, 619, 6, None)
        | resources("available", 663_360, 1_326_720, 5_520, 4_320, None)
        | csynth(15, 16, 3, 4, 5, 4.352, 0.62),
    ),
    SYNTHESISED: (
        UtilizationReport,
        {"tool": "Vivado 2022.2", "part": "xcu250-figd2104-2L-e", "design": "trigger_net"},
        resources("used", 21_874, 9_406, 305, 26, 6)
        | resources("available", 1_728_000, 3_456_000, 12_288, 5_376, 1_280),
    ),
    PLACED: (
        UtilizationReport,
        {"tool": "Vivado 2014.2", "part": "xc7z045", "design": "tagger"},
        # 8.5 tiles
        resources("used", 6_130, 2_947, 52, 17, None) | resources("available", 218_600, 437_200, 900, 1_090, None),
    ),
    ROUTED: (
        TimingReport,
        {"tool": "Vivado 2023.1", "part": "7z020-clg400", "design": "trigger_net", "clock": "clk_out1_clk_wiz_0"},
        {"wns_ns": (-0.316, "ns"), "requested_period_ns": (5, "ns"), "achieved_period_ns": (5.316, "ns")},
    ),
    OLD_TIMING: (
        TimingReport,
        {"tool": "Vivado 2019.1", "part": "xcvu9p-flga2104", "design": "tagger", "clock": "ap_clk"},
        {"wns_ns": (1.207, "ns"), "requested_period_ns": (4.166, "ns"), "achieved_period_ns": (2.959, "ns")},
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_value_unit_and_stage(name):
    kind, texts, numbers = EXPECTED[name]
    report = read(name)
    assert type(report) is kind
    assert {key: getattr(report, key) for key in texts} == texts
    found = figures(report)
    assert {key: (figure.value, figure.unit) for key, figure in found.items()} == numbers
    for figure in found.values():
        assert figure.stage == STAGES[name]
        assert figure.low == figure.value == figure.high
        assert figure.source == f"{texts['tool']}, {name}"
        assert figure.original is None


def test_a_number_of_cycles_that_depends_on_the_data_is_none(tmp_path):
    assert read(OLD_XML).latency_worst_cycles is None
    path = changed(tmp_path, TEXT, ("|       70|       91|  0.280 us |  0.364 us |", "|  70|   ?|  0.280 us |   ? |"))
    report = read_report(path)
    assert report.latency_best_cycles.value == 70
    assert report.latency_worst_cycles is None
    assert (report.ii_min_cycles.value, report.ii_max_cycles.value) == (64, 65)


def test_a_part_without_memories_of_288_kbit_has_none_rather_than_0(tmp_path):
    path = changed(
        tmp_path, SYNTHESISED, ("| URAM              |    6 |     0 |          0 |      1280 |  0.47 |\n", "")
    )
    assert read_report(path).used.uram is None
    assert read_report(path).available.uram is None


def test_tables_of_other_things_are_not_read(tmp_path):
    table = "+---+\n| Ref Name | Used | Fixed | Available | Util% |\n+---+\n| DSPs | 1 | 2 | 3 | 4 |\n+---+\n"
    assert read_report(changed(tmp_path, PLACED, ("8. Primitives\n-------------\n", table))) == read(PLACED)


REQUIRED = [
    *((XML, f"<{key}>{number}</{key}>\n", key) for key, number in {"LUT": 40962, "FF": 5381, "BRAM_18K": 7}.items()),
    *((XML, f"<{key}>{number}</{key}>\n", key) for key, number in {"LUT": 1728000, "DSP": 12288}.items()),
    (XML, "<DSP>214</DSP>\n", "DSP or DSP48E (used)"),
    (XML, "<URAM>1280</URAM>\n", "URAM (available)"),
    (OLD_XML, "<DSP48E>46</DSP48E>\n", "DSP or DSP48E (used)"),
    (XML, "<Version>2023.1</Version>\n", "ReportVersion/Version"),
    (XML, "<Part>xcvu13p-flga2577-2-e</Part>\n", "UserAssignments/Part"),
    (XML, "<TopModelName>trigger_net</TopModelName>\n", "UserAssignments/TopModelName"),
    (XML, "<TargetClockPeriod>2.50</TargetClockPeriod>\n", "UserAssignments/TargetClockPeriod"),
    (XML, "<ClockUncertainty>0.68</ClockUncertainty>\n", "UserAssignments/ClockUncertainty"),
    (XML, "<EstimatedClockPeriod>1.793</EstimatedClockPeriod>\n", "EstimatedClockPeriod"),
    (XML, "<Best-caseLatency>11</Best-caseLatency>\n", "Best-caseLatency"),
    (XML, "<Worst-caseLatency>13</Worst-caseLatency>\n", "Worst-caseLatency"),
    (XML, "<Interval-min>1</Interval-min>\n", "Interval-min"),
    (XML, "<Interval-max>2</Interval-max>\n", "Interval-max"),
    (XML, "<unit>ns</unit>\n", "UserAssignments/unit"),
    (XML, "<SummaryOfTimingAnalysis>\n<unit>ns</unit>\n", "it is no whole XML"),
    (XML, "<unit>clock cycles</unit>\n", "SummaryOfOverallLatency/unit"),
    (TEXT, " for 'trigger_net'", "no report that is known"),
    (TEXT, "* Version:        2022.2 (Build 3670227 on Oct 13 2022)\n", "Version"),
    (TEXT, "* Target device:  xcvu9p-flga2104-2L-e\n", "Target device"),
    (TEXT, "+ Timing: \n", "+ Timing"),
    (TEXT, "+ Latency: \n", "+ Latency"),
    (TEXT, "== Utilization Estimates\n", "== Utilization Estimates"),
    (TEXT, "    |ap_clk  |  4.00 ns|  2.916 ns|     1.08 ns|\n", "0 clocks"),
    (TEXT, "|       70|       91|  0.280 us |  0.364 us |   64|   65| dataflow|\n", "latency has 2 rows"),
    (TEXT, "|Total                |       17|    88|     7706|    18448|    2|\n", "Total"),
    (TEXT, "|Available            |     4320|  6840|  2364480|  1182240|  960|\n", "Available"),
    (TEXT, "  Target |", "Target"),
    (TEXT, "Estimated|", "Estimated"),
    (TEXT, "Uncertainty|", "Uncertainty"),
    *((file, row, "CLB LUTs or Slice LUTs") for file, row in ((SYNTHESISED, "CLB LUTs*"), (PLACED, "Slice LUTs"))),
    (SYNTHESISED, "CLB Registers", "CLB Registers or Slice Registers"),
    (PLACED, "Slice Registers", "CLB Registers or Slice Registers"),
    (PLACED, "Block RAM Tile", "Block RAM Tile"),
    (SYNTHESISED, "DSPs", "DSPs"),
    (PLACED, "| Available ", "(Available)"),
    (PLACED, "| Used ", "(Used)"),
    (PLACED, "| Design State : Fully Placed\n", "Design State"),
    *((SYNTHESISED, f"| {key} ", f"no {key.strip()};") for key in ("Tool Version", "Design      ", "Device")),
    *((ROUTED, f"| {key} ", f"no {key.strip()};") for key in ("Tool Version", "Design      ", "Device")),
    (ROUTED, "| Design Timing Summary\n", "Design Timing Summary"),
    (ROUTED, "| Clock Summary\n", "Clock Summary"),
    (ROUTED, "| Intra Clock Table\n", "Intra Clock Table"),
    (ROUTED, "WNS(ns)", "WNS(ns)"),
    (ROUTED, "Period(ns)", "Period(ns)"),
    (ROUTED, "  clk_out1_clk_wiz_0      {0.000 2.500}        5.000           200.000         \n", "0 periods"),
    (ROUTED, "     -0.316       -4.127                     19                 9031", "WNS(ns)"),
]


@pytest.mark.parametrize(("name", "removed", "key"), REQUIRED)
def test_what_is_missing_is_named_and_never_counts_0(tmp_path, name, removed, key):
    # A line goes; a name is made another one.
    other = "" if removed.endswith("\n") else re.sub(r"[^\s|]", "?", removed)
    assert key in refusal(changed(tmp_path, name, (removed, other)))


@pytest.mark.parametrize("column", ["BRAM_18K", "DSP", "FF", "LUT"])
def test_a_missing_column_of_a_text_report_is_named(tmp_path, column):
    header = "|         Name        | BRAM_18K|  DSP |    FF   |   LUT   | URAM|"
    path = changed(tmp_path, TEXT, (header, header.replace(column, "?" * len(column))))
    assert f"it has no {column}" in refusal(path)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        (XML, ("<LUT>40962</LUT>", "<LUT>40962.5</LUT>"), "LUT (used) is '40962.5', not a count"),
        (XML, ("<LUT>40962</LUT>", "<LUT></LUT>"), "LUT (used) is '', not a count"),
        (XML, ("<unit>clock cycles</unit>", "<unit>us</unit>"), "unit is 'us', known is 'clock cycles'"),
        (XML, ("<unit>ns</unit>", "<unit>ps</unit>"), "unit is 'ps', known is 'ns'"),
        (XML, (">11</Best-caseLatency>", ">27.5 ns</Best-caseLatency>"), "best latency is '27.5 ns', not a count"),
        (XML, ("<LUT>40962</LUT>", "<LUT>4\n2</LUT>"), r"LUT (used) is '4\n2', not a count"),
        (XML, ("<LUT>40962</LUT>", f"<LUT>{'9' * 5000}</LUT>"), "not a count"),
        (XML, (">1.793<", ">nan<"), "estimated clock is 'nan', not a number"),
        (TEXT, ("|  2.916 ns|", "|  0.003 us|"), "known is ns"),
        (TEXT, ("Latency (cycles)", "Latency (time)  "), "Latency (cycles) min"),
        (OLD_TEXT, ("+ Latency (clock cycles):", "+ Latency:"), "Latency (cycles) min"),
        (OLD_TEXT, ("+ Timing (ns):", "+ Timing:"), "known is ns"),
        (TEXT, ("|     7706|    18448|    2|", "|     7706|    18448|"), "row Total has 5 cells, its table 6 columns"),
        (PLACED, ("|  8.5 |", "| 8.25 |"), "Block RAM Tile (Used) is '8.25', not a number of halves"),
        (PLACED, ("|   52 |", "| 52.5 |"), "DSPs (Used) is '52.5', not a count"),
        (PLACED, ("Fully Placed", "Unplaced"), "Design State is 'Unplaced', known are Synthesized, Optimized, Fully"),
        (ROUTED, (": Routed", ": Fully Placed"), "Design State is 'Fully Placed', known are Synthesized"),
        (ROUTED, ("     -0.316 ", "         NA "), "WNS(ns) is 'NA', not a number"),
        (OLD_TIMING, ("1.207", "4.166"), "4.166 ns, leaves nothing of the period of ap_clk, 4.166 ns"),
        (ROUTED, ("11.840", "-0.316"), "-0.316 ns, is that of 2 periods"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, name, change, says):
    assert says in refusal(changed(tmp_path, name, change), stage=STAGES[name])


def test_the_slack_of_a_path_from_one_clock_to_another_gives_no_period(tmp_path):
    path = tmp_path / ROUTED
    path.write_text((DATA / ROUTED).read_text().replace("-0.316", "-0.951", 1))
    assert "-0.951 ns, is that of 0 periods" in refusal(path)


def test_clocks_of_one_period_are_one(tmp_path):
    path = changed(tmp_path, ROUTED, ("11.840", "-0.316"), ("33.333", "5.000 "))
    assert read_report(path).achieved_period_ns.value == 5.316


NONSENSE = {
    "empty": b"",
    "blank": b"\n \n",
    "binary": bytes(range(256)),
    "zeros": b"\0" * 64,
    "latin-1": "| Tool Version : réseau".encode("latin-1"),
    "utf-16": "<profile></profile>".encode("utf-16"),
    "prose": b"The design takes 400 LUTs.\n",
    "other xml": b'<?xml version="1.0"?>\n<html></html>\n',
    "entities": b'<!DOCTYPE profile [<!ENTITY a "b">]>\n<profile>&a;</profile>',
    "hierarchical utilization": b"| Command : report_utilization -hierarchical\n\nUtilization by Hierarchy\n",
    "synthesis summary": b"== Synthesis Summary Report of 'net'\n",
}


@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_report_is_told_which_are(tmp_path, content):
    path = tmp_path / "csynth.xml"
    path.write_bytes(content)
    line = refusal(path)
    for kind in ("csynth.xml", "_csynth.rpt", "report_utilization", "report_timing_summary"):
        assert kind in line.removeprefix(str(path))


def test_what_cannot_be_opened_is_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.rpt")
    assert "directory" in refusal(tmp_path)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_cut_report_is_refused_or_reads_the_same(tmp_path, name):
    whole = (DATA / name).read_bytes()
    report, refused, path = read(name), 0, tmp_path / name
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        try:
            assert read_report(path, stage=STAGES[name]) == report
        except InputError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("name", EXPECTED)
def test_names_and_line_ends_do_not_matter(tmp_path, name):
    path = tmp_path / "report.bin"
    path.write_bytes(b"\xef\xbb\xbf" + (DATA / name).read_bytes().replace(b"\n", b"\r\n"))
    found = figures(read_report(str(path), stage=STAGES[name]))
    assert {key: (figure.value, figure.unit) for key, figure in found.items()} == EXPECTED[name][2]


@pytest.mark.parametrize(
    ("name", "state", "stage"),
    [
        (PLACED, "Synthesized", "vendor-synthesis"),
        (PLACED, "Optimized", "vendor-synthesis"),
        (PLACED, "Physopt postPlace", "place-and-route"),
        (PLACED, "Routed", "place-and-route"),
        (PLACED, "Physopt postRoute", "place-and-route"),
        (ROUTED, "Synthesized", "vendor-synthesis"),
        (ROUTED, "Physopt postRoute", "place-and-route"),
    ],
)
def test_the_design_state_decides_the_stage(tmp_path, name, state, stage):
    now = "Fully Placed" if name == PLACED else "Routed"
    path = changed(tmp_path, name, (f"| Design State : {now}\n", f"| Design State : {state}\n"))
    assert {figure.stage for figure in figures(read_report(path)).values()} == {stage}


def test_a_stage_is_given_only_where_the_report_has_none():
    path = DATA / OLD_TIMING
    assert "give its stage, vendor-synthesis or place-and-route" in refusal(path)
    assert "give its stage, vendor-synthesis or place-and-route" in refusal(path, stage="csynth")
    assert read_report(path, stage="vendor-synthesis").wns_ns.stage == "vendor-synthesis"
    for name in (XML, TEXT, SYNTHESISED, PLACED, ROUTED):
        assert read_report(DATA / name, stage=STAGES[name]) == read(name)
        assert f"of stage {STAGES[name]}, not logic-synthesis" in refusal(DATA / name, stage="logic-synthesis")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("reports")


COUNTS = st.integers(0, 10**7)
PERIODS = st.decimals("0.001", 1000, places=3)


@settings(max_examples=50)
@given(st.lists(COUNTS, min_size=5, max_size=5), st.lists(COUNTS, min_size=4, max_size=4), PERIODS)
def test_csynth_numbers_keep_their_units(folder, counts, cycles, period):
    lut, ff, dsp, bram18, uram = counts
    xml = changed(
        folder,
        XML,
        ("<LUT>40962<", f"<LUT>{lut}<"),
        ("<FF>5381<", f"<FF>{ff}<"),
        ("<DSP>214<", f"<DSP>{dsp}<"),
        ("<BRAM_18K>7<", f"<BRAM_18K>{bram18}<"),
        ("<URAM>3<", f"<URAM>{uram}<"),
        ("<Best-caseLatency>11<", f"<Best-caseLatency>{cycles[0]}<"),
        ("<Worst-caseLatency>13<", f"<Worst-caseLatency>{cycles[1]}<"),
        ("<Interval-min>1<", f"<Interval-min>{cycles[2]}<"),
        ("<Interval-max>2<", f"<Interval-max>{cycles[3]}<"),
        ("<EstimatedClockPeriod>1.793<", f"<EstimatedClockPeriod>{period}<"),
    )
    text = changed(
        folder,
        TEXT,
        ("|       17|    88|     7706|    18448|    2|", f"|{bram18:>9}|{dsp:>6}|{ff:>9}|{lut:>9}|{uram:>5}|"),
        ("|       70|       91|", f"|{cycles[0]:>9}|{cycles[1]:>9}|"),
        ("|   64|   65| dataflow|", f"|{cycles[2]:>5}|{cycles[3]:>5}| dataflow|"),
        ("|  2.916 ns|", f"|  {period} ns|"),
    )
    for path, target, uncertainty in ((xml, 2.5, 0.68), (text, 4, 1.08)):
        expected = resources("used", *counts) | csynth(*cycles, target, float(period), uncertainty)
        found = {key: (figure.value, figure.unit) for key, figure in figures(read_report(path)).items()}
        assert {key: found[key] for key in expected} == expected


@settings(max_examples=50)
@given(lut=COUNTS, ff=COUNTS, dsp=COUNTS, bram18=COUNTS, uram=COUNTS)
def test_utilization_keeps_its_units(folder, lut, ff, dsp, bram18, uram):
    tiles = bram18 // 2 if bram18 % 2 == 0 else bram18 / 2
    ultrascale = changed(
        folder,
        SYNTHESISED,
        ("| 21874 |     0 |        400 |   1728000 |", f"| {lut} | 0 | 400 | 1728000 |"),
        ("| CLB Registers           |  9406 |", f"| CLB Registers           | {ff} |"),
        ("|  305 |", f"| {dsp} |"),
        ("|   13 |", f"| {tiles} |"),
        ("|    6 |     0 |          0 |      1280 |", f"| {uram} |     0 |          0 |      1280 |"),
    )
    series7 = changed(
        folder,
        PLACED,
        ("| 6130 |", f"| {lut} |"),
        ("| Slice Registers            | 2947 |", f"| Slice Registers            | {ff} |"),
        ("|   52 |     0 |", f"| {dsp} | 0 |"),
        ("|  8.5 |", f"| {tiles} |"),
    )
    for path, of_uram in ((ultrascale, uram), (series7, None)):
        expected = resources("used", lut, ff, dsp, bram18, of_uram)
        found = {key: (figure.value, figure.unit) for key, figure in figures(read_report(path)).items()}
        assert {key: value for key, value in found.items() if key.startswith("used.")} == expected


@settings(max_examples=50)
@given(st.decimals(-1000, 1000, places=3), PERIODS)
def test_the_achieved_period_is_the_requested_one_less_the_slack(folder, wns, period):
    # 11.840 is the slack of another clock.
    assume(wns < period and f"{wns}" != "11.840")
    # Both rows of the worst slack; it stays flush right.
    text = re.sub(r" *-0\.316", lambda match: f"{wns}".rjust(len(match[0])), (DATA / ROUTED).read_text())
    path = folder / ROUTED
    path.write_text(text.replace("5.000           200.000", f"{period}           200.000"))
    found = {key: (figure.value, figure.unit) for key, figure in figures(read_report(path)).items()}
    assert found == {
        "wns_ns": (float(wns), "ns"),
        "requested_period_ns": (float(period), "ns"),
        "achieved_period_ns": (float(period - wns), "ns"),
    }
