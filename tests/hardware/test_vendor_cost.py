"""The rung of the vendor's tools: reports that a project holds, and tools that run where it holds none."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga._process import ToolFailedError
from nas_fpga.errors import InputError
from nas_fpga.hardware import (
    RESOURCES,
    DesignCost,
    Mapping,
    Target,
    TimingReport,
    UtilizationReport,
    cost_by_law,
    cost_by_vendor,
    make_target,
    vendor_clock_ns,
)
from nas_fpga.hardware._vendor import vendor_reports
from nas_fpga.space import BitWidths
from nas_fpga.training import QuantizedNetwork
from tests.export.networks import random_network

REPORTS = Path(__file__).parent / "data" / "reports"
EXAMPLE = Path(__file__).parents[2] / "hls" / "example"
TARGET = make_target()
# A program in the place of a tool: it says what it was given, and writes the report that it finds beside itself.
STAND_IN = """#!{python}
import pathlib, shutil, sys
here = pathlib.Path(__file__).parent
print("stand-in", *sys.argv[1:])
print(pathlib.Path("build_opt.tcl").read_text())
for line in (here / "writes.txt").read_text().splitlines():
    tool, report, path = line.split()
    if tool in (pathlib.Path(__file__).name, sys.argv[-1]):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(here / report, path)
sys.exit((here / "fails").exists())
"""
CSYNTH = "network_prj/solution1/syn/report/csynth.xml"


@pytest.fixture
def project(tmp_path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project"))


@pytest.fixture
def tools(tmp_path, monkeypatch) -> Path:
    """A folder that is alone on PATH, for tools."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def stand_in(folder: Path, name: str, writes: dict[str, str]) -> None:
    """Put a tool on PATH; reports by where they go, the tool or its last argument decides which."""
    lines = [f"{name.rpartition('/')[2]} {report} {path}" for path, report in writes.items()]
    for report in writes.values():
        shutil.copy(REPORTS / report, folder)
    tool, _, _ = name.partition("/")
    with (folder / "writes.txt").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))
    (folder / tool).write_text(STAND_IN.format(python=sys.executable))
    (folder / tool).chmod(0o755)


def by_law(project: Path) -> DesignCost:
    return cost_by_law(QuantizedNetwork.load(project / "network.npz"), Mapping("latency", (1, 1)), TARGET)


def cost(project: Path, stage: str, target: Target = TARGET) -> tuple[DesignCost, tuple[str, ...], list[str]]:
    told: list[str] = []
    found, notes = cost_by_vendor(project, stage, by_law(project), target, message=told.append)
    return found, notes, told


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def put(project: Path, path: str, report: str) -> None:
    (project / "hls" / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPORTS / report, project / "hls" / path)


def test_a_report_of_c_synthesis_that_is_there_is_read(project, tools):
    put(project, CSYNTH, "vitis_hls_2023.1.xml")
    found, notes, told = cost(project, "csynth", make_target(clock_ns=2.5))
    figures = found.figures
    assert (figures.lut.value, figures.lut.low, figures.lut.high, figures.lut.stage) == (40962, 40962, 40962, "csynth")
    assert figures.lut.source == "HLS 2023.1, csynth.xml"
    assert (figures.ff.value, figures.dsp.value, figures.bram18.value) == (5381, 214, 7)
    cycles = figures.latency_cycles
    assert (cycles.low, cycles.value, cycles.high) == (11, 13, 13)
    assert (figures.latency_ns.value, figures.latency_ns.stage) == (13 * 2.5, "csynth")
    assert (figures.ii_cycles.value, figures.copies) == (2, 1)
    assert figures.ebops == by_law(project).figures.ebops
    for name in RESOURCES:
        parts = [getattr(layer, name) for layer in found.layers]
        whole = getattr(figures, name).value
        assert sum(part.value for part in parts) == pytest.approx(whole)
        assert all(0 <= part.low <= part.value <= part.high <= whole for part in parts)
    assert found.layers[-1].dsp.value == 214  # the law has none, so it knows no layer for them
    assert (notes, told) == ((), [])


def test_a_layer_that_has_all_of_a_resource_has_all_that_was_read(project, tools):
    """Products of the second layer are of weights of 1 bit, so that the first has all DSPs of the law."""
    network = random_network(0, 8, (8,), BitWidths(8, 8))
    first, second = network.layers
    signs = replace(second, weights=np.sign(second.weights))
    law = cost_by_law(replace(network, layers=(first, signs)), Mapping("latency", (1, 1)), TARGET)
    assert law.layers[0].dsp.value == law.figures.dsp.value > 0
    put(project, CSYNTH, "vitis_hls_2023.1.xml")
    change(project / "hls" / CSYNTH, "<DSP>214<", "<DSP>23<")
    found, _ = cost_by_vendor(project, "csynth", law, TARGET, message=print)
    assert [layer.dsp.value for layer in found.layers] == [23, 0, 0]


