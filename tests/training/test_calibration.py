"""Steps: exact small cases, and the error they leave against a search over all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_fpga.data import InputFormat
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.training._calibration import LayerSteps, best_fraction_bits, calibrate, freeze


@pytest.mark.parametrize(
    ("values", "bits", "signed", "expected"),
    [
        ([0.0, 1.0, 2.0, 3.0], 2, False, 0),  # 0..3 fit 2 unsigned bits exactly
        ([0.0, 0.25, 0.5, 0.75], 2, False, 2),
        ([-2.0, -1.0, 0.0, 1.0], 2, True, 0),  # the range of 2 signed bits
        ([-5.0, 0.5, 1.0], 1, False, 0),  # negative values are the ReLU's, not the range's
        ([0.0, 0.0], 4, True, 4),  # nothing to go by
    ],
)
def test_exact_cases(values, bits, signed, expected):
    assert best_fraction_bits(np.array(values), bits, signed=signed) == expected


def test_rare_large_values_saturate_at_few_bits():
    values = np.concatenate([np.full(10_000, 0.9), [40.0]])
    assert best_fraction_bits(values, 2, signed=False) > best_fraction_bits(np.array([40.0]), 2, signed=False)


def test_a_little_better_step_does_not_replace_the_one_in_force():
    rng = np.random.default_rng(0)
    values = rng.standard_normal(4000).astype(np.float32)
    errors = {}
    for f in range(-2, 8):
        rounded = np.clip(np.floor(values * 2.0**f + 0.5), -8, 7) * 2.0**-f
        errors[f] = np.square(rounded - values).sum()
    best, second = sorted(errors, key=errors.__getitem__)[:2]
    kept = best_fraction_bits(values, 4, signed=True, current=second)
    assert kept == (second if errors[best] > 0.9 * errors[second] else best)
    assert best_fraction_bits(values, 4, signed=True, current=best - 3) == best


@given(st.integers(2, 8), st.floats(1e-3, 1e3), st.integers(0, 2**32 - 1))
def test_no_step_leaves_a_smaller_error(bits, scale, seed):
    values = (np.random.default_rng(seed).standard_normal(200) * scale).astype(np.float32)

    def error(f):
        rounded = np.clip(np.floor(values * 2.0**f + 0.5), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * 2.0**-f
        return np.square(rounded.astype(np.float64) - values).sum()

    chosen = best_fraction_bits(values, bits, signed=True)
    coarsest = bits - 1 - int(np.frexp(np.abs(values).max())[1])
    assert error(chosen) <= min(error(f) for f in range(coarsest, coarsest + 6)) * (1 + 1e-5)


def test_frozen_integers_are_the_rounded_parameters():
    form = InputFormat(np.array([10, 10]), np.array([True, False]), np.array([3, 4]), np.array([2, 1]))
    candidate = Candidate((2,), BitWidths(3, 2))
    parameters = [
        (np.array([[0.6, -1.9], [0.25, 5.0]], np.float32), np.array([0.1, -0.2], np.float32)),
        (np.array([[1.0], [-0.5]], np.float32), np.array([0.5], np.float32)),
    ]
    steps = [LayerSteps(0.5, 2.0**-6, 0.25), LayerSteps(0.25, 2.0**-4, None)]
    network = freeze(candidate, form, parameters, steps)
    hidden, output = network.layers
    assert hidden.weights.tolist() == [[1, -4], [1, 3]]  # -1.9/0.5 rounds to -4, 5/0.5 saturates at 3
    assert hidden.bias.tolist() == [6, -13]  # 0.1*64 = 6.4, -0.2*64 = -12.8
    assert (hidden.weight_fraction_bits, hidden.bias_fraction_bits) == (1, 6)
    assert (hidden.activation_bits.tolist(), hidden.activation_fraction_bits.tolist()) == ([2, 2], [2, 2])
    assert output.weights.tolist() == [[3], [-2]]  # 1.0/0.25 = 4 saturates at 3
    assert (output.activation_bits, output.activation_fraction_bits) == (None, None)


def test_biases_lie_on_the_grid_of_the_sums():
    rng = np.random.default_rng(1)
    form = InputFormat(np.full(3, 10), np.array([True] * 3), np.array([3, 4, 9]), np.array([2, 1, 0]))
    candidate = Candidate((4, 3), BitWidths(5, 4))
    shapes = candidate.layer_shapes(3, 1)
    draws = [(rng.standard_normal(shape), rng.standard_normal(shape[1])) for shape in shapes]
    parameters = [(kernel.astype(np.float32), bias.astype(np.float32)) for kernel, bias in draws]
    inputs = form.apply(rng.standard_normal((100, 3)))
    steps = calibrate(candidate, form, parameters, inputs, None)
    grids = [int(form.grid_bits.max())]
    for step in steps:
        assert step.bias == step.weight * 2.0 ** -grids[-1]
        if step.activation is not None:
            grids.append(int(-np.log2(step.activation)))
    assert steps[-1].activation is None
