"""One step of the program against HGQ2's own layers: the same loss, EBOPs and gradients."""

import jax
import keras
import numpy as np
import pytest
from hgq.config import QuantizerConfig
from hgq.layers import QDense

from nas_fpga.training._layout import Layout
from nas_fpga.training._model import mean_loss
from nas_fpga.training._program import DeviceRows
from nas_fpga.training.learned_bits._program import InputGrid, Limits, Parameters, logits_and_ebops, loss_and_parts
from nas_fpga.training.learned_bits._quantizers import bit_length, power_of_two

PRESSURE = 3e-5


def random_member(layout, seed):
    """Parameters with bits from none to many, inputs and activations that saturate, and preactivations of exactly 0."""
    rng = np.random.default_rng(seed)
    signed = (rng.random(layout.widths[0]) < 0.5).astype(np.float32)
    layers = [
        (
            (rng.standard_normal(shape) * 0.7).astype(np.float32),
            (rng.standard_normal(shape[1]) * 0.3).astype(np.float32),
        )
        for shape in layout.shapes
    ]
    n, u = layout.n_weights + layout.n_biases, layout.n_units
    parameters = Parameters(
        layout.pack_together(layers),
        rng.uniform(-1, 6, n).astype(np.float32),
        rng.uniform(-1, 2, u).astype(np.float32),
        rng.uniform(0, 5, u).astype(np.float32),
    )
    signed = np.concatenate([signed, np.zeros(u - len(signed), np.float32)])
    inputs = np.round(rng.standard_normal((64, layout.widths[0])) * 64).astype(np.float32) / 32
    inputs[:8] = 0
    return parameters, signed, inputs


def hgq_model(layout, parameters, signed):
    """The same network of HGQ2's layers, with its quantizers that learn."""
    common = {"round_mode": "RND", "fr": None, "ir": None}
    weight = common | {"overflow_mode": "WRAP", "ic": None, "homogeneous_axis": (), "is_weight": True}
    weight["i_decay_speed"] = np.inf  # integer bits follow from the value as it is now
    unit = common | {"overflow_mode": "SAT", "homogeneous_axis": (0,), "k0": 0}
    inputs = values = keras.Input((layout.widths[0],))
    layers = []
    for i, (_, n_out) in enumerate(layout.shapes):
        dense = QDense(
            n_out,
            activation="relu" if i < len(layout.shapes) - 1 else None,
            iq_conf=QuantizerConfig("kif", "datalane", **unit),
            kq_conf=QuantizerConfig("kif", "weight", **weight),
            bq_conf=QuantizerConfig("kif", "bias", **weight),
            beta0=PRESSURE,
        )
        values = dense(values)
        layers.append(dense)
    model = keras.Model(inputs, values)
    kernels = layout.unpack_together(parameters.weights, layout.shapes)
    fractions = layout.unpack_together(parameters.weight_fraction, layout.shapes)
    integers, unit_fractions = (
        layout.unpack_units(values, layout.shapes) for values in (parameters.unit_integer, parameters.unit_fraction)
    )
    for i, dense in enumerate(layers):
        dense.kernel.assign(kernels[i][0])
        dense.bias.assign(kernels[i][1])
        dense.kq.quantizer._f.assign(fractions[i][0])
        dense.bq.quantizer._f.assign(fractions[i][1])
        dense.iq.quantizer._i.assign(integers[i][None])
        dense.iq.quantizer._f.assign(unit_fractions[i][None])
    layers[0].iq.quantizer._k.assign(signed[None, : layout.widths[0]].astype(np.uint8))
    return model, layers


