"""Projects: the reports in them are found and paired, with what the laws and the adder graph say of their network."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nas_fpga.calibration import calibrate
from nas_fpga.calibration._projects import project_of, projects_in, read_project, reports_in
from nas_fpga.errors import InputError
from nas_fpga.hardware import Mapping, adder_graph, build_netlist, estimate, make_target
from nas_fpga.training import QuantizedNetwork
from tests.calibration.reports import REPORTS, csynth, placed, synthesised

EXAMPLE = Path(__file__).parents[2] / "hls" / "example"
NETWORK = QuantizedNetwork.load(EXAMPLE / "network.npz")
CSYNTH, VSYNTH, IMPL = (
    "hls/network_prj/solution1/syn/report/csynth.xml",
    "hls/vivado_synth.rpt",
    "hls/implement/utilization.rpt",
)


@pytest.fixture
def project(tmp_path):
    """Makes a project of the example's network with some reports."""

    def make(name="one", reports=None, **changes):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for kept in ("design.json", "network.npz"):
            shutil.copy(EXAMPLE / kept, folder / kept)
        (folder / "hls").mkdir()
        shutil.copy(EXAMPLE / "hls" / "hls4ml_config.yml", folder / "hls")
        if changes:
            record = json.loads((folder / "design.json").read_text())
            (folder / "design.json").write_text(json.dumps(record | changes))
        for place, text in (reports or {}).items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text, encoding="utf-8")
        return folder

    return make


def read(folder, said=None):
    return read_project(folder, reports_in(folder), message=(said if said is not None else []).append)


def test_reports_and_laws_of_a_project_are_the_stages_of_one_design(project):
    folder = project(reports={CSYNTH: csynth(1900, 300), VSYNTH: synthesised(1200, 200), IMPL: placed(1100, 190)})
    counted = {one.stage: one for one in read(folder)}
    assert {one.strategy for one in counted.values()} == {"latency"}
    assert len({one.network for one in counted.values()}) == len({one.design for one in counted.values()}) == 1
    luts = {stage: one.counts["lut"] for stage, one in counted.items()}
    law = estimate(NETWORK, Mapping("latency", (1, 1)), make_target()).lut.value
    assert luts == {
        "csynth": 1900, "vendor-synthesis": 1200, "place-and-route": 1100, "estimate": pytest.approx(law)
    }  # fmt: skip
    assert counted["place-and-route"].counts["ff"] == 190


def test_laws_are_those_at_the_clock_of_the_project(project):
    luts = []
    for clock_ns in (5.0, 2.5):
        folder = project(f"at {clock_ns}", {CSYNTH: csynth(1900, 300)}, clock_ns=clock_ns, mapping={
            "strategy": "distributed_arithmetic", "reuse_factors": [1, 1], "name": "da"
        })  # fmt: skip
        counted = {one.stage: one.counts for one in read(folder)}
        luts.append(counted["adder-graph"]["lut"])
        netlist = build_netlist(adder_graph(NETWORK), clock_ns)
        assert counted["adder-graph"] == {"lut": adder_graph(NETWORK).luts, "ff": netlist.flip_flops}
    assert luts[0] == luts[1]


def test_rtl_is_a_design_of_its_own_and_of_the_same_network(project):
    folder = project(reports={CSYNTH: csynth(1900, 300), "rtl/out/utilization.rpt": placed(900, 150)})
    counted = read(folder)
    rtl = {one.stage: one for one in counted if one.design.endswith("/rtl")}
    assert rtl.keys() == {"place-and-route", "adder-graph", "estimate"}
    assert {one.strategy for one in rtl.values()} == {"distributed_arithmetic"}
    assert rtl["adder-graph"].counts["lut"] == adder_graph(NETWORK).luts
    assert len({one.network for one in counted}) == 1
    learned = calibrate([folder], message=lambda _: None)
    assert learned.calibration.ratio("adder-graph", "distributed_arithmetic", "lut").n_designs == 1


