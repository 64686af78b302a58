import itertools

import numpy as np

from nas_fpga.samplers import Observation
from nas_fpga.samplers._proposals import propose
from nas_fpga.testing import Column, ColumnSpace


class Numbers(ColumnSpace):
    """The numbers from 0 to 9 themselves, of which 0 is false."""

    def rows(self, candidates):
        return super().rows([(number,) for number in candidates])

    def candidates(self, rows):
        return [number for (number,) in super().candidates(rows)]

    def has_row(self, candidate):
        return super().has_row((candidate,))


NUMBERS = Numbers((Column("number", tuple(range(10))),))


def proposals(suggested, history=(), pending=(), n_startup=0):
    def suggest(waiting):
        told.append(list(waiting))
        return suggested if suggested is None else NUMBERS.rows(suggested)

    told = []
    observations = [Observation(number, "failed") for number in history]
    return propose(NUMBERS, np.random.default_rng(0), observations, pending, suggest, n_startup), told


def test_the_first_suggestion_that_is_new_is_proposed():
    found, told = proposals([3, 0, 7], history=[3])
    assert list(itertools.islice(found, 2)) == [0, 7]
    assert told == [[], [0]]


def test_where_all_are_taken_a_neighbour_of_the_best_is_proposed():
    found, _ = proposals([1], history=[1], pending=[2])
    assert next(found) == 0


def test_where_nothing_is_suggested_the_rest_comes_at_random():
    for suggested in (None, []):
        found, _ = proposals(suggested, history=[4], pending=[5])
        assert sorted(found) == [0, 1, 2, 3, 6, 7, 8, 9]


def test_the_start_is_not_suggested():
    found, told = proposals([0], history=[5], n_startup=3)
    assert len(list(itertools.islice(found, 2))) == 2
    assert told == []
    assert next(found) is not None
    assert len(told) == 1
