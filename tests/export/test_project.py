"""Projects are written, say what hls4ml decided, and are proven by running what lies in their folders."""

import errno
import json
import os
import re
import shutil
import stat
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nas_fpga._process import ToolFailedError
from nas_fpga.errors import InputError, NasFpgaError
from nas_fpga.export import _verify, export, read_record, verify
from nas_fpga.export._cpp import find_compiler
from nas_fpga.export._events import VerificationEvents, verification_events
from nas_fpga.hardware import Mapping, estimate, make_target
from nas_fpga.space import BitWidths
from tests.export.designs import equal, make_design, silent, uniform
from tests.export.networks import learned_network, random_network, raw_features

# Most networks here have its shapes: Keras on JAX compiles every operation for every shape, a second or two each time.
SMALL = random_network(6, 4, (5,), BitWidths(3, 5))

CASES = {
    "resource": ("vitis", uniform(random_network(4, 6, (8, 4), BitWidths(4, 6), 3)), "resource", (3, 8, 2)),
    "latency": ("vivado", random_network(22, 5, (6, 3, 5), BitWidths(6, 5)), "latency", (1, 1, 1, 1)),
    "da": ("vitis", SMALL, "distributed_arithmetic", (1, 1)),
    "equal-resource": ("vivado", equal(SMALL, False), "resource", (4, 5)),
    "equal-latency": ("vitis", equal(SMALL, True), "latency", (1, 1)),
    "equal-da": ("vivado", equal(SMALL, True), "distributed_arithmetic", (1, 1)),
    "one-latency": ("vitis", random_network(3, 1, (5,), BitWidths(8, 8), 3), "latency", (1, 1)),
    "one-resource": ("vivado", random_network(4, 1, (5,), BitWidths(8, 8), 3), "resource", (1, 5)),
    "learned-latency": ("vitis", learned_network(1, 9, (12, 7, 5), 3), "latency", (1, 1, 1, 1)),
    "learned-da": ("vitis", learned_network(2, 5, (10,)), "distributed_arithmetic", (1, 1)),
}


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Each case as a project, written once."""
    folder = tmp_path_factory.mktemp("projects")
    for name, (backend, network, strategy, factors) in CASES.items():
        export(make_design(network, Mapping(strategy, factors)), folder / name, backend=backend, message=silent)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_no_output_differs(projects, name):
    backend, network, strategy, factors = CASES[name]
    found = verify(projects / name, proof="cpp", message=silent)
    record = read_record(projects / name)
    assert found.passed
    assert (found.differing, found.integers_differing, found.largest_difference) == (0, 0, 0.0)
    assert found.events >= 5000
    assert found.real_events == 997
    assert found.outputs == found.events * network.layers[-1].n_out
    assert not found.float32_rounds
    assert record["verification"]["passed"]
    assert record["verification"]["changed_since_export"] == []
    assert 60 < found.distinct_outputs <= found.events
    assert record["hls"]["backend"] == backend
    readme = (projects / name / "README.md").read_text()
    assert ", passed: the C++ of `hls/`" in readme
    layers = record["hls"]["layers"]
    assert [layer["strategy"] for layer in layers] == [strategy] * len(factors)
    assert [layer["reuse_factor"] for layer in layers] == list(factors)
    assert record["hls"]["clock_uncertainty"] == {"vitis": "27%", "vivado": "12.5%"}[backend]
    assert (record["rtl"] is not None) == (strategy == "distributed_arithmetic")
    if strategy != "distributed_arithmetic":
        widths = [int(re.match(r"fixed<(\d+),", layer["types"]["weight"])[1]) for layer in layers]
        if isinstance(network.candidate.bits, BitWidths):
            assert max(widths) <= network.candidate.bits.weights  # the features' scales do not widen them
    assert not list((projects / name).rglob("*.so"))
    assert not list((projects / name / "hls").rglob("*.txt"))  # weights are those of the headers, which are synthesised


@pytest.mark.slow
def test_one_flipped_weight_bit_in_the_project_shows(projects, tmp_path):
    folder = tmp_path / "flipped"
    shutil.copytree(projects / "resource", folder)
    header = folder / "hls" / "firmware" / "weights" / "w9.h"  # of the output layer, (n_out, n_in) under resource
    text = header.read_text()
    width, integer = map(
        int, re.search(r"<(\d+),(\d+)", read_record(folder)["hls"]["layers"][-1]["types"]["weight"]).groups()
    )
    values = re.search(r"= \{(.*?)\};", text, re.DOTALL)[1].split(", ")
    steps = round(float(values[0]) * 2 ** (width - integer))
    values[0] = repr((steps ^ 1) / 2 ** (width - integer))
    header.write_text(re.sub(r"= \{.*?\};", f"= {{{', '.join(values)}}};", text, flags=re.DOTALL))
    assert header.read_text() != text
    found = verify(folder, message=silent)
    assert not found.passed
    assert 0 < found.differing <= found.outputs
    assert found.differing == found.integers_differing
    assert found.largest_difference > 0
    record = read_record(folder)
    assert record["verification"]["changed_since_export"] == ["hls/firmware/weights/w9.h"]
    assert not record["verification"]["passed"]
    readme = (folder / "README.md").read_text()
    assert "FAILED" in readme
    assert "Not as exported: `hls/firmware/weights/w9.h`." in readme


def test_a_crash_is_an_error_and_not_ours(projects, tmp_path):
    folder = tmp_path / "crash"
    shutil.copytree(projects / "latency", folder)
    (folder / "hls" / "firmware" / "network.cpp").write_text("")
    (folder / "hls" / "network_bridge.cpp").write_text(
        'extern "C" void network_double(double *in, double *out) { *(volatile int *)8 = 1; }'
    )
    with pytest.raises(ToolFailedError, match=r"running [\d,]+ events in .* was killed by signal 11"):
        verify(folder, message=silent)


def test_no_compiler_says_what_to_install(projects, monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        InputError, match=r"no C\+\+ compiler found; install g\+\+ \(Debian: apt install g\+\+\) or set CXX"
    ):
        verify(projects / "latency", message=silent)
    monkeypatch.setenv("CXX", "no-such-compiler -m64")
    with pytest.raises(InputError, match="CXX=no-such-compiler -m64 is not a command"):
        find_compiler()
    monkeypatch.setenv("CXX", "g++ '")
    with pytest.raises(InputError, match=r"CXX=g\+\+ ' cannot be read"):
        find_compiler()


ZEROS = 'extern "C" void network_double(double *in, double *out) { out[0] = 0; }'


@pytest.fixture
def quick(projects, tmp_path):
    """A project whose C++ is another: it compiles in no time and always gives zero."""
    folder = tmp_path / "a 'quick\" one"
    shutil.copytree(projects / "latency", folder)
    (folder / "hls" / "firmware" / "network.cpp").write_text("")
    (folder / "hls" / "network_bridge.cpp").write_text(ZEROS)
    return folder


def test_code_that_does_not_compile_is_one_line(quick):
    (quick / "hls" / "firmware" / "network.cpp").write_text("int main( {")
    with pytest.raises(
        ToolFailedError, match=r"compiling network.cpp with .* ended with code 1: .* error: .*"
    ) as error:
        verify(quick, message=silent)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1


def test_what_lies_in_the_folder_is_what_is_run(quick, monkeypatch):
    (quick / "hls" / "network_prj").mkdir()  # what the vendor's tools add is no change
    (quick / "hls" / "network_prj" / "log").write_text("done")
    (quick / "hls" / "build_opt.tcl").write_text("array set opt {}")
    said = []
    found = verify(quick, message=said.append)
    network = CASES["latency"][1]
    expected = network.logits(verification_events(raw_features(network, 3, 1000)[3:], network.input_format).features)
    assert found.differing == np.count_nonzero(expected)
    assert found.largest_difference == np.abs(expected).max()
    assert found.distinct_outputs == len(np.unique(expected))
    changed = ["hls/firmware/network.cpp", "hls/network_bridge.cpp"]
    assert read_record(quick)["verification"]["changed_since_export"] == changed
    assert said == [f"{quick}: hls/firmware/network.cpp and 1 more not as exported"]
    (quick / "hls" / "network_bridge.cpp").write_text("int main( {")
    with pytest.raises(ToolFailedError):
        verify(quick, message=silent)
    assert read_record(quick)["verification"] is None  # what was found of other files holds no more
    (quick / "hls" / "network_bridge.cpp").write_text(ZEROS)

    def refuse(folder, record):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(_verify, "write_record", refuse)
    assert verify(quick, message=said.append) is not None
    assert said[-1] == f"{quick}: the outcome is not recorded there (Read-only file system)"


def test_proofs_that_prove_nothing_are_refused(quick):
    events = VerificationEvents.load(quick / "events.npz")
    few = replace(events, features=events.features[:10], n_real=10, n_drawn=0)
    few.save(quick / "events.npz")
    with pytest.raises(InputError, match="has 10 events, 10 of them real; a proof needs at least 5,000"):
        verify(quick, message=silent)
    replace(events, features=np.ascontiguousarray(events.features[:, 1:])).save(quick / "events.npz")
    with pytest.raises(InputError, match=r"model.keras maps \(5,\) to \(1,\), the project \(4,\) to"):
        verify(quick, message=silent)
    (quick / "events.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"events\.npz cannot be read"):
        verify(quick, message=silent)
    events.save(quick / "events.npz")
    (quick / "network.npz").unlink()
    with pytest.raises(NasFpgaError, match=r"network\.npz is gone"):
        verify(quick, message=silent)


def test_rtl_proves_what_would_compile_for_long(projects, monkeypatch):
    folder = projects / "da"
    record, said = read_record(folder), []
    assert _verify._proof(folder, record, None, said.append) == "cpp"
    assert said == []
    monkeypatch.setattr(_verify, "MOST_ADDERS", record["hls"]["adders"] - 1)
    assert _verify._proof(folder, record, None, said.append) == "rtl"
    assert "adders would compile for about" in said[0]
    assert _verify._proof(folder, record, "cpp", said.append) == "cpp"
    assert _verify._proof(projects / "latency", read_record(projects / "latency"), None, said.append) == "cpp"


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("one-")])
def test_raw_features_go_onto_the_port(projects, name):
    """Cut to the port's grid and held in its range, 16 times that of the features, they give what the network gives."""
    network = CASES[name][1]
    form, d = network.input_format, len(network.input_format.signed)
    code = (projects / name / "hls" / "firmware" / "defines.h").read_text()
    width, integer = map(int, re.search(r"ap_fixed<(\d+),(\d+),AP_TRN,AP_SAT,0> features_t", code).groups())
    assert width - integer == form.fraction_bits[form.used].max() + 1
    assert integer >= (form.bits - form.fraction_bits)[form.used].max() + 4
    readme = (projects / name / "README.md").read_text()
    low, high = -(2 ** (width - 1)), 2 ** (width - 1) - 1
    assert f"one port of {d * width} bits, the first feature lowest" in readme
    assert f"floor(x * 2^{width - integer}), held between {low} and {high}" in readme
    assert "Rounding and saturation to the formats below are inside." in readme
    events = VerificationEvents.load(projects / name / "events.npz").features.astype(np.float64)
    sent = np.clip(np.floor(events * 2.0 ** (width - integer)), low, high) / 2.0 ** (width - integer)
    assert np.array_equal(network.logits(sent), network.logits(events))
    written = "".join(file.read_text() for file in (projects / name / "hls" / "firmware").rglob("*.[ch]*"))
    formats = re.findall(r"ap_u?fixed<(\d+), -?\d+, AP_RND, AP_SAT> (?:value|model_inp_q)", written)
    assert Counter(form.bits[form.used].tolist()) <= Counter(map(int, formats))