def test_of_several_reports_of_a_stage_that_of_the_whole_counts(project):
    parts = {
        "hls/network_prj/solution1/syn/report/dense_csynth.xml": csynth(700, 90),
        "hls/network_prj/solution1/syn/report/timing.rpt": (REPORTS / "timing_2023.1_routed.rpt").read_text(),
        "hls/network_prj/vitis_hls.rpt": "no report of ours",
    }
    folder = project(reports=parts | {CSYNTH: csynth(1900, 300)})
    assert len(reports_in(folder)) == 2
    assert {one.stage: one.counts["lut"] for one in read(folder)}["csynth"] == 1900


def schedule() -> str:
    """A schedule of C synthesis: it begins as a report does, and counts nothing."""
    text = (REPORTS / "vitis_hls_2022.2_csynth.rpt").read_text()
    return text[: text.index("== Utilization Estimates")]


def hierarchy() -> str:
    """Vivado's utilization by cells."""
    head = placed(1100, 190).partition("Table of Contents")[0]
    table = (
        "+----------+------------+",
        "| Instance | Total LUTs |",
        "+----------+------------+",
        "| network  |       1100 |",
    )
    return "\n".join((head, *table, ""))


EXPORTED = "<profile>\n<AreaReport><Resources><FF>190</FF><LUT>1100</LUT></Resources></AreaReport>\n</profile>\n"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("hls/network_prj/solution1/.autopilot/db/network.verbose.rpt", csynth(9000, 900)),
        ("hls/network_prj/solution1/syn/network.verbose.sched.rpt", schedule()),
        ("hls/network_prj/solution1/syn/report/relu_csynth.xml", csynth(72, 0)),
        ("hls/network_prj/solution1/impl/report/verilog/export_impl.xml", EXPORTED),
        ("hls/implement/utilization_hierarchical_routed.rpt", hierarchy()),
        ("hls/implement/timing.rpt", (REPORTS / "timing_2019.1.rpt").read_text()),
    ],
)
def test_what_else_the_tools_leave_in_a_project_is_passed_over(project, place, text):
    reports = {CSYNTH: csynth(1900, 300), IMPL: placed(1100, 190)}
    assert read(project("more", reports | {place: text})) == [
        replace(one, design=one.design.replace("less", "more")) for one in read(project("less", reports))
    ]


def test_a_report_that_is_named_is_judged_as_it_is(project):
    places = {
        "relu.xml": (csynth(72, 0), "counts no FF: it is of no network"),
        "schedule.rpt": (schedule(), "it has no '== Utilization Estimates'"),
        "timing.rpt": ((REPORTS / "timing_2019.1.rpt").read_text(), "it has no Design State"),
    }
    folder = project(reports={place: text for place, (text, _) in places.items()})
    for place, (_, said) in places.items():
        with pytest.raises(InputError, match=said):
            calibrate([folder / place], message=lambda _: None)


def test_networks_count_once_and_folders_hold_many(project, tmp_path):
    """Two exports of one network, and a third network in a folder further down."""
    for name, lut in (("designs/a", 1000), ("designs/b", 1200)):
        project(name, {CSYNTH: csynth(1900, 300), IMPL: placed(lut, 190)})
    other = project("designs/more/c", {CSYNTH: csynth(1900, 300), IMPL: placed(1100, 190)})
    (other / "network.npz").unlink()
    shutil.copy(EXAMPLE / "model.keras", other)
    empty = project("designs/empty")
    assert [path.name for path in projects_in(tmp_path / "designs")] == ["a", "b", "empty", "c"]
    said = []
    learned = calibrate([tmp_path / "designs"], message=said.append)
    assert learned.calibration.ratio("csynth", "latency", "lut").n_designs == 2
    assert len(learned.designs) == 3
    assert learned.left_out == (f"{empty} is left out: it has no reports",)
    assert any(text.startswith(f"{other}: reports: 2") for text in said)


