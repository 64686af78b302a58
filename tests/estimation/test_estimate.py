"""From a topology or network to what it costs, with what will go wrong said before."""

from __future__ import annotations

import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import nas_fpga
from nas_fpga.errors import InputError
from nas_fpga.estimation import estimate, plot_layers
from nas_fpga.hardware import adder_graph, enumerate_mappings, make_target
from nas_fpga.models import read_model
from nas_fpga.space import BitWidths
from tests.export.networks import random_network

ROOT = Path(__file__).parents[2]
EXAMPLE, REPORTS = ROOT / "hls" / "example", ROOT / "tests" / "hardware" / "data" / "reports"
NETWORK = random_network(1, 6, (8, 8), BitWidths(4, 4), n_outputs=2)


def test_a_topology_has_its_widths_bits_and_every_mapping():
    found = estimate("16-64-32-32-5", bits=4, input_bits=8)
    assert found.title == "16-64-32-32-5 w4a4"
    assert [(layer.n_in, layer.n_out) for layer in found.cost.layers[:-1]] == [(16, 64), (64, 32), (32, 32), (32, 5)]
    assert [(layer.weight_bits, layer.input_bits) for layer in found.cost.layers[:2]] == [(4, 8), (4, 4)]
    shapes = [(16, 64), (64, 32), (32, 32), (32, 5)]
    assert tuple(mapping for mapping, _ in found.others) == enumerate_mappings(shapes, make_target())
    assert found.cost.figures.lut.value < estimate("16-64-32-32-5", bits=6).cost.figures.lut.value
    assert "not trained" in found.notes[-1]


def test_the_cheapest_mapping_is_taken_unless_another_is_asked_for():
    found = estimate("16-64-32-32-5", max_luts=20_000)
    shares = {mapping: law.constrained_share(found.target) for mapping, law in found.others}
    assert found.cost.mapping == min(shares, key=shares.__getitem__)
    asked = estimate("16-64-32-32-5", strategy="resource", reuse_factor=8)
    assert str(asked.cost.mapping) == "resource rf 8/8/8/8"
    assert str(estimate("16-64-32-32-5", strategy="distributed-arithmetic").cost.mapping) == "da"


def test_without_dsps_what_needs_some_is_over_the_limit():
    found = estimate("16-64-32-32-5", rate_mhz=1, max_dsps=0)
    assert found.cost.mapping.strategy == "distributed_arithmetic"
    assert found.as_json()["shares"]["dsp"] == 0
    folded = estimate("16-64-32-32-5", strategy="resource", reuse_factor=8, max_dsps=0)
    dsps = folded.cost.figures.total("dsp")
    assert dsps > 0
    assert folded.cost.figures.shares(folded.target)["dsp"] == math.inf
    assert folded.as_json()["shares"]["dsp"] is None
    assert folded.cost.figures.violations(folded.target) == (
        f"{dsps:,.0f} DSP in {folded.cost.figures.copies} copies, limit 0",
    )


@pytest.mark.parametrize(("rate_mhz", "copies"), [(40, 1), (1000, 5)])
def test_less_than_half_a_dsp_that_is_expected_is_none(rate_mhz, copies):
    found = estimate("8-4-1", bits=5, strategy="latency", max_dsps=0, rate_mhz=rate_mhz)
    figures = found.cost.figures
    assert 0 < figures.dsp.value < 0.5
    assert figures.copies == copies
    assert figures.shares(found.target)["dsp"] == 0
    assert figures.violations(found.target) == ()


def test_trained_weights_are_costed_by_their_adder_graph_unless_told_otherwise():
    graph = adder_graph(NETWORK).luts
    assert estimate(NETWORK).cost.figures.lut.original == (graph, "adder-graph")
    by_law = estimate(NETWORK, stage="estimate")
    assert by_law.cost.figures.lut.original != (graph, "adder-graph")
    assert estimate(NETWORK, strategy="latency").cost.mapping.strategy == "latency"


def test_a_keras_model_is_taken_as_it_is():
    layers = [keras.layers.Dense(6, activation="relu"), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((4,)), *layers], name="mine")
    found = nas_fpga.estimate(model, bits=5, message=[].append)
    assert found.title == "mine: 4-6-2"
    assert [layer.nonzero for layer in found.cost.layers[:-1]] == [
        np.count_nonzero(layer.weights) for layer in read_model(model, bits=5, message=[].append).network.layers
    ]
    with pytest.raises(InputError, match="model 16 is neither a path nor a model of Keras 3"):
        nas_fpga.estimate(16)


