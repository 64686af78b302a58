"""Models with HGQ2's quantizers: the same integers, or what is approximated."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from hgq.config import QuantizerConfig, QuantizerConfigScope
from hgq.layers import QBatchNormDense, QDense, QSoftmax, Quantizer
from hgq.utils import trace_minmax

from nas_fpga.errors import InputError
from nas_fpga.export import hgq_model
from nas_fpga.space import BitWidths, LearnedBits
from tests.export.networks import learned_network, raw_features
from tests.models.told import biases_of, read, weights_of

FEATURES = np.random.default_rng(1).normal(size=(1000, 16)).astype(np.float32) * 2
PLACES = ("weight", "bias", "datalane")


def with_random_bits(model, seed=0):
    """The model with biases, and every quantizer with bits of its own, some of them none."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if not hasattr(layer, "kernel"):
            continue
        layer.bias.assign(rng.normal(size=layer.bias.shape) * 0.3)
        for quantizer in (layer.iq, layer.kq, layer.bq):
            inner = quantizer.quantizer
            variable = inner._f if hasattr(inner, "_f") else inner._b
            variable.assign(np.asarray(variable) + rng.integers(-3, 2, variable.shape))
        integer = layer.iq.quantizer._i
        integer.assign(np.asarray(integer) - 9.0 * (rng.random(integer.shape) < 0.1))
    return model


def check_exact(model, path, features=FEATURES, lines=()):
    """Read the saved model: the logits are those of Keras."""
    model.save(path)
    network, mapping, told = read(path)
    assert told == list(lines)
    assert mapping is None
    assert max(network.accumulator_bits()) <= 24  # else float32 could round where integers do not
    expected = model.predict(features, verbose=0)
    assert np.ptp(expected) > 0
    assert np.count_nonzero(network.logits(features) != expected) == 0
    return network


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_bits_of_every_number_are_kept(name, tmp_path):
    with QuantizerConfigScope(place=PLACES, round_mode="RND", overflow_mode="SAT"):
        hidden = [QDense(n, activation="relu") for n in (64, 32, 32)]
        model = with_random_bits(keras.Sequential([keras.Input((16,)), *hidden, QDense(5)]))
    network = check_exact(model, tmp_path / name)
    assert network.topology == (64, 32, 32)
    assert isinstance(network.candidate.bits, LearnedBits)
    for layer, dense in zip(network.layers, model.layers, strict=True):
        assert (weights_of(layer) == np.asarray(dense.qkernel)).all()
        assert (biases_of(layer) == np.asarray(dense.qbias)).all()
    for layer, dense in zip(network.layers[:-1], model.layers[1:], strict=True):
        _, integer, fraction = (np.ravel(bits) for bits in dense.iq.quantizer.kif)
        assert layer.activation_bits.tolist() == np.maximum(integer + fraction, 0).tolist()
        assert (layer.activation_bits == 0).any()
    signed, integer, fraction = (np.ravel(bits) for bits in model.layers[0].iq.quantizer.kif)
    assert network.input_format.bits.tolist() == np.maximum(signed + integer + fraction, 0).tolist()


def test_uniform_bits_are_seen(tmp_path):
    uniform = {"heterogeneous_axis": (), "homogeneous_axis": None}
    with (
        QuantizerConfigScope(place=PLACES, round_mode="RND", overflow_mode="SAT", **uniform),
        QuantizerConfigScope(place="datalane", k0=0, i0=3, f0=4),
        QuantizerConfigScope(place="weight", b0=5, i0=1),
    ):
        wide = {"kernel_initializer": keras.initializers.RandomUniform(-1.9, 1.9, seed=1)}
        layers = [QDense(9, activation="relu", **wide), keras.layers.Dropout(0.5)]
        layers += [QDense(7, **wide), keras.layers.ReLU(), QDense(2, **wide)]
        model = keras.Sequential([keras.Input((16,)), *layers])
    network = check_exact(model, tmp_path / "m.keras")
    assert network.candidate.bits == BitWidths(6, 7)
    assert network.input_format.bits.tolist() == [7] * 16
    assert not network.input_format.signed.any()


def test_what_we_write_is_read_as_it_was(tmp_path):
    network = learned_network(3, 9, (12, 7, 5), 3)
    features = raw_features(network, 1, 1000)
    got = check_exact(hgq_model(network), tmp_path / "m.keras", features)
    assert (got.input_format.bits == network.input_format.bits).all()
    for mine, theirs in zip(got.layers[:-1], network.layers[:-1], strict=True):
        assert (mine.activation_bits == theirs.activation_bits).all()
        assert (mine.activation_fraction_bits == theirs.activation_fraction_bits).all()
    assert got.ebops == network.ebops