@pytest.mark.parametrize("name", ["one-latency", "one-resource"])
def test_the_port_of_one_feature_has_its_format(projects, name):
    form = CASES[name][1].input_format
    code = (projects / name / "hls" / "firmware" / "defines.h").read_text()
    (bits, integer) = map(int, re.search(r"ap_u?fixed<(\d+),(-?\d+),AP_RND,AP_SAT,0> features_t", code).groups())
    assert [bits, bits - integer] == [form.bits[0], form.fraction_bits[0]]
    readme = (projects / name / "README.md").read_text()
    assert "Rounding and saturation to the formats below are inside." not in readme
    assert "x * 2^" in readme


def test_readme_says_what_the_answers_are(projects):
    readme = (projects / "resource" / "README.md").read_text()
    assert "One logit for each of a, b, c: the largest is the answer." in readme
    rtl = read_record(projects / "da")["rtl"]
    assert (
        f"answers {rtl['latency_cycles']} cycles ({rtl['latency_ns']:g} ns) later"
        in (projects / "da" / "README.md").read_text()
    )


def test_design_json_holds_every_figure(projects):
    _, network, strategy, factors = CASES["resource"]
    record = json.loads((projects / "resource" / "design.json").read_text())
    figures = estimate(network, Mapping(strategy, factors), make_target(clock_ns=4.0))
    assert record["candidate"] == "8-4 w4a6"
    assert record["mapping"] == {"strategy": strategy, "reuse_factors": list(factors), "name": "resource rf 3/8/2"}
    assert (record["part"], record["clock_ns"]) == ("xcvu13p-flga2577-2-e", 4.0)
    for name in ("lut", "ff", "dsp", "bram18", "latency_cycles", "latency_ns", "ii_cycles", "ebops"):
        figure = getattr(figures, name)
        kept = record["figures"][name]
        assert (kept["value"], kept["low"], kept["high"]) == (figure.value, figure.low, figure.high)
        assert (kept["unit"], kept["stage"], kept["source"]) == (figure.unit, figure.stage, figure.source)
        assert kept["original"] == (None if figure.original is None else list(figure.original))
    assert record["copies"] == figures.copies
    assert record["merits"] == {"test_error_rate": 0.25}
    assert [f["name"] for f in record["features"]] == [f"x{i}" for i in range(6)]
    assert [f["fraction_bits"] for f in record["features"]] == network.input_format.fraction_bits.tolist()
    assert set(record["versions"]) == {"nas-fpga", "keras", "HGQ2", "hls4ml", "da4ml", "numpy"}
    readme = (projects / "resource" / "README.md").read_text()
    for words in ("place-and-route", "at csynth", "90 % interval", "x5 | MeV", "no port to reload"):
        assert words in readme