def test_layers_without_time_for_their_graph_are_by_law_and_named():
    found = estimate(NETWORK, graph_seconds=0)
    assert "law for dense 1, dense 2, dense 3;" in found.cost.figures.lut.source
    assert any(
        re.fullmatch(r"dense 1, dense 2, dense 3 by law: .* about 0 s in all; --graph-seconds N .*", note)
        for note in found.notes
    )
    assert not estimate(NETWORK).notes
    with pytest.raises(InputError, match=r"^graph_seconds -1 must be at least 0"):
        nas_fpga.estimate(NETWORK, graph_seconds=-1)


def test_notes_say_what_will_not_build_and_what_does_not_fit():
    wide = estimate("16-128-64-5", strategy="latency")
    assert any(note.startswith("dense 2 (128 x 64): 8,192 products are not unrolled") for note in wide.notes)
    moved = estimate("16-10-5", strategy="resource", reuse_factor=7)
    assert moved.notes[0] == "dense 1 (16 x 10): reuse factor 8, the nearest to 7 that hls4ml has"
    assert str(moved.cost.mapping) == "resource rf 8/5"
    small = estimate("16-64-32-32-5", part="xc7a35t", strategy="distributed_arithmetic")
    assert any(re.match(r"over the limit: [\d,]+ LUT, limit 20,800", note) for note in small.notes)
    large = estimate("64-400-400-10", bits=8, region="part", strategy="distributed_arithmetic")
    assert any(
        note.startswith("one copy is larger than a super logic region, which has 432,000 LUT") for note in large.notes
    )


def test_what_the_tools_would_optimise_away_is_called_out():
    last = NETWORK.layers[-1]
    dead = replace(NETWORK, layers=(*NETWORK.layers[:-1], replace(last, weights=last.weights * np.array([1, 0]))))
    notes = estimate(dead, stage="estimate").notes
    assert "1 of 2 outputs do not depend on the features: the tools optimise them away" in notes
    assert not estimate(NETWORK, stage="estimate").notes


def test_json_has_every_figure_with_unit_stage_and_interval():
    found = json.loads(json.dumps(estimate(NETWORK).as_json()))
    lut = found["figures"]["lut"]
    assert (lut["unit"], lut["stage"], lut["original"][1]) == ("LUT", "place-and-route", "adder-graph")
    assert lut["low"] < lut["value"] < lut["high"]
    assert sum(layer["lut"]["value"] for layer in found["layers"]) == pytest.approx(lut["value"])
    assert [options[0]["reuse_factor"] for options in found["reuse_factors"]] == [1, 1, 1]
    assert found["part"] == "xcvu13p-flga2577-2-e"


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("16-64-32-32-5", {"stage": "adder-graph"}, "stage adder-graph needs trained weights"),
        ("16-64-32-32-5", {"stage": "synthesis"}, "stage synthesis is none of estimate, adder-graph, logic-synthesis"),
        ("16-64-32-32-5", {"stage": "csynth"}, "stage csynth needs a project: .*; give its folder"),
        (str(EXAMPLE), {"stage": "csynth", "strategy": "latency"}, "strategy latency is not for (--)?stage csynth"),
        ("16-64-32-32-5", {"strategy": "fast"}, "strategy fast is none of distributed_arithmetic, latency, resource"),
        ("16-64-32-32-5", {"strategy": "resource"}, "resource needs (--)?reuse.factor"),
        ("16-64-32-32-5", {"reuse_factor": 4}, "reuse.factor 4 is for (--)?strategy resource"),
        ("16-64-32-32-5", {"strategy": "resource", "reuse_factor": 0}, "reuse.factor 0 must be at least 1"),
        ("16-5", {}, "topology 16-5 must have features, at least one hidden layer, and outputs"),
        ("16-0-5", {}, "topology 16-0-5 must have widths from 1 to 100,000"),
        ("16-64-5", {"part": "vu14p"}, "part 'vu14p' is not known, did you mean"),
        ("16-64-5", {"bits": 40}, "bits 40 must be from 2 to 16"),
        ("16-64-5", {"input_bits": 0}, "input bits 0"),
        (NETWORK, {"strategy": "latency", "stage": "logic-synthesis"}, "latency has none of here"),
    ],
)
def test_wrong_arguments_are_named(model, options, said):
    with pytest.raises(InputError, match=said):
        estimate(model, **options)
    with pytest.raises(InputError, match=said):
        nas_fpga.estimate(model, **options)