def test_batch_normalization_inside_a_layer_and_quantizers_as_layers(tmp_path):
    with QuantizerConfigScope(place=PLACES, round_mode="RND", overflow_mode="SAT"):
        front = Quantizer(QuantizerConfig("kif", "datalane", k0=1, i0=2, f0=3))
        hidden = QBatchNormDense(9, activation="relu", enable_iq=False)
        output = Quantizer(QuantizerConfig("kif", "datalane", k0=0, i0=2, f0=2))
        last = QDense(2, enable_iq=False)
        model = keras.Sequential([keras.Input((16,)), front, hidden, output, last])
    hidden.moving_mean.assign(np.linspace(-1, 1, 16))
    hidden.moving_variance.assign(np.linspace(0.5, 2, 16))
    network = check_exact(model, tmp_path / "m.keras")
    assert network.layers[0].activation_bits.tolist() == [4] * 9


def test_an_output_quantizer_of_a_hidden_layer_counts(tmp_path):
    with QuantizerConfigScope(place=PLACES, round_mode="RND", overflow_mode="SAT"):
        coarse = QuantizerConfig("kif", "datalane", k0=0, i0=2, f0=2)
        layers = [QDense(9, activation="relu", enable_oq=True, oq_conf=coarse), QDense(2)]  # the next is finer
        model = keras.Sequential([keras.Input((16,)), *layers])
    network = check_exact(model, tmp_path / "m.keras")
    assert network.layers[0].activation_bits.tolist() == [4] * 9


@pytest.mark.parametrize("mode", ["WRAP", "SAT_SYM"])
def test_overflow_that_cannot_happen_is_exact(mode, tmp_path):
    with (
        QuantizerConfigScope(place=PLACES, round_mode="RND", overflow_mode=mode, trainable=False),
        QuantizerConfigScope(place="datalane", i0=7),
    ):
        front = Quantizer(QuantizerConfig("kif", "datalane", i0=2, f0=3, overflow_mode="SAT"))
        layers = [front, QDense(9, activation="relu", enable_iq=False), QDense(2)]
        model = keras.Sequential([keras.Input((16,)), *layers])
    check_exact(model, tmp_path / "m.keras")


def test_what_is_approximated_is_told(tmp_path):
    model = keras.Sequential([keras.Input((16,)), QDense(9, activation="relu", name="a"), QDense(2, name="b")])
    trace_minmax(model, FEATURES, verbose=False)
    told = [f"{tmp_path / 'm.keras'} is approximated: overflow WRAP is counted as SAT (a, b)"]
    check_exact(model, tmp_path / "m.keras", lines=told)  # it was traced on these features
    with QuantizerConfigScope(place="datalane", round_mode="TRN", overflow_mode="SAT"):
        layers = [QDense(9, activation="relu", name="a"), QDense(2, name="b", enable_oq=True), QSoftmax(name="c")]
        keras.Sequential([keras.Input((16,)), *layers]).save(tmp_path / "n.keras")
    _, _, (line,) = read(tmp_path / "n.keras")
    assert "rounding TRN is counted as RND (a, b)" in line
    assert "quantizer of the outputs is not counted (b); softmax at the end is not counted (c)" in line
    with QuantizerConfigScope(place=PLACES, round_mode="RND", overflow_mode="SAT"):
        finer = QuantizerConfig("kif", "datalane", k0=0, i0=2, f0=4)
        coarser = QuantizerConfig("kif", "datalane", k0=0, i0=3, f0=2)
        layers = [QDense(9, activation="relu", name="a", enable_oq=True, oq_conf=finer)]
        layers.append(QDense(2, name="b", iq_conf=coarser))
        keras.Sequential([keras.Input((16,)), *layers]).save(tmp_path / "o.keras")
    network, _, (line,) = read(tmp_path / "o.keras")
    assert line.endswith("two quantizers are counted as one (a, b)")
    assert network.layers[0].activation_bits.tolist() == [4] * 9


