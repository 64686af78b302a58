"""The layer that is trained: exact, with the right gradients, padded or not."""

import numpy as np
import pytest

from nas_fpga.data import fit_input_format
from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.training._calibration import calibrate, freeze
from nas_fpga.training._layout import Layout


def random_network(rng, topology, n_in, n_out, bits):
    """Return candidate, input format, features, parameters and steps of a random network."""
    candidate = Candidate(topology, bits)
    form = fit_input_format(rng.standard_normal((500, n_in)).astype(np.float32))
    features = rng.standard_normal((3000, n_in)).astype(np.float32) * 2
    parameters = [
        (rng.standard_normal(shape).astype(np.float32), rng.standard_normal(shape[1]).astype(np.float32))
        for shape in candidate.layer_shapes(n_in, n_out)
    ]
    return candidate, form, features, parameters, calibrate(candidate, form, parameters, form.apply(features), None)


def logits_of(layer, members, inputs):
    """Return what the layer makes of the members, each `(layout, parameters, bits, steps)`."""
    from nas_fpga.training._model import quantizers

    layer.build((None, layer.layout.widths[0]))
    packed = [layer.layout.pack(parameters) for parameters, _, _ in members]
    frozen = [quantizers(layer.layout, bits, steps) for _, bits, steps in members]
    for variable, values in zip(layer.trainable_variables, zip(*packed, strict=True), strict=True):
        variable.assign(np.stack(values))
    for variable, values in zip(layer.non_trainable_variables, zip(*frozen, strict=True), strict=True):
        variable.assign(np.stack(values))
    return np.asarray(layer(inputs), np.float64)


@pytest.mark.parametrize("topology", [(7, 5), (3,), (6, 8, 1, 4)])
def test_computes_the_frozen_integers_padded_or_not(topology):
    """What is trained is what is exported: the same outputs before and after freezing."""
    from nas_fpga.training._model import PopulationMLP

    rng = np.random.default_rng(0)
    bits = BitWidths(4, 3)
    candidate, form, features, parameters, steps = random_network(rng, topology, 4, 2, bits)
    network = freeze(candidate, form, parameters, steps)
    assert max(network.accumulator_bits()) <= 24
    expected = network.logits(features)
    assert np.ptp(expected) > 0
    for hidden in (topology, (8,) * len(topology)):
        layer = PopulationMLP(Layout((4, *hidden, 2)))
        got = logits_of(layer, [(parameters, bits, steps)], form.apply(features))
        assert np.count_nonzero(got != expected) == 0


def test_members_have_bits_and_parameters_of_their_own():
    from nas_fpga.training._model import PopulationMLP

    rng = np.random.default_rng(1)
    members, expected, inputs = [], [], []
    for topology, bits in (((7, 5), BitWidths(4, 3)), ((2, 8), BitWidths(2, 6)), ((8, 8), BitWidths(8, 1))):
        candidate, form, features, parameters, steps = random_network(rng, topology, 4, 1, bits)
        members.append((parameters, bits, steps))
        inputs.append(form.apply(features))
        expected.append(freeze(candidate, form, parameters, steps).logits(features))
    got = logits_of(PopulationMLP(Layout((4, 8, 8, 1)), members=3), members, np.stack(inputs))
    assert np.count_nonzero(got != np.stack(expected)) == 0


def test_gradients_pass_straight_through_inside_the_range_only():
    import jax

    from nas_fpga.training._model import _quantize

    x = np.array([-3.0, -0.9, 0.1, 0.4, 3.0], np.float32)
    assert np.asarray(_quantize(x, 0.5, -2.0, 1.0)).tolist() == [-1.0, -1.0, 0.0, 0.5, 0.5]
    gradient = jax.grad(lambda x: (2 * _quantize(x, 0.5, -2.0, 1.0)).sum())(x)
    assert np.asarray(gradient).tolist() == [0, 2, 2, 2, 0]


def test_the_gradient_at_a_logit_of_zero_is_right():
    import jax

    from nas_fpga.training._model import mean_loss

    slope = jax.grad(lambda z: mean_loss(z, np.array([1]), np.array([1.0], np.float32)))(np.zeros((1, 1), np.float32))
    assert float(slope[0, 0]) == pytest.approx(-0.5)


def test_adam_is_that_of_keras():
    import keras

    from nas_fpga.training._adam import AdamSettings, AdamState, adam, corrections

    rng = np.random.default_rng(2)
    start = [rng.standard_normal((2, n)).astype(np.float32) for n in (5, 3)]
    settings = [(1e-2, 0.9, 0.999, 1e-7, 0.1), (3e-3, 0.5, 0.9, 1e-3, 0.0)]
    parameters, state = tuple(start), AdamState(*[tuple(map(np.zeros_like, start))] * 2)
    rate, beta_1, beta_2, epsilon, decay = np.float32(settings).T[..., None]
    shared = AdamSettings(1 - beta_1, 1 - beta_2, epsilon)
    gradients = [tuple(rng.standard_normal(p.shape).astype(np.float32) for p in start) for _ in range(5)]
    names = ("learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay")
    of_steps = np.stack(
        [
            np.concatenate([corrections(of, 0, 2), corrections(of, 1, 2), corrections(of, 4, 1)])
            for of in (TrainingSettings(**dict(zip(names, values, strict=True))) for values in settings)
        ]
    )
    for step, gradient in enumerate(gradients):
        corrected = rate * of_steps[:, [step]]
        parameters, state = adam(parameters, state, gradient, (corrected, corrected), (rate * decay, 0.0), shared)
    for member, (rate, beta_1, beta_2, epsilon, decay) in enumerate(settings):
        variables = [keras.Variable(p[member], name=name) for p, name in zip(start, ("kernels", "biases"), strict=True)]
        optimizer = keras.optimizers.AdamW(rate, decay, beta_1, beta_2, epsilon)
        optimizer.exclude_from_weight_decay(var_names=["biases"])
        optimizer.build(variables)
        for gradient in gradients:
            optimizer.apply([g[member] for g in gradient], variables)
        for ours, theirs in zip(parameters, variables, strict=True):
            assert np.asarray(ours[member]) == pytest.approx(np.asarray(theirs.value), rel=1e-5, abs=1e-6)