def test_python_names_keywords():
    with pytest.raises(InputError, match=r"^stage synthesis is none"):
        nas_fpga.estimate("16-64-5", stage="synthesis")


def test_reports_of_a_project_stand_beside_the_laws(tmp_path):
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "example"))
    report = project / "hls" / "network_prj" / "solution1" / "syn" / "report" / "csynth.xml"
    report.parent.mkdir(parents=True)
    shutil.copy(REPORTS / "vitis_hls_2023.1.xml", report)
    found = estimate(str(project), stage="csynth", part="vu9p")
    assert str(found.cost.figures.lut) == "4.096e+04 LUT (4.096e+04-4.096e+04, csynth)"
    assert {law.lut.stage for _, law in found.others} == {"place-and-route"}
    assert "csynth.xml: of xcvu13p-flga2577-2-e; the limits are those of xcvu9p-flga2104-2L-e" in found.notes[0]


def csynth_project(tmp_path: Path, changes: dict[str, str]) -> Path:
    """The example with a report of C synthesis; it is of 2.5 ns, II 2, 13 cycles where nothing is changed."""
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "example"))
    report = project / "hls" / "network_prj" / "solution1" / "syn" / "report" / "csynth.xml"
    report.parent.mkdir(parents=True)
    text = (REPORTS / "vitis_hls_2023.1.xml").read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    report.write_text(text)
    return project


def test_reports_are_at_the_clock_of_the_project_unless_another_is_given(tmp_path):
    changes = {"<TargetClockPeriod>2.50<": "<TargetClockPeriod>10.00<", "<Interval-max>2<": "<Interval-max>4<"}
    project = csynth_project(tmp_path, changes)
    found = estimate(project, stage="csynth", rate_mhz=40)
    assert (found.target.clock_ns, found.cost.figures.latency_ns.value) == (10, 130)
    assert found.cost.figures.copies == 2  # 4 cycles are 40 ns, in which 1.6 inferences come
    assert not any("its clock is" in note for note in found.notes)
    asked = estimate(project, stage="csynth", rate_mhz=40, clock_ns=5)
    assert (asked.target.clock_ns, asked.cost.figures.latency_ns.value, asked.cost.figures.copies) == (5, 65, 1)
    assert any(
        note.endswith("its clock is 10 ns; latency in ns, copies and limits are at 5 ns") for note in asked.notes
    )
    with pytest.raises(InputError, match=r"clock period 0\.5 ns must be at least 1"):
        estimate(project, stage="csynth", clock_ns=0.5)


def test_a_project_that_does_not_say_its_clock_needs_one(tmp_path, monkeypatch):
    monkeypatch.setattr("nas_fpga.estimation._estimate.vendor_clock_ns", lambda *_, **__: None)
    project = csynth_project(tmp_path, {})
    with pytest.raises(InputError, match=r"example does not say its clock period; give --clock-ns"):
        estimate(project, stage="csynth")
    assert estimate(project, stage="csynth", clock_ns=4).target.clock_ns == 4


@pytest.mark.parametrize("worst", [0, 4])
def test_a_report_of_no_cycles_is_read(tmp_path, worst):
    changes = {
        "<Best-caseLatency>11<": "<Best-caseLatency>0<",
        "<Worst-caseLatency>13<": f"<Worst-caseLatency>{worst}<",
    }
    latency = estimate(csynth_project(tmp_path, changes), stage="csynth").as_json()["figures"]["achievable_latency_ns"]
    assert latency["low"] == 0
    assert (latency["high"] > 0) == (worst > 0)


def test_the_picture_has_a_bar_for_every_resource_in_use(tmp_path):
    path = tmp_path / "layers.png"
    plot_layers(estimate("16-64-32-32-5", strategy="resource", reuse_factor=8), path)
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    titled = replace(estimate("16-64-5"), title="$_^$.keras: 16-64-5")  # no formula of matplotlib's
    path.unlink()
    plot_layers(titled, path)
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(InputError, match=r"layers.gif must end in .png"):
        plot_layers(estimate("16-64-5"), tmp_path / "layers.gif")
