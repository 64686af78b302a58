"""The export and verify commands: what is typed, what comes out, and what is wrong in one line."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.training import QuantizedNetwork
from tests.cli.conftest import ROOT, Ended, run, write_table
from tests.cli.test_bad_inputs import one_line

Run = Callable[[Sequence[str]], Ended]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of five trials, three of them on the front, and a checkpoint beside it."""
    folder = tmp_path_factory.mktemp("export")
    write_table(folder / "data.csv")
    arguments = ["search", "--data", "data.csv", "--target", "label", "--budget", "12", "--max-layers", "2"]
    ended = run(folder, *arguments, "--trials", "5", "--epochs", "4", "--seed", "1", "--study", "small")
    assert ended.code == 0, ended.err
    shutil.copy(folder / "runs" / "small" / "trials" / "00000" / "network_0.npz", folder / "network.npz")
    return folder


@pytest.fixture
def here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder to work in."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_export_then_verify_of_a_moved_study(here: Path, nas_fpga: Run) -> None:
    (here / "elsewhere").mkdir()
    shutil.move(here / "runs" / "small", here / "elsewhere" / "renamed_no")
    (here / "elsewhere" / "renamed_no").rename(here / "elsewhere" / "small")
    shutil.move(here / "data.csv", here / "elsewhere" / "data.csv")
    study = ["--runs", "elsewhere", "--study", "small", "--data", "elsewhere/data.csv"]
    ended = nas_fpga(["export", *study, "--point", "0.0", "--reuse-factor", "2", "--to", "out/a", "--json"])
    assert ended.code == 0, ended.err
    (project,) = json.loads(ended.out)["projects"]
    network = QuantizedNetwork.load(here / "network.npz")
    assert project["folder"] == "out/a"
    assert project["title"] == "study small, point 0.0"
    assert project["candidate"] == str(network.candidate)
    assert project["mapping"]["strategy"] == "resource"
    assert project["verification"] is None
    factors = [layer["reuse_factor"] for layer in project["hls"]["layers"]]
    assert factors == project["mapping"]["reuse_factors"]
    for (n_in, n_out), factor in zip([(x.n_in, x.n_out) for x in network.layers], factors, strict=True):
        assert n_in % factor == 0 or (factor % n_in == 0 and n_out % (factor // n_in) == 0)
        if factor != 2:
            assert f"reuse factor {factor} for layer" in ended.err
    assert "tensorflow" not in ended.err.lower()
    ended = nas_fpga(["verify", "out"])  # a folder of projects
    assert ended.code == 0, ended.err
    assert ended.out.startswith("out/a: passed: 5,")
    assert "0 differing, largest difference 0; C++ with" in ended.out
    broken = here / "out" / "a" / "hls" / "firmware" / "network.cpp"
    broken.write_text(broken.read_text().replace("nnet::dense<", "nnet::no_such<"))
    ended = nas_fpga(["verify", "out/a"])
    assert ended.code == 1
    assert "error: compiling network.cpp with" in ended.err


def test_all_of_the_front_but_what_is_in_the_way(here: Path, nas_fpga: Run) -> None:
    names = [line.split(",")[0] for line in (here / "runs" / "small" / "front.csv").read_text().splitlines()[1:]]
    (here / "out" / names[0]).mkdir(parents=True)
    (here / "out" / names[0] / "thesis.tex").write_text("precious")
    ended = nas_fpga(["export", "--point", "front", "--rtl", "vhdl", "--to", "out", "--json"])
    projects = json.loads(ended.out)["projects"]
    assert [project["folder"] for project in projects] == [f"out/{name}" for name in names]
    assert ended.code == 1
    assert f"--to out/{names[0]} is not empty" in projects[0]["error"]
    assert f"error: out/{names[0]}: " in ended.err
    assert len(names) > 1
    for name, project in zip(names[1:], projects[1:], strict=True):
        assert project["title"] == f"study small, point {name}"
        assert project["rtl"]["language"] == "vhdl"
        assert project["hls"] is None
        assert (here / "out" / name / "rtl" / "src" / f"{project['rtl']['top']}.vhd").is_file()
    if shutil.which("ghdl") is None:
        one_line(nas_fpga(["verify", f"out/{names[1]}"]), "VHDL is written but not verified here", "install GHDL")


def test_best_is_that_under_the_limits_of_the_line(here: Path, nas_fpga: Run) -> None:
    export = ["export", "--rtl", "verilog", "--force", "--json", "--to"]
    (free,) = json.loads(nas_fpga([*export, "free"]).out)["projects"]
    limit = int(free["figures"]["lut"]["value"]) - 1
    (bound,) = json.loads(nas_fpga([*export, "bound", "--max-luts", str(limit)]).out)["projects"]
    assert bound["title"] != free["title"]
    assert bound["copies"] * bound["figures"]["lut"]["value"] <= limit


def test_figures_are_those_of_the_front(here: Path, nas_fpga: Run) -> None:
    with (here / "runs" / "small" / "front.csv").open(newline="") as file:
        (best,) = (row for row in csv.DictReader(file) if row["best"] == "True")
    assert (best["mapping"], best["lut_from"]) == ("da", "adder-graph")
    export = ["export", "--rtl", "verilog", "--json", "--to"]
    (own,) = json.loads(nas_fpga([*export, "own"]).out)["projects"]
    assert own["title"] == f"study small, point {best['point']}"
    assert own["figures"]["lut"]["value"] == float(best["lut"])
    assert own["figures"]["lut"]["original"] == [own["figures"]["rtl_lut"]["value"], "adder-graph"]
    assert "da4ml's adder graph of the weights" in (here / "own" / "README.md").read_text()
    (named,) = json.loads(nas_fpga([*export, "named", "--strategy", "distributed-arithmetic"]).out)["projects"]
    assert named["figures"] == own["figures"]


def test_lost_checkpoint_names_the_point(here: Path, nas_fpga: Run) -> None:
    (here / "runs" / "small" / "trials" / "00001" / "network_0.npz").unlink()
    ended = nas_fpga(["export", "--point", "1.0", "--to", "out"])
    one_line(ended, "point 1.0", "cannot be mapped or exported", "network_0.npz is gone", "bring it back")
    assert not (here / "out").exists()
    ended = nas_fpga(["export", "--point", "0.0", "--to", "other"])
    assert ended.code == 0, ended.err
    shutil.rmtree(here / "runs" / "small" / "trials")
    one_line(nas_fpga(["export", "--to", "out"]), "no checkpoint of study 'small' can be read", "network_0.npz is gone")


BAD = [
    ("export", "--to DIR"),
    ("export --to out --point 99.0", "'99.0'", "give best", "the front has"),
    ("export --to out --point 0.99", "'0.99'", "trial 0 has 0.0"),
    ("export --to out --study nope", "'nope'", "--study NAME"),
    ("export --to out --backend libero", "'libero'", "'vitis'"),
    ("export --to out --rtl systemc", "'systemc'", "'verilog'"),
    ("export --to out --strategy fast", "'fast'", "'latency'"),
    ("export --to out --strategy resource", "--reuse-factor N"),
    ("export --to out --strategy latency --reuse-factor 4", "--reuse-factor 4", "leave it out"),
    ("export --to out --reuse-factor 0", "--reuse-factor 0", "at least 1"),
    ("export --to out --decision register", "--decision register", "give --rtl"),
    ("export --to out --max-luts 1", "no trained network fits", "loosen"),
    ("export --to out --bits 8", "--bits is for a model SOURCE", "leave it out"),
    ("export --to data.csv", "--to data.csv is a file", "give a folder"),
    ("export --to .", "--to . is not empty", "--force"),
    ("export network.npz --to out", "--data FILE --target COLUMN"),
    ("export network.npz --to out --study small --data data.csv", "--study is for a study", "leave one out"),
    ("export network.npz --to out --data data.csv --target label --bits 4", "--bits 4", "leave it out"),
    ("export network.npz --to out --data data.csv --target label --input-bits 12", "--input-bits 12", "leave it out"),
    ("export data.csv --to out --data data.csv --target label", "data.csv is neither a .keras", "--study NAME"),
    ("export no.keras --to out --data data.csv --target label", "no.keras is not there", "give a .keras"),
    ("verify", "Missing argument", "verify --help"),
    ("verify runs", "runs is no exported project", "nas-fpga export"),
    ("verify . --proof vhdl", "'vhdl'", "'cpp', 'rtl'"),
]


@pytest.mark.parametrize("typed", BAD, ids=lambda typed: typed[0])
def test_wrong_input_is_one_line(here: Path, nas_fpga: Run, typed: tuple[str, ...]) -> None:
    line, *words = typed
    ended = nas_fpga(line.split())
    if "fits" in " ".join(words):
        assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
        assert all(word in ended.err for word in words), ended.err
        return
    one_line(ended, *words)


@pytest.mark.parametrize("option", ["--bits", "--input-bits"])
def test_a_model_with_quantizers_takes_no_bits(here: Path, nas_fpga: Run, option: str) -> None:
    model = str(ROOT / "hls" / "example" / "model.keras")
    ended = nas_fpga(["export", model, "--data", "data.csv", "--target", "label", "--to", "out", option, "9"])
    one_line(ended, f"{option} 9 is for float models", "has quantizers of its own, leave it out")


def test_float_model_needs_bits_and_keeps_its_merit(here: Path, nas_fpga: Run) -> None:
    import keras

    keras.utils.set_random_seed(3)  # before the weights are drawn
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(6, activation="relu"), keras.layers.Dense(2, activation="softmax")]
    )
    rows = np.loadtxt(here / "data.csv", delimiter=",", skiprows=1)
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")  # far from its start on any seed
    model.fit(rows[:, :3], rows[:, 3], epochs=30, verbose=0, batch_size=16)
    model.save(here / "float.keras")
    data = ["--data", "data.csv", "--target", "label", "--to", "out"]
    one_line(nas_fpga(["export", "float.keras", *data]), "float.keras is a float model", "give --bits 8")
    one_line(nas_fpga(["export", "float.keras", *data, "--bits", "40"]), "--bits 40", "2 to 16")
    ended = nas_fpga(["export", "float.keras", *data, "--bits", "8", "--strategy", "latency", "--json"])
    assert ended.code == 0, ended.err
    (project,) = json.loads(ended.out)["projects"]
    assert project["candidate"] == "6 w8a8"
    assert "with 10-bit inputs" in ended.err
    auc = ended.err.partition("AUC ")[2].split()
    before, after = float(auc[0].rstrip(",")), float(auc[1])
    assert before > 0.8
    assert abs(after - before) < 0.02  # 8 bits cost next to nothing
    network = QuantizedNetwork.load(here / "out" / "network.npz")
    assert network.input_format.bits.max() == 10
    kernel, bias = (np.asarray(v, np.float64) for v in (model.layers[-1].kernel, model.layers[-1].bias))
    hidden = np.maximum(rows[:, :3] @ np.asarray(model.layers[0].kernel) + np.asarray(model.layers[0].bias), 0)
    expected = hidden @ (kernel[:, 1] - kernel[:, 0]) + bias[1] - bias[0]
    got = network.logits(rows[:, :3].astype(np.float32))[:, 0]
    assert np.corrcoef(expected, got)[0, 1] > 0.999


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (lambda k: [k.Dense(4, activation="tanh"), k.Dense(1)], ("activation 'tanh' of layer dense", "relu")),
        (
            lambda k: [k.Dense(4, activation="relu"), k.LayerNormalization(), k.Dense(1)],
            ("LayerNormalization", "Dense"),
        ),
        (lambda k: [k.Dense(1)], ("1 dense layers", "hidden layer")),
        (lambda k: [k.Dense(4, activation="relu"), k.Dense(7)], ("outputs of shape (7,)", "needs 1 for 2 classes")),
    ],
)
def test_layers_that_are_not_supported_are_named(
    here: Path, nas_fpga: Run, layers: Callable[[object], list[object]], words: tuple[str, ...]
) -> None:
    import keras

    keras.Sequential([keras.Input((3,)), *layers(keras.layers)]).save(here / "m.keras")
    ended = nas_fpga(["export", "m.keras", "--data", "data.csv", "--target", "label", "--bits", "6", "--to", "out"])
    one_line(ended, *words)