def test_what_has_no_quantizer_gets_bits(tmp_path):
    with QuantizerConfigScope(place=PLACES, round_mode="RND", overflow_mode="SAT"):
        layers = [QDense(9, activation="relu", enable_iq=False), keras.layers.Dense(4, name="plain"), QDense(2)]
        layers.insert(2, keras.layers.ReLU())
        keras.Sequential([keras.Input((16,)), *layers]).save(tmp_path / "m.keras")
    network, _, (line,) = read(tmp_path / "m.keras")
    assert "inputs, activations of q_dense" in line
    assert "weights of plain have no bits of their own and get 16" in line
    assert network.input_format.bits.tolist() == [16] * 16
    network, _, lines = read(tmp_path / "m.keras", bits=8, input_bits=10)
    assert lines == []
    assert network.layers[0].activation_bits.tolist() == [8] * 9
    assert network.input_format.bits.tolist() == [10] * 16


def test_what_cannot_be_expressed_is_refused(tmp_path):
    path = tmp_path / "m.keras"
    keras.Sequential([keras.Input((16,)), QDense(9, name="a"), QDense(2)]).save(path)
    with pytest.raises(InputError, match=r"activation 'linear' of hidden layer a of .*m\.keras.*must be relu"):
        read(path)
    keras.Sequential([keras.Input((16,)), QDense(9, activation="relu"), QDense(2)]).save(path)
    for options, word in (({"bits": 8}, "--bits 8"), ({"input_bits": 8}, "--input-bits 8")):
        with pytest.raises(InputError, match=f"{word} is for numbers without bits; .* leave it out"):
            read(path, **options)
    scaled = Quantizer(QuantizerConfig("kif", "datalane", scaler=0.3), name="scaled")
    keras.Sequential([keras.Input((16,)), scaled, QDense(9, activation="relu"), QDense(2)]).save(path)
    with pytest.raises(InputError, match=r"layer scaled of .* no power of two"):
        read(path)


# In a process of its own: qkeras.qlayers changes the constructors of HGQ2's layers for all that comes after.
QKERAS = """
import keras, numpy as np, sys
from qkeras.qlayers import QActivation, QDense
from qkeras.quantizers import quantized_bits, quantized_relu
keras.utils.set_random_seed(4)
def dense(n, **more):
    quantizers = {"kernel_quantizer": quantized_bits(6, 0, alpha=1), "bias_quantizer": quantized_bits(8, 1, alpha=1)}
    return QDense(n, **quantizers, **more)
layers = [QActivation(quantized_bits(9, 3, alpha=1), name="front"), dense(32, bias_initializer="normal")]
layers += [QActivation(quantized_relu(6, 2), name="relu"), dense(16, activation="relu")]
layers += [QActivation(quantized_bits(6, 2, alpha=2.0), name="scaled"), dense(5)]
model = keras.Sequential([keras.Input((16,)), *layers])
features = np.load(sys.argv[1] + "/features.npy")
model.save(sys.argv[1] + "/qkeras.keras")
np.save(sys.argv[1] + "/expected.npy", model.predict(features, verbose=0))
np.savez(sys.argv[1] + "/kernels.npz", *[np.asarray(x.qkernel) for x in model.layers if hasattr(x, "kernel")])
"""


@pytest.fixture(scope="module")
def qkeras_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qkeras")
    np.save(folder / "features.npy", FEATURES)
    subprocess.run([sys.executable, "-c", QKERAS, str(folder)], check=True, capture_output=True)
    return folder


def test_qkeras_layers(qkeras_folder):
    network, _, (line,) = read(qkeras_folder / "qkeras.keras")
    assert line.endswith("is approximated: rounding RND_CONV is counted as RND (front, relu, scaled)")
    assert network.topology == (32, 16)
    kernels = np.load(qkeras_folder / "kernels.npz")
    for layer, kernel in zip(network.layers, kernels.values(), strict=True):
        assert (weights_of(layer) == kernel).all()
    assert network.input_format.bits.tolist() == [10] * 16
    assert network.input_format.fraction_bits.tolist() == [6] * 16
    first, second = network.layers[:2]
    assert first.activation_bits.tolist() == [6] * 32
    assert first.activation_fraction_bits.tolist() == [4] * 32
    assert second.activation_bits.tolist() == [6] * 16
    assert second.activation_fraction_bits.tolist() == [3] * 16  # alpha doubles the step
    expected, got = np.load(qkeras_folder / "expected.npy"), network.logits(FEATURES)
    assert np.ptp(expected) > 1
    # They round ties to even, we up: on grids this coarse some sums are ties.
    assert np.mean(np.abs(got - expected).max(axis=1) == 0) > 0.5
    assert np.abs(got - expected).max() < 0.5