def test_reports_alone_belong_to_their_project(project):
    folder = project(reports={CSYNTH: csynth(1900, 300), VSYNTH: synthesised(1200, 200), IMPL: placed(1100, 190)})
    assert project_of(folder / CSYNTH) == folder  # not hls/, which is a project of hls4ml
    learned = calibrate([folder / CSYNTH, folder / IMPL], message=lambda _: None)
    assert {ratio.stage for ratio in learned.calibration.ratios} == {"csynth", "estimate"}
    alone = calibrate([folder / VSYNTH], message=lambda _: None)
    assert {(ratio.stage, ratio.reference) for ratio in alone.calibration.ratios} == {("estimate", "vendor-synthesis")}


def test_a_project_of_hls4ml_whose_network_cannot_be_read_has_its_reports(tmp_path):
    folder = tmp_path / "theirs"
    (folder / "out").mkdir(parents=True)
    (folder / "hls4ml_config.yml").write_text("ClockPeriod: 5\nHLSConfig:\n  Model:\n    Strategy: Resource\n")
    (folder / "out" / "csynth.xml").write_text(csynth(1900, 300))
    (folder / "vivado_synth.rpt").write_text(synthesised(1200, 200))
    said = []
    counted = read(folder, said)
    assert [(one.strategy, one.stage) for one in counted] == [("resource", "csynth"), ("resource", "vendor-synthesis")]
    assert len(said) == 1
    assert "its reports count, but not the estimate of its network" in said[0]


def test_a_record_without_a_clock_leaves_the_reports(project):
    folder = project(reports={CSYNTH: csynth(1900, 300), IMPL: placed(1100, 190)})
    record = json.loads((folder / "design.json").read_text())
    del record["clock_ns"]
    (folder / "design.json").write_text(json.dumps(record))
    said = []
    assert {one.stage for one in read(folder, said)} == {"csynth", "place-and-route"}
    (text,) = said
    assert text.endswith("design.json is damaged ('clock_ns'); export the project again)")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("Model:\n  Strategy: Latency\n  LayerName:\n    a:\n      Strategy: Resource\n", "strategy latency, resource"),
        ("Strategy: Stable\n", "strategy stable; its layers must all have one of"),
        ("Backend: Vitis\n", "strategy none"),
    ],
)
def test_a_strategy_that_is_not_known_is_refused(tmp_path, config, said):
    (tmp_path / "hls4ml_config.yml").write_text(config)
    (tmp_path / "csynth.xml").write_text(csynth(1900, 300))
    with pytest.raises(InputError, match=said):
        calibrate([tmp_path], message=lambda _: None)


def test_nonsense_is_refused(project, tmp_path):
    quiet = {"message": lambda _: None}
    far = project("far", {CSYNTH: csynth(60_000, 300), IMPL: placed(1100, 190)})
    with pytest.raises(InputError, match="60,000 LUT at csynth and 1,100 at place-and-route: a factor above 50"):
        calibrate([far], **quiet)
    zero = project("zero", {CSYNTH: csynth(0, 300)})
    with pytest.raises(InputError, match=r"csynth.xml counts no LUT: it is of no network"):
        calibrate([zero], **quiet)
    cut = project("cut", {CSYNTH: csynth(1900, 300)[:900]})
    with pytest.raises(InputError, match="it is no whole XML"):
        calibrate([cut], **quiet)
    damaged = project("damaged", {CSYNTH: csynth(1900, 300)}, mapping=None)
    with pytest.raises(InputError, match=r"design.json is damaged"):
        calibrate([damaged], **quiet)
    with pytest.raises(InputError, match="is not there"):
        calibrate([tmp_path / "nowhere"], **quiet)
    (tmp_path / "plain").mkdir()
    with pytest.raises(InputError, match="holds no project of nas-fpga export or hls4ml"):
        calibrate([tmp_path / "plain"], **quiet)
    (tmp_path / "plain" / "csynth.xml").write_text(csynth(1900, 300))
    with pytest.raises(InputError, match="lies in no project of nas-fpga export or hls4ml"):
        calibrate([tmp_path / "plain" / "csynth.xml"], **quiet)
    with pytest.raises(InputError, match="no reports there"):
        calibrate([project("empty")], **quiet)
