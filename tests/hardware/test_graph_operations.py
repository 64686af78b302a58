"""Bits of operations, counted by hand on graphs of one or two operations."""

from __future__ import annotations

import numpy as np
import pytest
from da4ml.trace import FixedVariableArray, HWConfig, comb_trace

from nas_fpga.errors import InputError
from nas_fpga.hardware import adder_graph
from nas_fpga.hardware._graph_operations import LUTS_PER_BIT, OperationBits, operation_bits


def words(n: int, *, signed: bool, bits: int) -> FixedVariableArray:
    """Return integers of ``bits`` bits."""
    sign = np.full(n, int(signed))
    return FixedVariableArray.from_kif(sign, np.full(n, bits) - sign, np.zeros(n, np.int64), HWConfig(1, -1, -1))


def bits_of(inputs: FixedVariableArray, outputs: FixedVariableArray) -> OperationBits:
    return operation_bits(comb_trace(inputs, outputs))


@pytest.mark.parametrize(
    ("kernel", "overlap", "extension"),
    [
        ([1, 1], 4, 1),  # four full adders, and the carry
        ([1, 4], 2, 3),  # bits 2 and 3 meet; two more of the second word, and the carry
        ([1, -1], 4, 1),  # and the sign
        ([4, -1], 4, 3),  # the subtrahend's two low bits have to be negated
        ([16, 1], 0, 4),  # nothing meets: the words lie side by side
    ],
)
def test_a_sum_of_two_words(kernel, overlap, extension):
    inputs = words(2, signed=False, bits=4)
    found = bits_of(inputs, inputs @ np.array(kernel, np.float64).reshape(2, 1))
    assert (found.overlap, found.extension) == (overlap, extension)
    assert (found.constant, found.saturation) == (0, 0)


@pytest.mark.parametrize(("constant", "bits"), [(1, 5), (4, 3), (-2, 4)])
def test_a_constant_costs_from_its_lowest_bit_on(constant, bits):
    inputs = words(1, signed=False, bits=4)
    found = bits_of(inputs, inputs + constant)
    assert found == OperationBits(overlap=0, extension=0, constant=bits, saturation=0)


def test_shifts_and_copies_are_free():
    inputs = words(3, signed=True, bits=5)
    assert bits_of(inputs, inputs * 8.0) == OperationBits(0, 0, 0, 0)


def test_a_word_that_is_clipped_is_chosen_bit_by_bit():
    inputs = words(1, signed=False, bits=8)
    clipped = inputs.quantize(np.zeros(1, np.int64), np.full(1, 5), np.zeros(1, np.int64), overflow_mode="SAT")
    assert bits_of(inputs, clipped).saturation == 5


def test_an_operation_that_is_not_known_is_never_free():
    inputs = words(2, signed=False, bits=4)
    with pytest.raises(InputError, match="operation 7 has no known LUTs"):
        bits_of(inputs, inputs[:1] * inputs[1:])


def test_luts_are_the_weighted_sum():
    luts = OperationBits(overlap=100, extension=10, constant=20, saturation=30).luts
    weights = LUTS_PER_BIT
    by_hand = 100 * weights["overlap"] + 10 * weights["extension"] + 20 * weights["constant"]
    assert luts == pytest.approx(by_hand + 30 * weights["saturation"])


def test_a_network_is_the_sum_of_its_operations(make_network):
    network = make_network((8, 4), 4, 4)
    graph = adder_graph(network)
    assert graph.luts == pytest.approx(operation_bits(graph._comb).luts)
    assert graph.luts == pytest.approx(graph.cost, rel=0.2)
    assert sum(graph.parts) == pytest.approx(graph.luts)
