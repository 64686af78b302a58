"""The RTL, simulated as it lies on disk, computes what the network computes, when it says."""

import dataclasses
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from nas_fpga.errors import InputError, NasFpgaError
from nas_fpga.export import hgq_model
from nas_fpga.export._design import Design
from nas_fpga.export._rtl import _simulators, simulate_rtl, write_rtl
from nas_fpga.hardware import Mapping, adder_levels_per_cycle, estimate, make_target, placed_luts
from nas_fpga.space import BitWidths
from tests.export.networks import random_network, raw_features


def make_design(network, features, title="a test", threshold=None, clock_ns=5.0):
    n, n_outputs = network.layers[0].n_in, network.layers[-1].n_out
    return Design(
        title=title,
        model=hgq_model(network),
        network=network,
        mapping=Mapping("distributed_arithmetic", (1,) * len(network.layers)),
        target=make_target(clock_ns=clock_ns),
        figures=None,
        merits={},
        threshold=threshold,
        feature_names=tuple(f"feature {i}" for i in range(n)),
        feature_units=("GeV",) * n,
        class_names=("pion", "electron") if n_outputs == 1 else tuple(f"class {i}" for i in range(n_outputs)),
        events=features,
    )


def with_halves(network, features):
    """Replace some rows by values half-way between two steps of the input format, just below and at them."""
    step = np.exp2(-network.input_format.fraction_bits.astype(float))
    rng = np.random.default_rng(5)
    features[3:203] = (rng.integers(-1100, 1100, (200, len(step))) + 0.5) * step
    features[203:403] = np.nextafter(features[3:203], np.float32(-np.inf))
    return features


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    """A design whose decision has its working point in a register, at a score that many events have."""
    network = random_network(3, 9, (8, 3), BitWidths(6, 6))
    features = with_halves(network, raw_features(network, 1, 1500))
    scores = network.logits(features)[:, 0]
    values, counts = np.unique(scores, return_counts=True)
    inner = slice(len(values) // 4, -len(values) // 4)
    threshold = float(values[inner][counts[inner].argmax()])
    design = make_design(network, features, threshold=threshold)
    folder = tmp_path_factory.mktemp("register")
    description = write_rtl(design, folder, decision="register")
    return network, features, design, folder, description, simulate_rtl(folder, features, message=lambda line: None)


@pytest.mark.slow
class TestVerilog:
    def test_computes_the_network_at_the_stated_latency(self, two_classes):
        network, features, _, _, description, found = two_classes
        expected = network.logits(features)
        assert len(np.unique(expected)) > 30
        assert np.count_nonzero(found.outputs != expected) == 0
        assert (found.latency_cycles, found.ii_cycles) == (description["latency_cycles"], 1)
        levels = adder_levels_per_cycle(placed_luts(description["lut"]["value"]), 5.0)
        # input and output register, and one for the decision
        assert found.latency_cycles == -(-description["adder_levels"] // levels) + 2
        assert found.simulator.startswith("Verilator")

    def test_decision_by_register(self, two_classes):
        network, features, design, _, _, found = two_classes
        scores = network.logits(features)[:, 0]
        assert np.count_nonzero(scores == design.threshold) > 1
        np.testing.assert_array_equal(found.decisions, scores >= design.threshold)
        assert 0 < found.decisions.sum() < len(scores)

    def test_cxxrtl_gives_the_same(self, two_classes):
        _, features, _, folder, _, found = two_classes
        other = simulate_rtl(folder, features, message=lambda line: None, simulator=_simulators.cxxrtl())
        np.testing.assert_array_equal(other.outputs, found.outputs)
        np.testing.assert_array_equal(other.decisions, found.decisions)
        assert (other.latency_cycles, other.ii_cycles) == (found.latency_cycles, found.ii_cycles)
        assert other.simulator.startswith("Yosys CXXRTL")

    def test_a_flipped_bit_shows(self, two_classes, tmp_path):
        network, features, _, folder, description, _ = two_classes
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        stage = tmp_path / f"src/{description['top']}_net_stage1.v"
        # the last parameter of an adder says whether it subtracts
        text, n = re.subn(r"(shift_adder #\(.*), 0\) op", r"\1, 1) op", stage.read_text(), count=1)
        assert n == 1
        stage.write_text(text)
        messages = []
        found = simulate_rtl(tmp_path, features, message=messages.append)
        assert np.count_nonzero(found.outputs != network.logits(features)) > 0
        assert messages[0].startswith("building the simulation of nn_a_test with Verilator")
        assert "simulating 1500 events" in messages

    def test_a_model_of_others_with_several_outputs_at_a_fast_clock(self, tmp_path):
        """Its HGQ2 defaults wrap around beyond the input range, and so does the design."""
        import keras
        from hgq.layers import QDense
        from hgq.utils import trace_minmax

        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((5,)), QDense(4, activation="relu"), QDense(3)])
        features = np.random.default_rng(0).normal(0, 3, (1000, 5)).astype(np.float32)
        trace_minmax(model, features, batch_size=500, verbose=False)
        features[500:] *= 8
        design = dataclasses.replace(
            make_design(random_network(2, 5, (4,), BitWidths(4, 4), 3), features, clock_ns=1.0),
            model=model,
            network=None,
        )
        description = write_rtl(design, tmp_path)
        assert {word["beyond"] for word in description["inputs"]} == {"wrap"}
        assert np.abs(features).max() > 2 * description["inputs"][0]["high"]
        found = simulate_rtl(tmp_path, features, message=lambda line: None)
        np.testing.assert_array_equal(found.outputs, np.asarray(model.predict(features, verbose=0), np.float64))
        assert found.decisions is None
        assert description["adder_levels_per_cycle"] == 1
        assert found.latency_cycles == description["latency_cycles"] == description["adder_levels"] + 1
        assert [word["name"] for word in description["outputs"]] == ["class 0", "class 1", "class 2"]

    def test_its_own_test_bench_passes_and_can_fail(self, two_classes, tmp_path):
        """Built once by hand as a user would, with the constant as working point; then one expected bit is flipped."""
        network, features, design, _, _, _ = two_classes
        description = write_rtl(design, tmp_path, decision="constant")
        command = _simulators.verilator().build(tmp_path, description, tmp_path / "tb", lambda line: None)
        first = subprocess.run(command, cwd=tmp_path / "tb", capture_output=True, text=True, check=True).stdout
        assert "1017 events, 0 differing, 0 cycles with a wrong valid" in first
        assert "PASS" in first
        expected = tmp_path / "tb/expected.txt"
        lines = expected.read_text().splitlines()
        passed = network.logits(features[:1000])[:, 0] >= design.threshold
        score_bits = description["outputs"][0]["bits"]
        assert [int(line, 16) >> score_bits for line in lines[17:]] == passed.astype(int).tolist()
        lines[40] = f"{int(lines[40], 16) ^ 1:x}"
        expected.write_text("\n".join(lines) + "\n")
        second = subprocess.run(command, cwd=tmp_path / "tb", capture_output=True, text=True, check=True).stdout
        assert "1 differing" in second
        assert "FAIL" in second


