import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_fpga.space import (
    BitWidths,
    Candidate,
    TrainingSettings,
    candidates_of,
    depths_of,
    n_macs_of,
    n_params_of,
    narrowest_of,
    rows_of,
    totals_of,
)
from nas_fpga.space._rows import apportion

candidates = st.builds(
    Candidate,
    st.lists(st.integers(1, 2000), min_size=1, max_size=6).map(tuple),
    st.builds(BitWidths, st.integers(2, 8), st.integers(2, 8)),
)


@given(st.lists(candidates, min_size=1, max_size=5), st.integers(1, 30), st.integers(1, 5))
def test_rows_say_the_same_as_candidates(some, n_inputs, n_outputs):
    rows = rows_of(some, 7)
    assert rows.dtype == np.int32
    assert rows.shape == (len(some), 9)
    assert candidates_of(rows, TrainingSettings()) == some
    assert depths_of(rows).tolist() == [c.n_layers for c in some]
    assert totals_of(rows).tolist() == [c.n_neurons for c in some]
    assert narrowest_of(rows).tolist() == [min(c.topology) for c in some]
    assert n_macs_of(rows, n_inputs, n_outputs).tolist() == [c.n_macs(n_inputs, n_outputs) for c in some]
    assert n_params_of(rows, n_inputs, n_outputs).tolist() == [c.n_params(n_inputs, n_outputs) for c in some]


def test_candidates_hold_plain_integers():
    (candidate,) = candidates_of(rows_of([Candidate((3, 4), BitWidths(5, 6))], 2), TrainingSettings())
    assert {type(w) for w in candidate.topology} == {int}
    assert type(candidate.bits.weights) is int


@pytest.mark.parametrize(
    ("weights", "total", "max_width", "widths"),
    [
        ([1, 1, 1], 10, 100, [4, 3, 3]),  # the remainder goes to the first of equals
        ([5, 3, 0], 9, 100, [6, 3, 0]),  # 5.6 and 3.4
        ([100, 1, 1], 10, 100, [8, 1, 1]),  # a layer keeps its neuron
        ([100, 1, 1], 10, 5, [5, 3, 2]),  # what one may not have the others get
        ([7, 1], 2, 1, [1, 1]),
    ],
)
def test_apportion_by_largest_remainder_within_bounds(weights, total, max_width, widths):
    assert apportion(np.array([weights], float), np.array([total]), max_width).tolist() == [widths]


@given(
    st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=15),
    st.integers(1, 300),
    st.floats(0, 1),
)
def test_apportion_always_sums_to_the_total_within_bounds(weights, max_width, share):
    n = len(weights)
    total = n + round(share * n * (max_width - 1))
    widths = apportion(np.array([[*weights, 0.0]]), np.array([total]), max_width)[0]
    assert widths.sum() == total
    assert widths[-1] == 0
    assert widths[:-1].min() >= 1
    assert widths.max() <= max_width
