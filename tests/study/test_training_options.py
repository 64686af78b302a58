"""What the user says about training settings, and the definition that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from nas_fpga.errors import InputError
from nas_fpga.space import TRAINING_PRESETS, TrainingSpace
from nas_fpga.study import SearchDefinition
from nas_fpga.study._options import apply_options, with_implied
from nas_fpga.study._training_options import read_search_training, written

RANGES = TrainingSpace(learning_rate=(1e-4, 1e-1), batch_size=(256, 4096))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, TrainingSpace()),
        ("orca", TRAINING_PRESETS["orca"]),
        ("learning-rate=1e-4:1e-1,batch-size=256:4096", RANGES),
        (" learning_rate = 1e-4:0.1 , batch-size=256:4096", RANGES),
        ({"learning_rate": (1e-4, 0.1), "batch-size": [256, 4096]}, RANGES),
        (RANGES, RANGES),
        ("orca-first,dropout=0:0.2", TrainingSpace(learning_rate=(1e-5, 0.1), batch_size=(16, 32), dropout=(0, 0.2))),
        ("batch-size=64:256,orca-first", TrainingSpace(learning_rate=(1e-5, 0.1), batch_size=(64, 256))),
    ],
)
def test_presets_and_ranges(given: Any, read: TrainingSpace) -> None:
    assert read_search_training(given) == read
    assert apply_options(SearchDefinition(), {"search_training": given}).search_training == read


@pytest.mark.parametrize("preset", list(TRAINING_PRESETS))
def test_what_is_written_is_read_again(preset: str) -> None:
    assert read_search_training(written(TRAINING_PRESETS[preset])) == TRAINING_PRESETS[preset]


@pytest.mark.parametrize(
    "given",
    ["", "orka", "learning-rate", "learning-rate=0.1", "learning-rate=a:b", "batch-size=256.5:1024", "layers=2:3",
     "learning-rate=1:2:3", 3, True, {"dropout": 0.2}, {"epochs": (2.5, 5)}, {"epochs": (None, 5)}, {3: (4, 5)}],
)  # fmt: skip
def test_other_things_are_refused(given: Any) -> None:
    with pytest.raises(InputError, match=r"is neither a preset \(default, orca, .*\) nor ranges such"):
        read_search_training(given)


def test_more_than_one_meaning_is_refused() -> None:
    with pytest.raises(InputError, match="names orca and magmadnn; give one preset"):
        read_search_training("orca,magmadnn")
    with pytest.raises(InputError, match="names a setting twice; give each once"):
        read_search_training("dropout=0:0.1,dropout=0:0.2")
    with pytest.raises(InputError, match="--batch-size fixes what --search-training batch-size=LOW:HIGH searches"):
        apply_options(SearchDefinition(), {"search_training": "batch-size=64:256", "batch_size": 128})


def test_an_option_that_fixes_a_setting_takes_it_out_of_the_preset() -> None:
    made = apply_options(SearchDefinition(), {"search_training": "orca-first", "batch_size": 512})
    assert made.search_training == TrainingSpace(learning_rate=(1e-5, 0.1))
    assert made.settings.batch_size == 512
    again = apply_options(made, {"search_training": "orca-first", "batch_size": 512})
    assert made.differences(again) == []
    assert made.differences(apply_options(made, {})) == []


def test_a_resumed_search_may_not_change_what_is_searched() -> None:
    made = apply_options(SearchDefinition(), {"search_training": "orca-first"})
    assert made.differences(apply_options(made, {"search_training": "learning-rate=1e-5:1e-2,batch-size=16:32"})) == [
        "search_training.learning_rate [1e-05, 0.1] (now [1e-05, 0.01])"
    ]
    assert made.differences(apply_options(made, {"batch_size": 1024})) == [
        "search_training.batch_size [16, 32] (now None)"
    ]
    assert SearchDefinition().differences(made)


def test_quick_fixes_the_epochs_of_a_preset_but_not_those_that_are_named() -> None:
    quick = with_implied({"quick": True, "search_training": "lcm-cifar10"})
    made = apply_options(SearchDefinition(), quick | {"trials": 4})
    assert made.search_training == TRAINING_PRESETS["lcm-cifar10"].without(["epochs"])
    assert made.epochs == 12
    named = with_implied({"quick": True, "search_training": "epochs=3:6"})
    assert "epochs" not in named
    assert apply_options(SearchDefinition(), named).search_training == TrainingSpace(epochs=(3, 6))
