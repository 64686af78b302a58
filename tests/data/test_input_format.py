from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from nas_fpga.data import InputFormat, fit_input_format
from nas_fpga.errors import InputError


def format_of(bits: int, signed: bool, fraction_bits: int, scale_log2: int = 0) -> InputFormat:
    return InputFormat(np.array([bits]), np.array([signed]), np.array([fraction_bits]), np.array([scale_log2]))


def slow_integer(x: float, bits: int, signed: bool, fraction_bits: int) -> int:
    """The definition in exact arithmetic: round half up, then saturate."""
    step = (Fraction(x) * Fraction(2) ** fraction_bits + Fraction(1, 2)).__floor__()
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return min(max(step, low), high)


class TestIntegers:
    @given(
        st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=20),
        st.integers(2, 16),
        st.booleans(),
        st.integers(-20, 20),
    )
    @settings(max_examples=300, deadline=None)
    def test_are_what_the_definition_says(self, values: list[float], bits: int, signed: bool, fraction: int) -> None:
        features = np.array(values, np.float32)[:, None]
        expected = [slow_integer(float(x), bits, signed, fraction) for x in features[:, 0]]
        assert format_of(bits, signed, fraction).integers(features)[:, 0].tolist() == expected

    def test_halves_go_up_and_ends_saturate(self) -> None:
        x = np.array([[-9.0], [-1.5], [-0.5], [0.5], [1.5], [2.5], [9.0]])
        assert format_of(4, True, 0).integers(x)[:, 0].tolist() == [-8, -1, 0, 1, 2, 3, 7]
        assert format_of(3, False, 0).integers(x)[:, 0].tolist() == [0, 0, 0, 1, 2, 3, 7]

    def test_what_the_network_sees_is_the_integer_on_its_grid(self) -> None:
        given_format = format_of(8, True, 3, 2)
        x = np.linspace(-20, 20, 999, dtype=np.float32)[:, None]
        assert given_format.grid_bits.tolist() == [5]
        seen = given_format.apply(x)
        assert seen.dtype == np.float32
        assert_array_equal(seen.astype(np.float64) * 32, given_format.integers(x))


class TestFit:
    @given(st.integers(0, 999), st.integers(2, 16), st.integers(-30, 30))
    @settings(max_examples=100, deadline=None)
    def test_a_power_of_two_in_the_features_only_moves_the_point(self, seed: int, bits: int, shift: int) -> None:
        x = np.random.default_rng(seed).normal(1, 2, (200, 3)).astype(np.float32)
        one, other = fit_input_format(x, bits), fit_input_format(x * np.float32(2.0**shift), bits)
        assert_array_equal(other.fraction_bits, one.fraction_bits - shift)
        assert_array_equal(other.scale_log2, one.scale_log2 + shift)
        assert_array_equal(other.apply(x * np.float32(2.0**shift)), one.apply(x))

    @given(st.integers(0, 999), st.integers(4, 16))
    @settings(max_examples=100, deadline=None)
    def test_range_step_and_spread(self, seed: int, bits: int) -> None:
        rng = np.random.default_rng(seed)
        x = (rng.exponential(size=(2000, 4)) * 10.0 ** rng.integers(-6, 7, 4)).astype(np.float32)
        x[:, 0] -= x[:, 0].mean()
        fitted = fit_input_format(x, bits)
        assert fitted.signed.tolist() == [True, False, False, False]
        high = np.where(fitted.signed, 2.0 ** (bits - 1), 2.0**bits) * np.exp2(-fitted.fraction_bits)
        reach = np.quantile(np.abs(x).astype(np.float64), 0.999, axis=0)
        assert (reach < high).all()  # the range holds 99.9 % of the values ...
        assert (reach >= high / 2).all()  # ... and would not with one bit less
        spread = fitted.apply(x).std(axis=0, dtype=np.float64)
        # the scale is a rounded power of two: spread within a factor sqrt(2) of 1, and the rounding of four bits
        assert ((spread > 0.6) & (spread < 1.6)).all()

    def test_rare_values_and_all_zeros(self) -> None:
        x = np.zeros((10_000, 2), np.float32)
        x[7, 0] = 5
        fitted = fit_input_format(x, 6)
        assert fitted.integers(x)[7, 0] == 5 * 2**3  # range 8 of 6 bits: a step of 1/8
        assert_array_equal(fitted.apply(x)[:, 1], 0)

    @pytest.mark.parametrize("scale", [1e-44, 1e38])
    def test_ends_of_float32(self, scale: float) -> None:
        x = (np.array([[0.5], [1.0], [2.0], [3.0]]) * scale).astype(np.float32)
        seen = fit_input_format(x, 12).apply(x)
        assert np.isfinite(seen).all()
        assert (np.diff(seen[:, 0]) > 0).all()

    @pytest.mark.parametrize("bits", [1, 17, 0, -4])
    def test_bits_out_of_range(self, bits: int) -> None:
        with pytest.raises(InputError, match=f"input bits {bits} must be from 2 to 16"):
            fit_input_format(np.ones((3, 1), np.float32), bits)
