"""Real training on a small task: exact, repeatable, independent of company, and right about failures."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from nas_fpga.data import Dataset, fit_input_format, split
from nas_fpga.export import hgq_model
from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.training import TrainingFailure, TrainingJob

SETTINGS = TrainingSettings(epochs=8, patience=8, batch_size=64)


def make_dataset(n_classes=2, n=2000, weights=None):
    rng = np.random.default_rng(3)
    labels = rng.integers(n_classes, size=n)
    centres = rng.standard_normal((n_classes, 6)) * 1.5
    features = (centres[labels] + rng.standard_normal((n, 6))) * [1, 10, 100, 1, 0.01, 1] + [0, 5, 300, 0, 0, -2]
    return Dataset(
        name="blobs",
        features=features.astype(np.float32),
        labels=labels,
        class_names=tuple(f"class {k}" for k in range(n_classes)),
        feature_names=tuple("abcdef"),
        feature_units=("",) * 6,
        weights=np.ones(n) if weights is None else weights,
        groups=np.arange(n),
        counted=np.ones(n, bool),
    )


def make_trainer(dataset):
    from nas_fpga.training._keras_trainer import KerasTrainer

    divided = split(dataset, 0)
    return KerasTrainer(dataset, divided, fit_input_format(dataset.features[divided.train])), divided


def job(number, topology, bits, seed=5, settings=SETTINGS):
    return TrainingJob(number, Candidate(topology, BitWidths(*bits), settings), seed)


def integers(result):
    (network,) = result.networks
    fractions = [layer.activation_fraction_bits.tolist() for layer in network.layers[:-1]]
    return [(layer.weights.tolist(), layer.bias.tolist()) for layer in network.layers], fractions


@pytest.fixture(scope="module")
def binary():
    dataset = make_dataset()
    trainer, divided = make_trainer(dataset)
    jobs = [job(0, (8,), (6, 6)), job(1, (6, 5), (4, 3)), job(2, (4, 4, 4), (2, 2))]
    return dataset, divided, trainer, jobs, {result.job.number: result for result in trainer.train(jobs)}


def test_networks_learn(binary):
    dataset, divided, _, _, results = binary
    for number, least in ((0, 0.95), (1, 0.93), (2, 0.85)):
        logits = results[number].networks[0].logits(dataset.features[divided.test])[:, 0]
        assert np.mean((logits >= 0) == dataset.labels[divided.test]) > least


def test_weights_use_their_bits_and_no_more(binary):
    for result in binary[-1].values():
        bits = result.job.candidate.bits
        for layer in result.networks[0].layers:
            assert layer.weights.min() >= -(2 ** (bits.weights - 1))
            assert layer.weights.max() <= 2 ** (bits.weights - 1) - 1
            assert len(np.unique(layer.weights)) > 1
        assert (result.networks[0].layers[0].activation_bits == bits.activations).all()


def test_the_curve_belongs_to_the_network(binary):
    """The loss noted for the best epoch is that of the integers that were kept."""
    dataset, divided, _, _, results = binary
    for result in results.values():
        curve = result.curve
        assert curve.best_epoch == int(np.argmin(curve.validation_loss))
        logits = result.networks[0].logits(dataset.features[divided.validation])[:, 0]
        labels = dataset.labels[divided.validation]
        losses = np.logaddexp(0, logits) - logits * labels
        share = np.bincount(labels) / len(labels)
        balanced = losses / (2 * share[labels])
        assert curve.validation_loss[curve.best_epoch] == pytest.approx(balanced.mean(), rel=1e-5)


def test_alone_or_in_company_in_any_order_the_result_is_the_same(binary):
    _, _, trainer, jobs, results = binary
    for result in trainer.train(jobs[::-1]):
        assert integers(result) == integers(results[result.job.number])
        assert result.curve == results[result.job.number].curve


def test_seeds_differ(binary):
    _, _, trainer, _, results = binary
    (other,) = trainer.train([job(0, (8,), (6, 6), seed=6)])
    assert integers(other) != integers(results[0])


def test_the_hgq2_model_of_a_trained_network_is_exact(binary):
    dataset, _, _, _, results = binary
    features = np.concatenate([dataset.features, dataset.features * 20, np.zeros((1, 6), np.float32)])
    for result in results.values():
        network = result.networks[0]
        model = hgq_model(network)
        got = np.asarray(model.predict(features, batch_size=1000, verbose=0), np.float64)
        assert np.count_nonzero(got != network.logits(features)) == 0


def test_the_keras_model_computes_the_frozen_integers():
    """What is trained is what is exported: same outputs before and after freezing."""
    from nas_fpga.training._calibration import calibrate, freeze
    from nas_fpga.training._model import build_model

    rng = np.random.default_rng(0)
    candidate = Candidate((7, 5), BitWidths(4, 3))
    form = fit_input_format(rng.standard_normal((500, 4)).astype(np.float32))
    features = rng.standard_normal((3000, 4)).astype(np.float32) * 2
    model = build_model(candidate, 4, 2)
    parameters = []
    for layer in model.layers:
        kernel = rng.standard_normal(layer.kernel.shape).astype(np.float32)
        bias = rng.standard_normal(layer.bias.shape).astype(np.float32)
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
        parameters.append((kernel, bias))
    steps = calibrate(candidate, form, parameters, form.apply(features), None)
    for layer, step in zip(model.layers, steps, strict=True):
        layer.assign_steps(step)
    network = freeze(candidate, form, parameters, steps)
    assert max(network.accumulator_bits()) <= 24
    got = np.asarray(model(form.apply(features)), np.float64)
    assert np.count_nonzero(got != network.logits(features)) == 0
    assert np.ptp(got) > 0


def test_gradients_pass_straight_through_inside_the_range_only():
    import keras

    if keras.backend.backend() != "jax":
        pytest.fail("the tests run on the JAX backend")
    import jax

    from nas_fpga.training._model import _quantize

    gradient = jax.grad(lambda x: _quantize(x, 0.5, -2.0, 1.0).sum())(np.array([-3.0, -0.9, 0.1, 0.4, 3.0], np.float32))
    assert np.asarray(gradient).tolist() == [0, 1, 1, 1, 0]


def test_the_gradient_at_a_logit_of_zero_is_right():
    import jax

    from nas_fpga.training._model import mean_loss

    slope = jax.grad(lambda z: mean_loss(z, np.array([1]), np.array([1.0], np.float32)))(np.zeros((1, 1), np.float32))
    assert float(slope[0, 0]) == pytest.approx(-0.5)


def test_several_classes():
    dataset = make_dataset(n_classes=4)
    trainer, divided = make_trainer(dataset)
    (result,) = trainer.train([job(0, (12,), (6, 6))])
    logits = result.networks[0].logits(dataset.features[divided.test])
    assert logits.shape == (len(divided.test), 4)
    assert np.mean(logits.argmax(axis=1) == dataset.labels[divided.test]) > 0.9


def test_rows_of_weight_zero_teach_nothing():
    dataset = make_dataset()
    wrong = np.random.default_rng(1).random(2000) < 0.6
    labels = np.where(wrong, 1 - dataset.labels, dataset.labels)
    poisoned = Dataset(**{**vars(dataset), "labels": labels, "weights": np.where(wrong, 0.0, 1.0)})
    trainer, _ = make_trainer(poisoned)
    (result,) = trainer.train([job(0, (8,), (6, 6))])
    logits = result.networks[0].logits(dataset.features)[:, 0]
    assert np.mean((logits >= 0) == dataset.labels) > 0.93


def test_a_diverging_candidate_fails_and_its_neighbours_do_not(binary):
    _, _, trainer, jobs, results = binary
    hot = TrainingSettings(learning_rate=1e38, epochs=8, patience=8, batch_size=64)
    failed, fine = trainer.train([job(7, (8,), (6, 6), settings=hot), jobs[0]])
    assert isinstance(failed, TrainingFailure)
    assert "DivergedError" in failed.cause
    assert "\n" not in failed.cause
    assert integers(fine) == integers(results[0])


_TENSORFLOW = """
import json, numpy as np
from tests.training.test_keras_trainer import job, make_dataset, make_trainer
import keras
dataset = make_dataset()
trainer, divided = make_trainer(dataset)
(result,) = trainer.train([job(0, (8,), (6, 6))])
logits = result.networks[0].logits(dataset.features[divided.test])[:, 0]
print(json.dumps([keras.backend.backend(), float(np.mean((logits >= 0) == dataset.labels[divided.test])),
                  list(result.curve.train_loss)]))
"""


def test_tensorflow_trains_the_same_way(binary):
    """Same initial weights and row orders: the first epoch agrees to rounding, the end in quality."""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", _TENSORFLOW], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    backend, accuracy, losses = json.loads(done.stdout.splitlines()[-1])
    assert backend == "tensorflow"
    assert accuracy > 0.95
    assert losses[0] == pytest.approx(binary[-1][0].curve.train_loss[0], rel=0.02)