def test_test_bench_vectors_are_events_and_outputs_of_keras(projects):
    _, network, _, _ = CASES["latency"]
    bench = projects / "latency" / "hls" / "tb_data"
    given = np.loadtxt(bench / "tb_input_features.dat").astype(np.float32)
    expected = np.loadtxt(bench / "tb_output_predictions.dat", ndmin=2)
    assert np.array_equal(given, raw_features(network, 3, 1000)[3:203])
    assert np.array_equal(expected.reshape(200, -1), network.logits(given))


@pytest.mark.parametrize(("name", "tool"), [("resource", "vitis_hls"), ("latency", "vivado_hls")])
def test_build_script_says_what_is_missing_and_runs_what_is_there(projects, tmp_path, name, tool):
    import subprocess

    folder = tmp_path / "copy"
    shutil.copytree(projects / name, folder)
    script = folder / "hls" / "build.sh"
    assert script.stat().st_mode & stat.S_IXUSR
    environment = os.environ | {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    ended = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert f"error: {tool} is not on PATH; source the settings64.sh of" in ended.stderr
    wrong = subprocess.run([script, "place"], env=environment, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "step 'place' is none of csynth, csim, cosim, vsynth, impl" in wrong.stderr
    fake = tmp_path / tool
    fake.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/called\n')
    fake.chmod(0o755)
    subprocess.run([script], env=environment, check=True)
    assert "build_prj.tcl" in (tmp_path / "called").read_text()
    script = (folder / "hls" / "implement.tcl").read_text()
    assert 0 < script.index("read_xdc -mode out_of_context ../../../../clock.xdc") < script.index("synth_design -mode")
    clock = (folder / "hls" / "clock.xdc").read_text()
    assert clock == "create_clock -name ap_clk -period 4.000 [get_ports ap_clk]\n"


def test_only_projects_of_ours_are_replaced(projects, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    design = make_design(CASES["da"][1], Mapping("latency", (1, 1)))
    with pytest.raises(InputError, match="is not empty and no project of nas-fpga; give another, or --force"):
        export(design, tmp_path, message=silent)
    with pytest.raises(InputError, match="is a file; give a folder"):
        export(design, tmp_path / "thesis.tex", message=silent)
    folder = tmp_path / "ours"
    shutil.copytree(projects / "da", folder)
    (folder / "notes").write_text("mine")
    export(design, folder, message=silent)
    assert (folder / "notes").read_text() == "mine"
    assert not (folder / "rtl").exists()  # that of the old design
    assert read_record(folder)["mapping"]["strategy"] == "latency"
    export(design, tmp_path, force=True, message=silent)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_folders_that_are_no_projects(tmp_path):
    with pytest.raises(InputError, match=r"is no exported project: it has no design.json"):
        verify(tmp_path, message=silent)
    (tmp_path / "design.json").write_text("{")
    with pytest.raises(InputError, match=r"design.json cannot be read .*; export the project again"):
        verify(tmp_path, message=silent)
    (tmp_path / "design.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="has format 99, this version reads 2"):
        verify(tmp_path, message=silent)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ((), "files_sha256"),
        ((), "mapping"),
        ((), "verification"),
        (("hls",), "verifiable"),
        (("rtl", "decision"), "kind"),
        (("features", 0), "unit"),
        (("figures", "lut"), "stage"),
    ],
)
def test_a_damaged_record_is_one_line(projects, tmp_path, place, key):
    record = json.loads((projects / "da" / "design.json").read_text())
    inner = record
    for name in place:
        inner = inner[name]
    del inner[key]
    (tmp_path / "design.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=rf"design.json lacks '{key}'; export the project again$"):
        verify(tmp_path, message=silent)


def test_a_record_of_other_kinds_is_one_line(tmp_path):
    (tmp_path / "design.json").write_text("[1]")
    with pytest.raises(InputError, match=r"design\.json cannot be read"):
        verify(tmp_path, message=silent)


@pytest.mark.slow
def test_rtl_of_learned_bits_is_simulated(projects, tmp_path):
    network = CASES["learned-latency"][1]
    export(make_design(network, Mapping("distributed_arithmetic", (1,) * 4)), tmp_path, rtl="verilog", message=silent)
    found = verify(tmp_path, message=silent)
    assert (found.passed, found.differing, found.integers_differing) == (True, 0, 0)
    assert found.outputs > 5000
    ports = (tmp_path / "rtl" / "ports.md").read_text()
    assert len(re.findall(r"not seen by the model", ports)) == np.count_nonzero(~network.input_format.used)


def test_readme_says_what_training_pruned(projects):
    name, network = "learned-da", CASES["learned-da"][1]
    assert (network.candidate.topology, network.topology) == ((10,), (5,))
    record, readme = read_record(projects / name), (projects / name / "README.md").read_text()
    assert record["candidate"] == "10 to 5 learned"
    assert record["pruned"] == {"neurons": 5, "of_neurons": 10, "features": ["x1"]}
    assert "Training pruned 5 of its 10 neurons. Features on the port that are not read: `x1`." in readme
    assert "| x1 | MeV | not read |" in readme
    assert f"| x0 | MeV | {network.input_format.bits[0]} bits, " in readme
    assert read_record(projects / "da")["pruned"] is None
    assert "pruned" not in (projects / "da" / "README.md").read_text()


@pytest.mark.slow
def test_rtl_is_simulated_with_its_latency(tmp_path):
    said = []
    network = random_network(8, 4, (5,), BitWidths(3, 4))
    design = replace(make_design(network, Mapping("resource", (2, 5))), threshold=0.5)
    export(design, tmp_path, rtl="verilog", decision="constant", message=said.append)
    record = read_record(tmp_path)
    assert record["hls"] is None
    assert record["mapping"]["strategy"] == "distributed_arithmetic"
    assert "RTL is an adder graph: mapping da in place of resource rf 2/5" in said[0]
    rtl, figures = record["rtl"], record["figures"]
    for name in ("lut", "ff", "latency_cycles", "latency_ns", "ii_cycles"):
        figure = figures[f"rtl_{name}"]
        value = rtl[name]["value"] if name in ("lut", "ff") else rtl[name]
        assert (figure["value"], figure["low"], figure["high"], figure["stage"]) == (value, value, value, "adder-graph")
    predicted = estimate(network, Mapping("distributed_arithmetic", (1, 1)), design.target)
    assert figures["latency_cycles"]["value"] == predicted.latency_cycles.value
    readme = (tmp_path / "README.md").read_text()
    assert f"| rtl_latency_cycles | {rtl['latency_cycles']} cycles |" in readme  # with the register of the decision
    assert "decision included" in readme
    found = verify(tmp_path, message=silent)
    assert found.passed
    assert found.proof == "rtl"
    assert found.latency_cycles == found.stated_latency_cycles == record["rtl"]["latency_cycles"]
    assert found.outputs == 2 * found.events  # logit and decision
    with pytest.raises(InputError, match="has no hls/; leave --proof out"):
        verify(tmp_path, proof="cpp", message=silent)
    assert not replace(found, latency_cycles=found.latency_cycles + 1).passed


def test_decision_needs_rtl(tmp_path):
    design = make_design(CASES["da"][1], Mapping("latency", (1, 1)))
    with pytest.raises(NasFpgaError, match="--decision constant is a port of the RTL; give --rtl"):
        export(design, tmp_path, decision="constant", message=silent)