def test_time_and_copies_are_at_the_clock_of_the_target_and_another_is_noted(project, tools):
    put(project, CSYNTH, "vitis_hls_2023.1.xml")  # of 2.5 ns, II 2
    found, notes, _ = cost(project, "csynth", make_target(clock_ns=15, rate_mhz=40))
    assert (found.figures.latency_ns.value, found.figures.copies) == (13 * 15, 2)
    assert notes == (f"{project}: its clock is 2.5 ns; latency in ns, copies and limits are at 15 ns",)


@pytest.mark.parametrize(
    ("in_report", "in_project", "clock_ns"),
    [
        ("2.50", 5.0, 2.5),
        ("3.13", 3.125, 3.125),  # rounded: at 3.13 ns eight cycles would be longer than the 25 ns of 40 MHz
        ("3.12", 3.125, 3.125),
        ("3.13", 3.2, 3.13),
    ],
)
def test_the_clock_is_that_of_the_report_with_the_digits_of_the_project(
    project, tools, in_report, in_project, clock_ns
):
    put(project, CSYNTH, "vitis_hls_2023.1.xml")
    change(project / "hls" / CSYNTH, "<TargetClockPeriod>2.50<", f"<TargetClockPeriod>{in_report}<")
    change(project / "design.json", '"clock_ns": 5.0', f'"clock_ns": {in_project}')
    assert vendor_clock_ns(project, "csynth", message=print) == clock_ns


def test_the_clock_of_what_no_report_says_is_that_of_the_project(project, tools):
    put(project, "vivado_synth.rpt", "utilization_2022.2_ultrascale_plus_synth.rpt")
    change(project / "hls" / "hls4ml_config.yml", "ClockPeriod: 5.0", "ClockPeriod: 4")
    assert vendor_clock_ns(project, "vendor-synthesis", message=print) == 5.0
    assert vendor_clock_ns(project / "hls", "vendor-synthesis", message=print) == 4.0
    (project / "hls" / "hls4ml_config.yml").unlink()
    assert vendor_clock_ns(project / "hls", "vendor-synthesis", message=print) is None
    put(project, "implement/utilization.rpt", "utilization_2014.2_7series_placed.rpt")
    put(project, "implement/timing.rpt", "timing_2023.1_routed.rpt")
    assert vendor_clock_ns(project / "hls", "place-and-route", message=print) == 5.0  # of clk_out1_clk_wiz_0


def test_the_spelling_of_a_part_makes_it_no_other(project, tools):
    put(project, CSYNTH, "vitis_hls_2023.1.xml")
    change(project / "hls" / CSYNTH, "<Part>xcvu13p-flga2577-2-e<", "<Part>XCVU13P-FLGA2577-2-E<")
    for part in ("vu13p", "XCVU13P-FLGA2577-2-E"):
        assert cost(project, "csynth", make_target(part=part, clock_ns=2.5))[1] == ()
    notes = cost(project, "csynth", make_target(part="vu9p", clock_ns=2.5))[1]
    assert [note.partition(": ")[2] for note in notes] == [
        "of XCVU13P-FLGA2577-2-E; the limits are those of xcvu9p-flga2104-2L-e"
    ]


def test_reports_of_vivado_are_read_with_the_period(project, tools):
    put(project, "implement/utilization.rpt", "utilization_2014.2_7series_placed.rpt")
    put(project, "implement/timing.rpt", "timing_2023.1_routed.rpt")
    utilization, timing = vendor_reports(project, "place-and-route", message=print)
    assert isinstance(utilization, UtilizationReport)
    assert isinstance(timing, TimingReport)
    found, notes, _ = cost(project, "place-and-route")
    assert found.figures.lut == utilization.used.lut
    assert found.figures.lut.stage == "place-and-route"
    assert found.figures.latency_cycles == by_law(project).figures.latency_cycles
    assert found.figures.period_ns == timing.achieved_period_ns
    (note,) = notes
    assert note.endswith(f"utilization.rpt: of xc7z045; the limits are those of {TARGET.part.name}")


@pytest.mark.parametrize(
    ("tool", "said"), [("vitis-run", "stand-in --mode hls --tcl build_prj.tcl"), ("vitis_hls", "-f build_prj.tcl")]
)
def test_c_synthesis_runs_where_there_is_no_report(project, tools, tool, said):
    stand_in(tools, tool, {CSYNTH: "vitis_hls_2023.1.xml"})
    found, _, told = cost(project, "csynth")
    assert found.figures.lut.value == 40962
    log = project / "hls" / "csynth.log"
    assert told == [f"csynth of project by {tool}; its log is {log}"]
    assert said in log.read_text()
    assert "csim 0\n  synth 1\n  cosim 0" in log.read_text()  # what build_prj.tcl reads
    (tools / tool).unlink()
    assert cost(project, "csynth")[0] == found  # now it is there


