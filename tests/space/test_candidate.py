import math

import pytest

from nas_fpga.errors import InputError
from nas_fpga.space import TrainingSettings


def test_training_settings_default_to_adam_on_half_a_cosine():
    assert TrainingSettings() == TrainingSettings(
        learning_rate=5e-3,
        learning_rate_decay=0.02,
        batch_size=1024,
        epochs=50,
        patience=10,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        weight_decay=0.0,
        dropout=0.0,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", math.inf),
        ("learning_rate_decay", -0.1),
        ("learning_rate_decay", 1.5),
        ("batch_size", 0),
        ("epochs", 0),
        ("patience", 0),
        ("beta_1", 1.0),
        ("beta_2", -0.1),
        ("epsilon", 0.0),
        ("weight_decay", -1e-3),
        ("dropout", 1.0),
        ("dropout", math.nan),
    ],
)
def test_training_settings_that_cannot_train_are_refused(name, value):
    with pytest.raises(InputError, match=f"^--{name.replace('_', '-')} {value} must be .*such as") as caught:
        TrainingSettings(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate_decay", 1.0), ("learning_rate_decay", 0.0), ("beta_1", 0.0), ("dropout", 0.0), ("batch_size", 1)],
)
def test_training_settings_at_their_bounds_are_taken(name, value):
    assert getattr(TrainingSettings(**{name: value}), name) == value
