"""Where parameters lie, and which candidates share a program."""

import numpy as np
import pytest

from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.training._bucket import bucket_of
from nas_fpga.training._layout import Layout

BITS = BitWidths(6, 6)


def test_packed_parameters_come_back_and_the_rest_is_zero():
    rng = np.random.default_rng(0)
    shapes = Candidate((3, 5), BITS).layer_shapes(4, 2)
    parameters = [(rng.random(shape).astype(np.float32), rng.random(shape[1]).astype(np.float32)) for shape in shapes]
    layout = Layout((4, 8, 8, 2))
    kernels, biases = layout.pack(parameters)
    assert (len(kernels), len(biases)) == (4 * 8 + 8 * 8 + 8 * 2, 8 + 8 + 2) == (layout.n_weights, layout.n_biases)
    assert layout.n_hidden == 16
    for (kernel, bias), (k, b) in zip(parameters, layout.unpack(kernels, biases, shapes), strict=True):
        assert np.array_equal(kernel, k)
        assert np.array_equal(bias, b)
    assert kernels.sum(dtype=float) == pytest.approx(sum(kernel.sum(dtype=float) for kernel, _ in parameters))
    assert np.count_nonzero(biases) == 3 + 5 + 2


def test_values_of_units_and_parameters_in_one_vector_come_back():
    rng = np.random.default_rng(1)
    shapes = Candidate((3, 5), BITS).layer_shapes(4, 2)
    layout = Layout((4, 8, 8, 2))
    units = [rng.random(n_in, np.float32) + 1 for n_in, _ in shapes]
    vector = layout.pack_units(units)
    assert vector.shape == (layout.n_units,) == (4 + 8 + 8,)
    assert np.count_nonzero(vector) == 4 + 3 + 5
    for mine, theirs in zip(layout.unpack_units(vector, shapes), units, strict=True):
        assert np.array_equal(mine, theirs)
    parameters = [(rng.random(shape, np.float32), rng.random(shape[1], np.float32)) for shape in shapes]
    together = layout.pack_together(parameters)
    assert np.array_equal(together[: layout.n_weights], layout.pack(parameters)[0])
    for mine, theirs in zip(layout.unpack_together(together, shapes), parameters, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


@pytest.mark.parametrize(
    ("topology", "hidden"),
    [
        ((1,), (8,)),
        ((8, 3), (8, 8)),
        ((9, 3), (16, 16)),
        ((32, 1, 2), (32, 32, 32)),
        ((33, 1), (40, 8)),
        ((96,), (96,)),
    ],
)
def test_narrow_networks_share_programs_and_wide_ones_are_hardly_padded(topology, hidden):
    bucket = bucket_of(Candidate(topology, BITS), 13, 1, 55_248)
    assert bucket.widths == (13, *hidden, 1)
    assert str(bucket) == "-".join(map(str, hidden))


def test_a_bucket_does_not_know_bits_seeds_or_rates():
    settings = TrainingSettings(learning_rate=0.1, weight_decay=0.1, epochs=3)
    assert bucket_of(Candidate((7,), BITS), 4, 1, 999) == bucket_of(
        Candidate((5,), BitWidths(2, 3), settings), 4, 1, 999
    )
    dropped = TrainingSettings(dropout=0.1)
    assert bucket_of(Candidate((7,), BITS, dropped), 4, 1, 999) != bucket_of(Candidate((7,), BITS), 4, 1, 999)


@pytest.mark.parametrize(("n_rows", "size"), [(55_248, 1024), (2000, 32), (10, 10), (700, 16)])
def test_small_data_sets_get_smaller_batches(n_rows, size):
    assert bucket_of(Candidate((7,), BITS), 4, 1, n_rows).batch_size == size