def test_logic_synthesis_begins_with_what_is_missing(project, tools):
    stand_in(tools, "vitis_hls", {CSYNTH: "vitis_hls_2023.1.xml"})
    with pytest.raises(InputError, match=r"has no vivado_synth\.rpt, and vivado is not on PATH"):
        cost(project, "vendor-synthesis")
    assert not (project / "hls" / CSYNTH).exists()  # nothing runs for minutes that cannot be ended
    stand_in(tools, "vivado/vivado_synth.tcl", {"vivado_synth.rpt": "utilization_2022.2_ultrascale_plus_synth.rpt"})
    found, _, told = cost(project, "vendor-synthesis")
    assert [line.split(";")[0].rpartition(" ")[2] for line in told] == ["vitis_hls", "vivado"]
    assert found.figures.lut.stage == "vendor-synthesis"
    (project / "hls" / "vivado_synth.rpt").unlink()
    assert len(cost(project, "vendor-synthesis")[2]) == 1  # C synthesis is not repeated


def test_rtl_is_placed_and_routed(project, tools):
    shutil.rmtree(project / "hls")
    (project / "rtl").mkdir()
    for name in ("vivado_ooc.tcl", "build_opt.tcl"):
        (project / "rtl" / name).touch()
    with pytest.raises(InputError, match=r"csynth is of HLS; .*project is RTL, take vendor-synthesis"):
        cost(project, "csynth")
    with pytest.raises(InputError, match=r"rtl has no vivado/utilization_synth\.rpt, and vivado is not on PATH"):
        cost(project, "vendor-synthesis")
    reports = {
        "vivado/utilization.rpt": "utilization_2014.2_7series_placed.rpt",
        "vivado/timing.rpt": "timing_2023.1_routed.rpt",
    }
    stand_in(tools, "vivado/vivado_ooc.tcl", reports)
    assert cost(project, "place-and-route")[0].figures.lut.stage == "place-and-route"


def test_of_a_design_in_both_stages_are_of_what_has_them(project, tools):
    """An export in distributed arithmetic: C synthesis is of its HLS, the rest of its RTL unless only HLS was built."""
    (project / "rtl").mkdir()
    (project / "rtl" / "vivado_ooc.tcl").touch()
    put(project, CSYNTH, "vitis_hls_2023.1.xml")
    assert cost(project, "csynth")[0].figures.lut.value == 40962
    put(project, "implement/timing.rpt", "timing_2023.1_routed.rpt")
    with pytest.raises(InputError, match=r"rtl has no vivado/utilization\.rpt, and vivado is not on PATH"):
        cost(project, "place-and-route")
    put(project, "implement/utilization.rpt", "utilization_2014.2_7series_placed.rpt")
    of_hls, _, _ = cost(project, "place-and-route")
    assert of_hls.figures.lut.value == 6130
    put(project, "../rtl/vivado/timing.rpt", "timing_2023.1_routed.rpt")
    put(project, "../rtl/vivado/utilization.rpt", "utilization_2014.2_7series_placed.rpt")
    change(project / "rtl/vivado/utilization.rpt", "| 6130 |", "| 6131 |")
    assert cost(project, "place-and-route")[0].figures.lut.value == 6131


def test_a_missing_tool_is_named_with_the_cure(project, tools):
    with pytest.raises(InputError) as caught:
        cost(project, "csynth")
    assert "network_csynth.xml, and vitis-run or vitis_hls is not on PATH; source the settings64.sh" in str(
        caught.value
    )
    text = (project / "hls" / "project.tcl").read_text()
    (project / "hls" / "project.tcl").write_text(text.replace('"vitis"', '"vivado"'))
    with pytest.raises(InputError, match=r"and vivado_hls is not on PATH"):
        cost(project, "csynth")
    (project / "hls" / "project.tcl").write_text(text.replace('"vitis"', '"quartus"'))
    with pytest.raises(InputError, match=r"project\.tcl names no project of Vitis or Vivado"):
        cost(project, "csynth")
    (project / "hls" / "implement.tcl").unlink()
    (project / "hls" / "project.tcl").write_text(text)
    with pytest.raises(InputError, match=r"has no implement\.tcl; nas-fpga export writes one"):
        cost(project, "place-and-route")
    (project / "hls" / "build_prj.tcl").unlink()
    with pytest.raises(InputError, match=r"has no project\.tcl and build_prj\.tcl; give an hls4ml project"):
        cost(project, "csynth")


def test_a_tool_that_fails_or_writes_nothing_is_named_with_its_log(project, tools):
    stand_in(tools, "vitis_hls", {})
    with pytest.raises(ToolFailedError, match=r"wrote no .*network_csynth\.xml; see .*csynth\.log"):
        cost(project, "csynth")
    (tools / "fails").touch()
    with pytest.raises(
        ToolFailedError, match=r"by vitis_hls ended with code 1: .*; all that it said is in .*csynth\.log"
    ):
        cost(project, "csynth")


def test_a_report_of_another_stage_is_refused(project, tools):
    put(project, "vivado_synth.rpt", "utilization_2014.2_7series_placed.rpt")
    with pytest.raises(InputError, match=r"its figures are of stage place-and-route, not vendor-synthesis"):
        cost(project, "vendor-synthesis")
