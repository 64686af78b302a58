"""Where parameters lie."""

import numpy as np

from nas_fpga.training.learned_bits._layout import Layout


def test_what_is_packed_comes_back_and_the_rest_is_zero():
    rng = np.random.default_rng(0)
    own = Layout(3, (9, 2), 2)
    padded = own.padded()
    assert padded == Layout(3, (16, 8), 2)
    layers = [(rng.random(shape, np.float32) + 1, rng.random(shape[1], np.float32) + 1) for shape in own.shapes]
    flat = padded.pack(layers)
    assert flat.shape == (padded.n_parameters,) == (4 * 16 + 17 * 8 + 9 * 2,)
    assert np.count_nonzero(flat) == own.n_parameters == 4 * 9 + 10 * 2 + 3 * 2
    for mine, theirs in zip(padded.unpack(flat, own), layers, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    units = [rng.random(n, np.float32) + 1 for n in (3, 9, 2)]
    flat = padded.pack_units(units)
    assert flat.shape == (padded.n_units,) == (3 + 16 + 8,)
    assert np.count_nonzero(flat) == 3 + 9 + 2
    assert all(np.array_equal(a, b) for a, b in zip(padded.unpack_units(flat, own), units, strict=True))


def test_padding_keeps_the_depth_and_widens_wide_layers_by_half_at_most():
    for width in range(1, 2001):
        (wide,) = Layout(13, (width,), 1).padded().widths
        assert width <= wide <= max(16, 1.5 * width)
    deep = Layout(13, (5,) * 15, 1)
    assert deep.padded().widths == (8,) * 15
    assert len({Layout(13, (width,), 1).padded() for width in range(1, 101)}) == 8