@pytest.mark.parametrize(("seed", "n_outputs"), [(0, 1), (1, 3)])
def test_gradients_are_those_of_hgq2(seed, n_outputs):
    layout = Layout((5, 12, 9, n_outputs))
    parameters, signed, inputs = random_member(layout, seed)
    rng = np.random.default_rng(seed)
    labels = rng.integers(max(n_outputs, 2), size=len(inputs))
    weights = rng.uniform(0.5, 1.5, len(inputs)).astype(np.float32)
    rows = DeviceRows(inputs, labels, weights)
    gradient = jax.jit(jax.value_and_grad(loss_and_parts, has_aux=True), static_argnums=1)
    (loss, (_, ebops)), gradients = gradient(parameters, layout, signed, rows, PRESSURE)

    model, layers = hgq_model(layout, parameters, signed)

    def hgq_loss(trainable, frozen):
        logits, frozen, penalties = model.stateless_call(trainable, frozen, inputs, training=True, return_losses=True)
        return mean_loss(logits, labels, weights) + sum(penalties), (logits, frozen)

    trainable = [v.value for v in model.trainable_variables]
    frozen = [v.value for v in model.non_trainable_variables]
    gradient = jax.jit(jax.value_and_grad(hgq_loss, has_aux=True))
    (expected_loss, (expected_logits, frozen)), expected = gradient(trainable, frozen)
    for variable, value in zip(model.non_trainable_variables, frozen, strict=True):
        variable.assign(value)

    np.testing.assert_array_equal(logits_and_ebops(layout, signed, parameters, inputs)[0], expected_logits)
    assert float(ebops) == sum(float(layer.ebops) for layer in layers) > 100
    assert float(loss) == pytest.approx(float(expected_loss), rel=1e-6)

    of = {v.path: np.asarray(g) for v, g in zip(model.trainable_variables, expected, strict=True)}

    def of_layers(*paths):
        return [tuple(of[path(layer)] for path in paths) for layer in layers]

    assert_close(
        layout.unpack_together(gradients.weights, layout.shapes),
        of_layers(lambda d: d.kernel.path, lambda d: d.bias.path),
    )
    assert_close(
        layout.unpack_together(gradients.weight_fraction, layout.shapes),
        of_layers(lambda d: d.kq.quantizer._f.path, lambda d: d.bq.quantizer._f.path),
    )
    for mine, path in (
        (gradients.unit_integer, lambda d: d.iq.quantizer._i.path),
        (gradients.unit_fraction, lambda d: d.iq.quantizer._f.path),
    ):
        assert_close([(values,) for values in layout.unpack_units(mine, layout.shapes)], of_layers(path))


def assert_close(mine, theirs):
    """Equal up to the order of float32 sums over the batch."""
    for layer, expected in zip(mine, theirs, strict=True):
        for a, b in zip(layer, expected, strict=True):
            assert np.abs(b).max() > 0
            np.testing.assert_allclose(np.ravel(a), np.ravel(b), rtol=1e-4, atol=2e-7)


def test_bits_are_counted_exactly():
    integers = np.arange(2**12, dtype=np.float32)
    assert np.array_equal(bit_length(integers), [int(n).bit_length() for n in integers])
    exponents = np.arange(-126, 128)
    assert np.array_equal(power_of_two(exponents), np.ldexp(np.float32(1), exponents))


def test_every_parameter_has_its_limits():
    layout = Layout((2, 3, 1))
    grid = InputGrid(np.float32([1, 0]), np.float32([-3, -4]), np.float32([5, 6]))
    limits = Limits.of(layout, grid)
    assert limits.signed.tolist() == [1, 0, 0, 0, 0]
    for of, end, weights, weight_bits, unit_bits in (
        (limits.lowest, grid.least_fraction, -np.inf, -8, -16),
        (limits.highest, grid.most_fraction, np.inf, 16, 16),
    ):
        parts = Parameters.of(layout, of)
        assert parts.weights.tolist() == [weights] * 13
        assert parts.weight_fraction.tolist() == [weight_bits] * 13
        assert parts.unit_integer.tolist() == [unit_bits] * 5
        assert parts.unit_fraction.tolist() == [*end, *[unit_bits] * 3]
