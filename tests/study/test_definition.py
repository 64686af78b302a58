"""What a resumed search must agree in."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import nas_fpga.data
from nas_fpga.errors import InputError
from nas_fpga.hardware import Calibration, StageRatio, write_calibration
from nas_fpga.space import TrainingSettings, TrainingSpace
from nas_fpga.study import DataSource, HardwareTarget, SearchDefinition
from nas_fpga.study._json import from_json, to_json
from nas_fpga.study._options import apply_options
from nas_fpga.study._setup import load_data, make_hardware_target

OTHER = {
    "budget": 5, "max_layers": 3, "max_width": 9, "weight_bits": (3, 8), "activation_bits": (2, 5), "min_params": 4,
    "max_params": 90, "include": ("8-8",), "sampler": "grid", "goal": "precision", "acquisition": "ei",
    "generation": 8, "trial_patience": 9, "seed": 4, "input_bits": 8, "signal_efficiency": 0.9,
    "epochs": 7, "patience": 3, "batch_size": 64, "learning_rate": 1e-3,
    "learning_rate_decay": 0.5, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6, "weight_decay": 0.1, "dropout": 0.2,
    "search_training": TrainingSpace(dropout=(0, 0.2)), "learned_bits": True, "pressure": 1e-4,
    "bits_learning_rate": 0.1, "polish": 0.0, "min_layers": 2, "split_seed": 1, "after": ("small",),
    "backend": "tensorflow", "data": DataSource("a.csv", "y"), "hardware": HardwareTarget(clock_ns=4.0),
}  # fmt: skip


LEARNED = ("pressure", "bits_learning_rate")  # only with learned bits


def test_settings_are_those_of_the_candidates() -> None:
    assert SearchDefinition().settings == TrainingSettings()
    given = {field.name: OTHER[field.name] for field in fields(TrainingSettings) if field.name not in LEARNED}
    assert SearchDefinition(**given).settings == TrainingSettings(**given)  # type: ignore[arg-type]
    learned = SearchDefinition(learned_bits=True, pressure=1e-4)
    assert learned.settings == TrainingSettings(pressure=1e-4)
    assert SearchDefinition(learned_bits=True).settings == TrainingSettings()


def test_the_pressure_on_learned_bits_is_searched_unless_it_is_given() -> None:
    other = TrainingSpace(learning_rate=(1e-4, 1e-2))
    assert SearchDefinition(search_training=other).searched == other
    free = SearchDefinition(learned_bits=True, search_training=other)
    assert free.searched.ranges == {"learning_rate": (1e-4, 1e-2), "pressure": (1e-6, 1e-3)}
    assert replace(free, pressure=1e-4).searched == other
    own = TrainingSpace(pressure=(1e-6, 1e-3))
    assert SearchDefinition(learned_bits=True, search_training=own).searched == own


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pressure": 1e-4}, "--pressure 0.0001 is for learned bits; leave it out or give --bits learned"),
        ({"search_training": TrainingSpace(bits_learning_rate=(0.01, 0.1))}, "--search-training bits-learning-rate is"),
        ({"bits_learning_rate": 0.1}, "--bits-learning-rate 0.1 is for learned bits"),
        ({"learned_bits": True, "backend": "tensorflow"}, "--bits learned trains on JAX, not tensorflow"),
        ({"learned_bits": True, "dropout": 0.1}, "--dropout 0.1 is for fixed bits"),
        (
            {"learned_bits": True, "search_training": TrainingSpace(dropout=(0, 0.2))},
            "--search-training dropout is for fixed",
        ),
        ({"learned_bits": True, "pressure": 0.0}, "--pressure 0.0 must be"),
        ({"polish": 1.5}, r"--polish 1.5 must lie between 0 \(none\) and 1, such as 0.5"),
    ],
)
def test_what_one_kind_of_bits_cannot_do_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        SearchDefinition(**values)


def test_equal_definitions_do_not_differ() -> None:
    assert SearchDefinition().differences(SearchDefinition()) == []


@pytest.mark.parametrize("name", [field.name for field in fields(SearchDefinition)])
def test_every_field_counts(name: str) -> None:
    needed = {"grid": {"sampler": "grid"}, "acquisition": {"sampler": "bayesian-optimization"}} | {
        key: {"learned_bits": True} for key in LEARNED
    }
    ours = SearchDefinition(**needed.get(name, {}))  # type: ignore[arg-type]
    theirs = replace(ours, **{name: OTHER.get(name, "4x4")})
    assert ours.differences(theirs)
    assert theirs.differences(ours)


def test_differences_name_both_values() -> None:
    ours, theirs = SearchDefinition(), SearchDefinition(budget=5, hardware=HardwareTarget(part="xcku5p", clock_ns=4.0))
    assert ours.differences(theirs) == [
        "budget 2000 (now 5)",
        "hardware.part xcvu13p-flga2577-2-e (now xcku5p)",
        "hardware.clock_ns 5.0 (now 4.0)",
    ]
    assert SearchDefinition(data=DataSource()).differences(SearchDefinition(data=DataSource("a.csv", "y"))) == [
        "data.target None (now y)",  # the path does not count: a file may have moved, its fingerprint tells
    ]


def test_tables_are_found_from_any_folder_and_may_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").symlink_to(Path(nas_fpga.data.__file__).parent / "tables")
    monkeypatch.chdir(tmp_path)
    ours = apply_options(SearchDefinition(), {"tables": "mine", "pileup": 0})
    assert ours.data.tables == str(tmp_path / "mine")
    monkeypatch.chdir("/")
    fingerprint = load_data(ours.data).fingerprint()
    (tmp_path / "mine").rename(tmp_path / "moved")
    moved = apply_options(ours, {"tables": tmp_path / "moved"})
    assert load_data(moved.data).fingerprint() == fingerprint
    assert ours.differences(moved) == []


def test_where_nothing_is_refused_limits_do_not_stay() -> None:
    own = HardwareTarget(clock_ns=4.0, max_luts=300.0, max_dsps=0.0, max_latency_ns=50.0)
    assert own.with_values({"max_luts": 200.0}) == replace(own, max_luts=200.0)
    assert own.with_values({"region": "slr"}) == own
    unlimited = own.with_values({"region": " Unlimited"})
    assert unlimited == HardwareTarget(clock_ns=4.0, region=" Unlimited")
    assert make_hardware_target(SearchDefinition(hardware=unlimited)).unlimited
    given = own.with_values({"region": "unlimited", "max_luts": 300.0})
    with pytest.raises(InputError, match="region unlimited has no limits"):
        make_hardware_target(SearchDefinition(hardware=given))


def test_a_calibration_is_kept_with_its_content_and_named_where_it_differs(tmp_path: Path) -> None:
    ratio = StageRatio("csynth", "latency", "lut", 0.5, 0.3, 4, (100.0, 2000.0), "vendor-synthesis")
    write_calibration(Calibration((ratio,)), tmp_path / "c.json")
    ours = apply_options(SearchDefinition(), {"calibration": str(tmp_path / "c.json"), "rank_stage": "csynth"})
    (tmp_path / "c.json").unlink()
    stored = from_json(SearchDefinition, json.loads(json.dumps(to_json(ours))))
    assert stored == ours
    assert stored.hardware.calibration == Calibration((ratio,))
    target = make_hardware_target(stored)
    assert (target.rank_stage, target.calibration) == ("csynth", Calibration((ratio,)))

    other = replace(ours, hardware=replace(ours.hardware, calibration=Calibration((replace(ratio, ratio=0.6),))))
    name = r"1 ratios of latency \(4 networks\), \w{8}"
    assert ours.differences(stored) == []
    (said,) = ours.differences(other)
    assert re.fullmatch(rf"hardware.calibration {name} \(now {name}\)", said)
    without = replace(ours, hardware=replace(ours.hardware, calibration=None))
    (said,) = without.differences(ours)
    assert re.fullmatch(rf"hardware.calibration None \(now {name}\)", said)
    (said,) = ours.differences(without)
    assert re.fullmatch(rf"hardware.calibration {name} \(now None\)", said)


@pytest.mark.parametrize(
    ("sampler", "acquisition", "said"),
    [
        ("bayesian-optimization", "pi", "--acquisition pi is not known to --sampler .*; give one of ucb, ei, poi"),
        ("tpe", "ei", "--acquisition ei is not known to --sampler tpe; leave it out"),
    ],
)
def test_an_acquisition_function_is_one_of_its_sampler(sampler: str, acquisition: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        SearchDefinition(sampler=sampler, acquisition=acquisition)
    assert SearchDefinition(sampler="bayesian-optimization", acquisition="poi").acquisition == "poi"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("generation", 0),
        ("seed", -1),
        ("signal_efficiency", 1.0),
        ("signal_efficiency", float("nan")),
        ("learning_rate", float("inf")),
        ("learning_rate", 0.0),
        ("learning_rate_decay", 1.1),
        ("batch_size", 0),
        ("epochs", 0),
        ("beta_2", 1.0),
        ("dropout", -0.1),
        ("min_params", -1),
        ("max_params", 0),
        ("backend", "torch"),
        ("goal", "both"),
        ("grid", "4x4"),
    ],
)
def test_refuses(field: str, value: object) -> None:
    with pytest.raises(InputError, match=field.replace("_", ".")):
        SearchDefinition(**{field: value})  # type: ignore[arg-type]