@pytest.mark.slow
class TestVhdl:
    def test_computes_the_network(self, two_classes, tmp_path):
        """In GHDL where there is one; the text is checked anyway."""
        network, features, design, _, verilog, _ = two_classes
        description = write_rtl(design, tmp_path, language="vhdl", decision="register")
        assert description["latency_cycles"] == verilog["latency_cycles"]
        assert description["inputs"] == verilog["inputs"]
        text = (tmp_path / "src/nn_a_test.vhd").read_text()
        assert f"in_data : in std_logic_vector({16 * 9 - 1} downto 0)" in text
        assert "signed(words) >= threshold_q" in text
        if shutil.which("ghdl") is None:
            with pytest.raises(InputError, match="VHDL is written but not verified here: install GHDL"):
                simulate_rtl(tmp_path, features, message=lambda line: None)
            return
        found = simulate_rtl(tmp_path, features, message=lambda line: None)
        np.testing.assert_array_equal(found.outputs, network.logits(features))
        np.testing.assert_array_equal(found.decisions, network.logits(features)[:, 0] >= design.threshold)
        assert (found.latency_cycles, found.ii_cycles) == (description["latency_cycles"], 1)


class TestWriting:
    def test_what_is_written_is_described(self, two_classes):
        _, _, design, folder, description, _ = two_classes
        assert json.loads((folder / "rtl.json").read_text()) == description
        files = description["files"]
        for name in [*files["sources"], files["test_bench"], *files["vectors"], files["vivado"], files["ports"]]:
            assert (folder / name).is_file(), name
        assert "GNU LESSER GENERAL PUBLIC LICENSE" in (folder / "src/primitives/LICENSE.da4ml").read_text()
        ports = {port["name"]: port["bits"] for port in description["ports"]}
        score = description["outputs"][0]
        assert ports == {
            **dict.fromkeys(("clk", "rst", "in_valid", "out_valid", "decision"), 1),
            "in_data": 9 * 16,
            "out_data": score["bits"],
            "threshold": score["bits"],
        }
        assert description["decision"]["threshold_lsbs"] * score["lsb"] == design.threshold
        wrapper = (folder / f"src/{description['top']}.v").read_text()
        table = (folder / "ports.md").read_text()
        for word in description["inputs"]:
            assert f"[{word['hi']}:{word['lo']}]" in table
        assert all(f"// {line}".rstrip() in wrapper.splitlines() for line in table.splitlines())

    def test_sums_beyond_float32_are_expected_as_the_integers_have_them(self, tmp_path):
        network = random_network(3, 6, (4,), BitWidths(16, 16))
        features = raw_features(network, 1, 1003)[3:]
        scores = network.logits(features)
        design = make_design(network, features, threshold=float(np.median(scores)))
        assert np.count_nonzero(design.model.predict(features, verbose=0) != scores) > 0  # Keras rounds
        description = write_rtl(design, tmp_path, decision="constant")
        (word,) = description["outputs"]
        lines = [int(line, 16) for line in (tmp_path / "tb/expected.txt").read_text().split()][-1000:]
        steps = [(line & (1 << word["bits"]) - 1) - ((line >> word["bits"] - 1 & 1) << word["bits"]) for line in lines]
        np.testing.assert_array_equal(np.ldexp(steps, -word["fraction_bits"]), scores[:, 0])
        np.testing.assert_array_equal([line >> word["bits"] for line in lines], scores[:, 0] >= design.threshold)

    def test_the_cost_is_near_the_static_estimate(self, two_classes):
        network, _, design, _, description, _ = two_classes
        static = estimate(network, design.mapping, design.target).lut
        assert description["lut"]["stage"] == "adder-graph"
        assert static.low < placed_luts(description["lut"]["value"]) < static.high

    def test_vivado_script(self, two_classes):
        _, _, _, folder, description, _ = two_classes
        script = (folder / "vivado_ooc.tcl").read_text()
        for part in (
            "synth_design -top nn_a_test -part xcvu13p-flga2577-2-e -mode out_of_context",
            "resize_pblock ip -add $region",
            "report_utilization -file",
            "report_timing_summary -file",
        ):
            assert part in script
        clock = "read_xdc -mode out_of_context [file join $here clock.xdc]"
        assert 0 < script.index(clock) < script.index("synth_design")  # so that synthesis works for it
        constraint = (folder / description["files"]["constraints"]).read_text()
        assert constraint == "create_clock -name clk -period 5.000 [get_ports clk]\n"
        assert all(f"[file join $here {name}]" in script for name in description["files"]["sources"])

    @pytest.mark.parametrize(("threshold", "lsbs"), [(0.3, 77), (-1e9, -(2**9)), (-0.001, 0)])
    def test_working_points_off_the_grid_are_rounded_up(self, two_classes, tmp_path, threshold, lsbs):
        _, _, design, _, description, _ = two_classes
        assert (description["outputs"][0]["fraction_bits"], description["outputs"][0]["bits"]) == (8, 10)
        found = write_rtl(dataclasses.replace(design, threshold=threshold), tmp_path, decision="constant")
        assert found["decision"] == {"kind": "constant", "working_point": threshold, "threshold_lsbs": lsbs}

    @pytest.mark.parametrize(
        ("threshold", "message"), [(None, "1 outputs and no working point"), (1e6, "working point 1e.06 is above all")]
    )
    def test_impossible_decisions_are_refused(self, two_classes, tmp_path, threshold, message):
        with pytest.raises(InputError, match=message):
            write_rtl(dataclasses.replace(two_classes[2], threshold=threshold), tmp_path, decision="constant")

    @pytest.mark.parametrize("language", ["verilog", "vhdl"])
    def test_names_of_others_stay_in_their_comments(self, two_classes, tmp_path, language):
        design = dataclasses.replace(
            two_classes[2],
            title="a\nmodule x; \u03c0",
            feature_names=("e|\n1", *two_classes[2].feature_names[1:]),
            feature_units=("\u00b5m",) * 9,
        )
        description = write_rtl(design, tmp_path, language=language)
        assert description["top"] == "nn_a_module_x"
        (source,) = (tmp_path / "src").glob("nn_a_module_x.v*")
        lines = source.read_text(encoding="ascii").splitlines()
        assert all(
            line.startswith(("//", "--")) for line in lines[: len((tmp_path / "ports.md").read_text().splitlines())]
        )
        assert "| e\\| 1 " in (tmp_path / "ports.md").read_text()
        assert "\u00b5m" in (tmp_path / "ports.md").read_text(encoding="utf-8")

    def test_a_network_without_inputs_is_refused(self, tmp_path):
        network = random_network(1, 4, (3,), BitWidths(4, 4))
        for layer in network.layers:
            layer.weights[:] = 0
        with pytest.raises(InputError, match="do not depend on the features"):
            write_rtl(make_design(network, raw_features(network, 1, 10)), tmp_path)


