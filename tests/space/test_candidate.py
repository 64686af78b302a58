"""Candidates of fixed and of learned bits print, read back, sort and hash."""

import random

import pytest

from nas_fpga.errors import InputError
from nas_fpga.space import BitWidths, Candidate, LearnedBits, format_network, parse_candidate

SIX = BitWidths(6, 6)
LEARNED = LearnedBits(pressure=3e-6, learning_rate=0.02)


@pytest.mark.parametrize("text", ["64-32-32 w6a6", "5 w2a8", "64-32-32 learned", "950 learned"])
def test_text_reads_back(text):
    assert str(parse_candidate(text, BitWidths(3, 3))) == text


def test_bits_that_are_not_said_are_the_default():
    assert parse_candidate("8x4", SIX) == Candidate((8, 4), SIX)
    assert parse_candidate("8x4", LEARNED) == Candidate((8, 4), LEARNED)
    assert parse_candidate("8-4 learned", LEARNED) == Candidate((8, 4), LEARNED)
    assert parse_candidate("8-4 learned", SIX) == Candidate((8, 4), LearnedBits())
    assert parse_candidate("8-4 w2a3", LEARNED) == Candidate((8, 4), BitWidths(2, 3))


@pytest.mark.parametrize("text", ["8 learnt", "8-4learned", "8 learned w6a6", "8 w6", ""])
def test_other_text_is_refused(text):
    with pytest.raises(InputError, match=r"is not of the form 64-32-32, '64-32-32 w6a6' or '64-32-32 learned'"):
        parse_candidate(text, SIX)


def test_both_kinds_sort():
    kinds = [BitWidths(2, 8), SIX, LearnedBits(1e-6, 0.5), LearnedBits(1e-6, 0.6), LearnedBits(1e-5, 0.1)]
    candidates = [Candidate(topology, bits) for topology in ((4,), (4, 4), (8,)) for bits in kinds]
    shuffled = random.Random(0).sample(candidates, len(candidates))
    assert sorted(shuffled) == candidates
    assert sorted(shuffled, reverse=True) == candidates[::-1]
    assert len(set(candidates + shuffled)) == len(candidates)


@pytest.mark.parametrize("wrong", [0.0, -1e-6, float("nan"), float("inf")])
def test_learned_bits_that_cannot_train(wrong):
    with pytest.raises(InputError, match=f"pressure {wrong} must be a finite number above 0"):
        LearnedBits(pressure=wrong)
    with pytest.raises(InputError, match=f"learning rate of bits {wrong} must be"):
        LearnedBits(learning_rate=wrong)


def test_learned_bits_have_no_widths_before_training():
    assert Candidate((8,), SIX).uniform_bits == SIX
    with pytest.raises(InputError, match="8 learned has no bit widths before training; give some, such as w6a6"):
        _ = Candidate((8,), LEARNED).uniform_bits


def test_what_training_left_is_said_if_it_is_less():
    assert format_network(Candidate((64, 32), LEARNED), (64, 32)) == "64-32 learned"
    assert format_network(Candidate((64, 32), LEARNED), (41, 17)) == "64-32 to 41-17 learned"
