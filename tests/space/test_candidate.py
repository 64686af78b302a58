"""Candidates of fixed and of learned bits print, read back, sort and hash; what cannot train is refused."""

import math
import random

import pytest

from nas_fpga.errors import InputError
from nas_fpga.space import BitWidths, Candidate, LearnedBits, TrainingSettings, format_network, parse_candidate

SIX = BitWidths(6, 6)
LEARNED = LearnedBits()


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
        pressure=5e-5,
        bits_learning_rate=1e-2,
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
        ("pressure", 0.0),
        ("pressure", math.inf),
        ("bits_learning_rate", -1e-3),
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


@pytest.mark.parametrize("text", ["64-32-32 w6a6", "5 w2a8", "64-32-32 learned", "950 learned"])
def test_text_reads_back(text):
    assert str(parse_candidate(text, BitWidths(3, 3))) == text


def test_bits_that_are_not_said_are_the_default():
    assert parse_candidate("8x4", SIX) == Candidate((8, 4), SIX)
    assert parse_candidate("8x4", LEARNED) == Candidate((8, 4), LEARNED)
    assert parse_candidate("8-4 learned", SIX) == Candidate((8, 4), LearnedBits())
    assert parse_candidate("8-4 w2a3", LEARNED) == Candidate((8, 4), BitWidths(2, 3))


@pytest.mark.parametrize("text", ["8 learnt", "8-4learned", "8 learned w6a6", "8 w6", ""])
def test_other_text_is_refused(text):
    with pytest.raises(InputError, match=r"is not of the form 64-32-32, '64-32-32 w6a6' or '64-32-32 learned'"):
        parse_candidate(text, SIX)


def test_both_kinds_sort():
    kinds = [BitWidths(2, 8), SIX, LEARNED]
    candidates = [Candidate(topology, bits) for topology in ((4,), (4, 4), (8,)) for bits in kinds]
    shuffled = random.Random(0).sample(candidates, len(candidates))
    assert sorted(shuffled) == candidates
    assert sorted(shuffled, reverse=True) == candidates[::-1]
    assert len(set(candidates + shuffled)) == len(candidates)


def test_learned_bits_have_no_widths_before_training():
    assert Candidate((8,), SIX).uniform_bits == SIX
    with pytest.raises(InputError, match="8 learned has no bit widths before training; give some, such as w6a6"):
        _ = Candidate((8,), LEARNED).uniform_bits


def test_what_training_left_is_said_if_it_is_less():
    assert format_network(Candidate((64, 32), LEARNED), (64, 32)) == "64-32 learned"
    assert format_network(Candidate((64, 32), LEARNED), (41, 17)) == "64-32 to 41-17 learned"
    assert format_network(Candidate((64, 32), SIX), (41, 17), polished=True) == "64-32 to 41-17 polished"
