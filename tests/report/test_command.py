"""The command that repeats a search gives the same definition when it is parsed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas_fpga.errors import InputError
from nas_fpga.hardware import Calibration, StageRatio
from nas_fpga.report._command import report_command, search_command
from nas_fpga.space import TRAINING_PRESETS
from nas_fpga.study import DATASET_FILE, DataSource, HardwareTarget, SearchDefinition, SearchRun
from nas_fpga.study._options import apply_options

DEFINITIONS = [
    SearchDefinition(),
    SearchDefinition(budget=7, max_layers=7, seed=3, weight_bits=(6, 6), activation_bits=(6, 6), learning_rate=1e-3),
    SearchDefinition(
        data=DataSource("/data/my $HOME 'showers'.csv", "the label", group="event", weight="w", signal="e-"),
        budget=300,
        max_width=64,
        weight_bits=(3, 7),
        activation_bits=(3, 7),
        include=("64-32 w4a6", "8"),
        min_layers=2,
        split_seed=0,
        after=("one", "two"),
        sampler="bayesian-optimization",
        acquisition="ei",
        backend="tensorflow",
        signal_efficiency=0.995,
        hardware=HardwareTarget(
            "xc7z020", clock_ns=6.25, region="5%", max_luts=12345.0, objective="lut", rank_stage="csynth"
        ),
    ),
    SearchDefinition(search_training=TRAINING_PRESETS["lcm-cifar10"], patience=3, weight_decay=1e-3),
    SearchDefinition(data=DataSource(features="ce-e+ce-h", pileup=0, tables="/my tables"), sampler="grid", grid="4x8"),
]


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_command_says_the_whole_definition(definition, monkeypatch, nas_fpga) -> None:
    seen = {}

    def prepare(_: Path, options: Mapping[str, Any], **__: object) -> None:
        seen["definition"], seen["trials"] = apply_options(SearchDefinition(), options), options["trials"]
        raise InputError("far enough")

    monkeypatch.setattr(SearchRun, "prepare", prepare)
    stored = replace(definition, data=replace(definition.data, fingerprint="abc"))
    command = search_command(stored, 24)
    assert command is not None
    assert nas_fpga(shlex.split(command)[1:]).err == "error: far enough\n"
    assert seen == {"definition": definition, "trials": 24}


def test_defaults_are_left_out() -> None:
    assert search_command(SearchDefinition(), 100) == "nas-fpga search --trials 100"


def test_what_the_command_line_cannot_say_is_no_command() -> None:
    assert search_command(SearchDefinition(weight_bits=(2, 4)), 100) is None  # bits of weights alone have no option
    assert search_command(SearchDefinition(data=DataSource(DATASET_FILE)), 100) is None  # rows from memory


def test_other_limits_are_said() -> None:
    own = HardwareTarget()
    assert report_command(Path("runs/main"), own, own) is None
    other = replace(own, max_luts=2000.0, rate_mhz=160.0)
    expected = "nas-fpga report --study main --rate-mhz 160 --max-luts 2000 --to FILE"
    assert report_command(Path("runs/main"), other, own) == expected


def test_a_study_elsewhere_is_found() -> None:
    own, other = HardwareTarget(), HardwareTarget(region="unlimited")
    command = report_command(Path("my runs/main"), other, own)
    assert command == "nas-fpga report --study main --runs 'my runs' --region unlimited --to FILE"
    command = report_command(Path("runs/main"), other, own, "mysql://me:secret@host/studies")
    assert command is not None
    assert shlex.split(command)[4:6] == ["--storage", "mysql://me:***@host/studies"]
    command = report_command(Path("runs/main"), other, own, "sqlite:///my studies.db")
    assert command is not None
    assert shlex.split(command)[4:6] == ["--storage", "sqlite:///my studies.db"]


def test_a_calibration_is_a_file_to_be_named() -> None:
    own = HardwareTarget()
    ratio = StageRatio("csynth", "latency", "lut", 0.5, 0.3, 4, (100.0, 2000.0))
    other = replace(own, calibration=Calibration((ratio,)))
    expected = "nas-fpga report --study main --calibration FILE --to FILE"
    assert report_command(Path("runs/main"), other, own) == expected
    assert search_command(SearchDefinition(hardware=other), 9) == "nas-fpga search --calibration FILE --trials 9"


@pytest.fixture
def nas_fpga(monkeypatch, capsys):
    from tests.cli import conftest

    return conftest.nas_fpga.__wrapped__(monkeypatch, capsys)  # type: ignore[attr-defined]