class TestSimulating:
    def test_bad_folders_and_features(self, two_classes, tmp_path):
        _, features, _, folder, _, _ = two_classes
        with pytest.raises(InputError, match=r"no rtl\.json"):
            simulate_rtl(tmp_path, features, message=lambda line: None)
        text = (folder / "rtl.json").read_text()
        for damaged in (text[: len(text) // 2], "{}", "[]"):
            (tmp_path / "rtl.json").write_text(damaged)
            with pytest.raises(InputError, match=r"rtl\.json is damaged \(.*\); export it with --rtl again"):
                simulate_rtl(tmp_path, features, message=lambda line: None)
        with pytest.raises(InputError, match=r"shape \(1500, 8\) do not fit 9 input words"):
            simulate_rtl(folder, features[:, :8], message=lambda line: None)

    def test_a_tool_that_fails_is_one_line(self, two_classes, tmp_path):
        _, features, _, folder, _, _ = two_classes
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        (tmp_path / "src/nn_a_test.v").write_text("module nn_a_test (;\n")
        with pytest.raises(NasFpgaError, match=r"^verilating .* ended with code 1: %Error.*syntax error") as caught:
            simulate_rtl(tmp_path, features, message=lambda line: None)
        assert "\n" not in str(caught.value)

    def test_without_simulators_the_cure_is_named(self, monkeypatch):
        monkeypatch.setattr(_simulators.importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/" + name if name in ("g++", "make") else None)
        with pytest.raises(InputError, match=r"pip install 'nas-fpga\[rtl\]'"):
            _simulators.find_simulator("verilog")
