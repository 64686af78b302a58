"""Searches and studies from Python: the same as from the command line, and shown as people look at them."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

import nas_fpga
import nas_fpga.hardware
from nas_fpga.cli.front import front
from nas_fpga.cli.search import search as search_command
from nas_fpga.errors import InputError, MissingExtraError, SearchFailedError, StudyError
from nas_fpga.study import HardwareOptions, SearchDefinition, SearchOptions, StudyStorage
from nas_fpga.study._options import DEFAULT_TRIALS, apply_options, with_implied
from tests.cli.conftest import environment, run, write_table

TINY: dict[str, Any] = {"target": "label", "budget": 30, "epochs": 2, "seed": 1, "trials": 5}
TINY_LINE = [
    "--data",
    "data.csv",
    "--target",
    "label",
    "--budget",
    "30",
    "--epochs",
    "2",
    "--seed",
    "1",
    "--trials",
    "5",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api")
    write_table(folder / "data.csv")
    return folder


SCRIPT = """
import nas_fpga
study = nas_fpga.search("data.csv", target="label", budget=30, epochs=2, seed=1, trials=5, workers=2, name="script")
print(repr(study))
"""


@pytest.fixture(scope="module")
def scripted(folder: Path) -> subprocess.CompletedProcess[str]:
    """A study that a plain script searched, without a guard of its main part."""
    (folder / "script.py").write_text(SCRIPT)
    return subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def study(folder: Path, scripted: object, monkeypatch: pytest.MonkeyPatch) -> nas_fpga.Study:
    monkeypatch.chdir(folder)
    return nas_fpga.open_study("runs/script")


# -- options -----------------------------------------------------------------------------------------------------------


def test_the_keywords_are_the_options_of_the_command_line() -> None:
    ours = {"ctx", "json", "debug", "verbose", "prove", "beside", "fill"}  # of the command line alone
    run_keywords = set(inspect.signature(nas_fpga.search).parameters) - {"options"}
    known = run_keywords | set(SearchOptions.__annotations__)
    assert set(inspect.signature(search_command).parameters) - ours == known - {"name", "progress"} | {"study"}
    limits = set(inspect.signature(front).parameters) - ours - {"study", "data", "csv", "runs", "storage"}
    assert limits == set(HardwareOptions.__annotations__)
    assert set(get_type_hints(HardwareOptions)) < set(get_type_hints(SearchOptions))


def test_options_are_documented_with_the_defaults_of_the_command_line() -> None:
    text = inspect.getdoc(SearchOptions) or ""
    said = dict(re.findall(r"^    (\w+): ((?:.|\n        )+)", text, re.MULTILINE))
    assert set(said) == set(get_type_hints(SearchOptions))
    defaults = {name: found[1] for name in said if (found := re.search(r"Default: (\S+)\.$", said[name]))}
    assert defaults.pop("trials") == str(DEFAULT_TRIALS)
    options = inspect.signature(search_command).parameters
    there = {name: options[name].default for name in said if options[name].default is not None}
    assert defaults == {name: str(getattr(value, "value", value)) for name, value in there.items()}


def test_values_of_python_make_the_same_definition_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND")
    text = {"budget": 50, "bits": "2:6", "include": "8-8, 9", "max_luts": 2000.0, "data": "hgcal", "tables": "t"}
    ours = {
        "budget": np.int64(50),
        "bits": (2, 6),
        "include": ["8-8", "9"],
        "max_luts": 2000,
        "data": "hgcal",
        "tables": Path("t"),
    }
    made = apply_options(SearchDefinition(), ours)
    assert made == apply_options(SearchDefinition(), text)
    assert type(made.budget) is int
    assert type(made.hardware.max_luts) is float
    assert apply_options(SearchDefinition(), {"bits": 6}) == apply_options(SearchDefinition(), {"bits": "6"})
    assert apply_options(SearchDefinition(), {"budget": 4}).max_layers == 4
    assert apply_options(made, {}) == made


def test_what_quick_and_the_environment_imply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert with_implied({"quick": True, "epochs": 3}) == {
        "trials": 24,
        "epochs": 3,
        "patience": 4,
        "backend": "tensorflow",
    }
    assert with_implied({"backend": "jax"}) == {"backend": "jax"}
    assert with_implied({"quick": True, "trials": 3}, resume=True) == {"trials": 3}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": "20"}, ["budget '20'", "integer"]),
        ({"budget": 20.5}, ["budget 20.5", "integer"]),
        ({"seed": True}, ["seed True", "integer"]),
        ({"learning_rate": "fast"}, ["learning_rate 'fast'", "number"]),
        ({"sampler": 3}, ["sampler 3", "text"]),
        ({"bits": (2, 4, 6)}, ["bits (2, 4, 6)", "2:8"]),
        ({"include": [16, 8]}, ["include [16, 8]", "64-32-32"]),
        ({"quick": "yes"}, ["quick 'yes'", "True"]),
        ({"trials": 0}, ["trials 0", "at least 1"]),
        ({"trials": "3"}, ["trials '3'", "integer"]),
        ({"trials": 2.5}, ["trials 2.5", "integer"]),
        ({"max_layers": 99}, ["max_layers 99", "at most 64"]),
        ({"part": "virtex"}, ["'virtex'", "did you mean"]),
        ({"workers": 0}, ["workers 0", "at least 1"]),
    ],
)
def test_values_that_cannot_be_used(folder: Path, monkeypatch, options: dict[str, Any], words: list[str]) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(InputError) as raised:
        nas_fpga.search("data.csv", **{"target": "label", "progress": False} | options)
    text = str(raised.value)
    assert "\n" not in text
    assert "--" not in text  # options are said as keywords
    assert all(word in text for word in words), text
    assert not (folder / "runs" / "data-2000-1").exists()


def test_unknown_keywords_are_named_with_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"search\(\) has no keyword 'bugdet'; did you mean 'budget'\?"):
        nas_fpga.search(bugdet=20)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no keyword 'study'"):
        nas_fpga.search(study="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"workers=1\.5 must be an integer"):
        nas_fpga.search(workers=1.5)  # type: ignore[arg-type]


# -- search ------------------------------------------------------------------------------------------------------------


def test_a_script_without_guard_searches_once(scripted: subprocess.CompletedProcess[str]) -> None:
    assert scripted.returncode == 0, scripted.stderr
    (line,) = scripted.stdout.splitlines()
    assert re.fullmatch(r"<Study script: 5 trials, \d points on the front, best \d\.\d \([\d-]+ w\da\d\)>", line)
    assert "5/5 trials" in scripted.stderr


def test_the_command_line_finds_the_same_front(folder: Path, scripted: object) -> None:
    ended = run(folder, "search", *TINY_LINE, "--workers", "1", "--study", "typed")
    assert ended.code == 0, ended.err
    typed, ours = folder / "runs" / "typed", folder / "runs" / "script"
    assert (typed / "front.csv").read_bytes() == (ours / "front.csv").read_bytes()
    with StudyStorage(typed) as a, StudyStorage(ours) as b:
        assert a.open(write=False) == b.open(write=False)


def test_resume_continues_or_starts(folder: Path, study: nas_fpga.Study, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StudyError, match=r"continue it with resume=True or give another name='NAME'"):
        nas_fpga.search("data.csv", **TINY, name="script", progress=False)
    again = nas_fpga.search("data.csv", **TINY, name="script", resume=True, progress=False)  # nothing is left to train
    assert again.front.csv() == study.front.csv()
    with pytest.raises(StudyError, match=r"was started with budget 30 \(now 31\)"):
        nas_fpga.search(name="script", resume=True, budget=31, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_study_is_called_like_its_folder_from_within(
    folder: Path, study: nas_fpga.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where, here in ((study.folder, "."), (study.folder / "trials", "..")):
        monkeypatch.chdir(folder / where)
        assert nas_fpga.open_study(here, data=folder / "data.csv").name == study.name


def test_rows_from_memory_are_kept_with_the_study(folder: Path, study: nas_fpga.Study, tmp_path: Path) -> None:
    dataset = study.outcome.setup.dataset
    kept = replace(dataset, bins={"some": dataset.features[:, 0] > 1}, spectators={"a": dataset.features[:, 0]})
    options = {name: value for name, value in TINY.items() if name != "target"}
    first = nas_fpga.search(kept, **options | {"trials": 2}, name="memory", runs=tmp_path, progress=False, workers=1)
    assert "<h1>" in (tmp_path / "memory" / "report.html").read_text()
    assert (tmp_path / "memory" / "dataset.npz").exists()
    shutil.move(tmp_path / "memory", tmp_path / "moved")
    opened = nas_fpga.open_study(tmp_path / "moved")
    assert opened.front.csv() == first.front.csv()
    saved = opened.outcome.setup.dataset
    assert saved.fingerprint() == kept.fingerprint()
    assert saved.feature_names == ("a", "b", "c")
    assert (saved.bins["some"] == kept.bins["some"]).all()
    assert (saved.spectators["a"] == kept.spectators["a"]).all()
    more = nas_fpga.search(name="moved", runs=tmp_path, resume=True, trials=5, progress=False)
    assert [(t.candidate, t.seed, [point.mapped for point in t.outcome.points]) for t in more.trials] == [
        (t.candidate, t.seed, [point.mapped for point in t.outcome.points]) for t in study.trials
    ]
    (tmp_path / "moved" / "dataset.npz").unlink()
    with pytest.raises(InputError, match=r"dataset\.npz is gone"):
        nas_fpga.open_study(tmp_path / "moved")


def test_frames_and_arrays_are_read_like_files(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(folder / "data.csv")
    read = nas_fpga.read_dataset(folder / "data.csv", "label")
    from_frame = nas_fpga.read_dataset(frame, "label")
    assert from_frame.fingerprint() == read.fingerprint()
    arrays = {"x": frame[["a", "b", "c"]].to_numpy(), "y": np.where(frame["label"] == 1, "signal", "background")}
    from_arrays = nas_fpga.read_dataset(arrays, "y", signal="signal")
    assert from_arrays.feature_names == ("x_0", "x_1", "x_2")
    assert from_arrays.class_names == ("background", "signal")
    np.testing.assert_array_equal(from_arrays.features, read.features)


def test_data_in_memory_that_cannot_be_used(folder: Path) -> None:
    x, y = np.zeros((60, 2)), np.arange(60) % 2
    for data, target, words in [
        ((x, y), "y", r"data is a tuple; .*arrays by name"),
        ({"x": x, "y": y}, None, "needs target='COLUMN'"),
        ({"x": x, "y": y[:5]}, "y", "different lengths"),
        ({"x": x, "y": y}, "z", "target 'z' is not a column"),
        ({"x": x, "y": y}, "y", "no feature varies"),
    ]:
        with pytest.raises(InputError, match=words):
            nas_fpga.search(data, **({} if target is None else {"target": target}), progress=False)  # type: ignore[arg-type]


def test_what_rows_in_memory_have_already_is_refused(folder: Path) -> None:
    dataset = nas_fpga.read_dataset(folder / "data.csv", "label")
    table = {"x": dataset.features, "y": dataset.labels}
    for data, given in [
        *((dataset, {name: "0"}) for name in ("target", "group", "weight", "signal")),
        *((data, {"pileup": 0}) for data in (dataset, table)),
        *((data, {"features": "ce-e"}) for data in (dataset, table)),
        (table, {"tables": "folder"}),
    ]:
        (name,) = given
        with pytest.raises(InputError, match=rf"^{name}=.* is not for a .*, which has its own; leave it out$"):
            nas_fpga.search(data, **given, progress=False)  # type: ignore[arg-type]


def test_whole_numbers_are_names_like_their_text() -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    rows = np.column_stack([np.arange(60) // 2, rng.normal(size=(60, 2)), rng.random(60), np.arange(60) % 2])
    as_text = nas_fpga.read_dataset(pandas.DataFrame(rows), "4", group="0", weight="3", signal="0")
    for zero in (0, 0.0, np.int64(0)):
        read = nas_fpga.read_dataset(pandas.DataFrame(rows), 4, group=0, weight=3, signal=zero)
        assert read.fingerprint() == as_text.fingerprint()
        assert read.class_names == ("1", "0")
        assert read.feature_names == ("1", "2")
    with pytest.raises(InputError, match=r"^target '5' is not a column of table; columns: 0, 1, 2, 3, 4$"):
        nas_fpga.search(pandas.DataFrame(rows), target=5, progress=False)


def test_interrupted_search_says_how_to_go_on(folder: Path) -> None:
    script = (
        SCRIPT.replace("trials=5", "trials=200")
        .replace("script", "stopped")
        .replace('"stopped")', '"stopped", runs="r")')
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    )
    database = folder / "r" / "stopped" / "study.db"
    end = time.monotonic() + 120
    while not database.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(2)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    last = err.strip().splitlines()[-1]
    assert "SearchInterruptedError: stopped" in last
    assert "nas_fpga.search(name='stopped', resume=True, runs='r')" in last


# -- studies and points ------------------------------------------------------------------------------------------------


def test_front_is_a_sequence_of_points(study: nas_fpga.Study) -> None:
    rows = study.outcome.front
    assert [point.name for point in study.front] == [row.point.name for row in rows]
    assert len(study.front) == len(rows)
    assert study.best is study[study.outcome.best.point.name]
    assert study.best in study.front
    assert study.front.csv() == (study.folder / "front.csv").read_text()
    frame = study.front.to_pandas()
    assert list(frame.index) == [point.name for point in study.front]
    assert frame.loc[study.best.name, "test_background_efficiency"] == study.best.test.error
    assert frame["best"].sum() == 1


def test_to_pandas_without_pandas_says_what_to_install(study: nas_fpga.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="pip install pandas"):
        study.front.to_pandas()


def test_a_point_computes_and_knows_itself(study: nas_fpga.Study) -> None:
    point, setup = study.best, study.outcome.setup
    row = study.outcome.best
    assert (point.candidate, point.mapping, point.figures) == (
        row.trial.candidate,
        row.point.mapped.mapping,
        row.point.mapped.figures,
    )
    logits = point.network.logits(setup.dataset.features[setup.split.test])
    assert setup.evaluate(logits, "test", validation=point.validation) == point.test == row.test
    off_front = next(
        found
        for trial in study.trials
        for found in (study[p.name] for p in trial.outcome.points)
        if found.trial.number == point.trial.number and found.name != point.name
    )
    assert off_front not in study.front
    assert off_front.test == point.test  # the same network under another mapping, worked out anew
    with pytest.raises(StudyError, match=r"no point '99\.0'; its front has"):
        study["99.0"]


def test_remap_changes_limits_and_trains_nothing(study: nas_fpga.Study) -> None:
    most = max(point.figures.lut.value for point in study.front)
    fewer = study.remap(max_luts=most - 1)
    assert all(point.figures.total("lut") < most for point in fewer.front)
    unlimited = fewer.remap(region="unlimited")
    assert {p.name for p in unlimited.front} >= {p.name for p in study.front}
    assert unlimited.resource_name == "largest share of the part"
    slower = fewer.remap(clock_ns=10)
    target = slower.outcome.setup.target
    assert (target.clock_ns, target.limits.lut) == (10.0, most - 1)  # limits add up
    assert study.outcome.setup.target.clock_ns == 5.0
    with pytest.raises(TypeError, match="did you mean 'max_luts'"):
        study.remap(max_lut=5)  # type: ignore[call-arg]
    with pytest.raises(InputError, match=r"say where it goes: report\('FILE'\)"):
        fewer.report()
    with pytest.raises(InputError, match=r"first say where: export\('DIR'\)"):
        fewer.best.verify()
    with pytest.raises(SearchFailedError, match="loosen the limits"):
        study.remap(max_latency_ns=1)


def test_export_under_another_mapping(study: nas_fpga.Study, tmp_path: Path) -> None:
    folder = study.best.export(tmp_path / "folded", reuse_factor=2, progress=False)
    mapping = json.loads((folder / "design.json").read_text())["mapping"]
    assert mapping["strategy"] == "resource"
    for layer, factor in zip(study.best.network.layers, mapping["reuse_factors"], strict=True):
        assert factor in nas_fpga.hardware.allowed_reuse_factors(layer.n_in, layer.n_out)


def test_exports_that_cannot_be(study: nas_fpga.Study, tmp_path: Path) -> None:
    (tmp_path / "a--force").mkdir()
    (tmp_path / "a--force" / "mine").touch()
    for folder, options, words in [
        ("a--force", {}, rf"folder {tmp_path}/a--force is not empty .* or force=True to write into it"),
        ("new", {"backend": "quartz"}, "backend quartz is none of vitis, vivado, catapult, quartus, oneapi"),
        ("new", {"rtl": "chisel"}, "rtl chisel is none of None, verilog, vhdl"),
        ("new", {"rtl": "vhdl", "decision": "yes"}, "decision yes is none of none, constant, register"),
        ("new", {"strategy": "resource"}, "^strategy resource needs reuse_factor N"),
        ("new", {"strategy": "latency", "reuse_factor": 4}, "^reuse_factor 4 is for strategy resource; leave it out"),
        ("new", {"reuse_factor": 0}, "^reuse_factor 0 must be at least 1"),
        ("new", {"strategy": "quick"}, "^strategy quick is none of distributed_arithmetic, latency, resource"),
    ]:
        with pytest.raises(InputError, match=words):
            study.best.export(tmp_path / folder, **options, progress=False)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


# -- how they are shown ------------------------------------------------------------------------------------------------


def test_plain_text(study: nas_fpga.Study) -> None:
    heading, *lines = repr(study.front).splitlines()
    assert heading.split()[:4] == ["point", "network", "mapping", "validation"]
    assert [line.split()[0].rstrip("*") for line in lines] == [point.name for point in study.front]
    assert sum("*" in line for line in lines) == 1
    assert re.fullmatch(
        rf"<StudyPoint {study.best.name}: .+ w\da\d \w+.*, 0 efficiency at 95 % 1 0\.\d{{4}}, [\d,]+ LUT, [\d.]+ ns>",
        repr(study.best),
    )


def test_html(study: nas_fpga.Study) -> None:
    html = study.front._repr_html_()
    assert html.count("<tr>") == len(study.front) + 1
    assert f"<b>{study.best.name}*</b>" in html
    assert f"<b>{study.best.candidate}</b>" in html
    whole = study._repr_html_()
    assert html in whole
    assert "xcvu13p-flga2577-2-e, 5 ns" in whole
    of_point = study.best._repr_html_()
    assert str(study.best.figures.latency_ns) in of_point


def test_html_is_escaped(study: nas_fpga.Study) -> None:
    named = replace(study.outcome.setup.dataset, name="<script>", class_names=("<b>a</b>", "&"))
    setup = replace(study.outcome.setup, dataset=named)
    hostile = nas_fpga.Study(replace(study.outcome, setup=setup, folder=Path("runs/<i>x")))
    for html in (hostile._repr_html_(), hostile.front._repr_html_(), hostile.best._repr_html_()):
        assert "<script>" not in html
        assert "<b>a</b>" not in html
        assert "<i>" not in html
    assert "runs/&lt;i&gt;x" in hostile._repr_html_()
