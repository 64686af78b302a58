"""Binary digits."""

import numpy as np

from nas_fpga.training._integers import effective_bits, trailing_zeros


def test_effective_bits_count_from_the_highest_to_the_lowest_one():
    assert effective_bits(np.array([0, 1, -1, 2, 3, -4, 5, 6, 96, -127])).tolist() == [0, 1, 1, 1, 2, 1, 3, 2, 2, 7]


def test_trailing_zeros_are_those_of_the_binary_form():
    assert trailing_zeros(np.array([0, 1, -1, 2, 12, -96, 2**40])).tolist() == [0, 0, 0, 1, 2, 5, 40]
