"""Float Keras models: which bits their numbers get, what is folded, and what is refused."""

import keras
import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.models import float_parameters, read_model
from nas_fpga.space import BitWidths
from tests.models.told import biases_of, read, softmax, weights_of

k = keras.layers
FEATURES = np.random.default_rng(1).normal(size=(1000, 16)).astype(np.float32)


def normalized(model, seed=2):
    """The model with batch normalizations that have seen data."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, k.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    layers = [k.Dense(64, activation="relu", bias_initializer="normal"), k.Dense(32), k.ReLU(), k.Dropout(0.1)]
    layers += [
        k.Dense(32, use_bias=False),
        k.Activation("relu"),
        k.Identity(),
        k.Dense(5, activation="softmax", name="end"),
    ]
    return keras.Sequential([keras.Input((16,)), *layers])


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "float.keras"
    model.save(path)
    return path


def kernels_and_biases(model):
    dense = [layer for layer in model.layers if isinstance(layer, k.Dense)]
    return [np.asarray(layer.kernel) for layer in dense], [
        np.asarray(layer.bias) if layer.use_bias else np.zeros(layer.units) for layer in dense
    ]


@pytest.mark.parametrize(("bits", "integer"), [(16, 6), (12, 4), (8, 3), (6, 2), (2, 1)])
def test_numbers_get_the_bits_that_are_asked(model, file, bits, integer):
    network, mapping, lines = read(file, bits=bits)
    assert mapping is None
    assert network.topology == (64, 32, 32)
    assert network.candidate.bits == BitWidths(bits, bits)
    assert network.input_format.bits.tolist() == [bits] * 16
    assert network.input_format.signed.all()
    assert (bits - network.input_format.fraction_bits == integer).all()
    for layer in network.layers[:-1]:
        assert layer.activation_bits.tolist() == [bits] * layer.n_out
        assert (bits - layer.activation_fraction_bits == integer).all()
    for layer, kernel in zip(network.layers, kernels_and_biases(model)[0], strict=True):
        largest = np.abs(kernel).max()
        reach = 2.0 ** (bits - 1 - layer.weight_fraction_bits)
        assert reach / 2 <= largest < reach
        step = 2.0**-layer.weight_fraction_bits
        error = np.abs(weights_of(layer) - kernel)[kernel < reach - step]  # the largest saturate
        assert error.max() <= step / 2
        assert (np.abs(layer.weights) <= 2 ** (bits - 1)).all()
    assert lines == [f"{file} is approximated: softmax at the end is not counted (end)"]


def test_sixteen_bits_are_the_default_and_close_to_float(model, file):
    network, _, lines = read(file)
    assert network.candidate.bits == BitWidths(16, 16)
    assert "all numbers have no bits of their own and get 16" in lines[0]
    assert "6 before the binary point; --bits N gives others" in lines[0]
    for layer, bias in zip(network.layers, kernels_and_biases(model)[1], strict=True):
        assert np.abs(biases_of(layer) - bias).max() <= 2.0**-20  # the grid of the sums
    expected = model.predict(FEATURES, verbose=0)
    assert np.ptp(expected) > 0.5
    # steps of 2**-10 at the inputs and in three hidden layers
    assert np.abs(softmax(network.logits(FEATURES)) - expected).max() < 2e-3


def test_inputs_have_bits_of_their_own(file):
    network, _, lines = read(file, bits=8, input_bits=10)
    assert network.input_format.bits.tolist() == [10] * 16
    assert network.input_format.fraction_bits.tolist() == [6] * 16
    assert network.candidate.bits == BitWidths(8, 8)
    assert len(lines) == 1


def test_the_old_format_gives_the_same(model, file, tmp_path):
    model.save(tmp_path / "float.h5")
    (old, _, _), (new, _, _) = read(tmp_path / "float.h5"), read(file)
    assert (old.logits(FEATURES) == new.logits(FEATURES)).all()


@pytest.mark.parametrize(
    "layers",
    [
        [k.BatchNormalization(), k.Dense(9, activation="relu"), k.Dense(3)],
        [k.Dense(9), k.BatchNormalization(), k.ReLU(), k.Dense(3, activation="sigmoid")],
        [k.Dense(9, use_bias=False, activation="relu"), k.BatchNormalization(center=False, scale=False), k.Dense(3)],
        [k.Dense(9, activation="relu"), k.BatchNormalization(), k.BatchNormalization(), k.Dense(3), k.Softmax()],
        [k.Dense(9, activation="relu"), k.Dense(3), k.BatchNormalization()],
    ],
)
def test_batch_normalization_is_folded(layers, tmp_path):
    model = normalized(keras.Sequential([keras.Input((16,)), *layers]))
    values = FEATURES.astype(np.float64)
    (first, offset), (second, last) = float_parameters(model, "here")
    logits = np.maximum(values @ first + offset, 0) @ second + last
    kinds = {getattr(layer, "activation", None) for layer in model.layers} | {type(layer) for layer in model.layers}
    if keras.activations.sigmoid in kinds:
        logits = 1 / (1 + np.exp(-logits))
    elif k.Softmax in kinds:
        logits = softmax(logits)
    expected = model.predict(FEATURES, verbose=0)
    assert np.abs(logits - expected).max() < 1e-4 * np.ptp(expected)  # float32
    model.save(tmp_path / "m.keras")
    network, _, _ = read(tmp_path / "m.keras")
    assert network.topology == (9,)


def test_an_image_may_be_flattened_in_front(tmp_path):
    model = keras.Sequential([keras.Input((4, 4)), k.Flatten(), k.Dense(6, activation="relu"), k.Dense(2)])
    model.save(tmp_path / "m.keras")
    network, _, _ = read(tmp_path / "m.keras")
    expected = model.predict(FEATURES.reshape(-1, 4, 4), verbose=0)
    assert np.abs(network.logits(FEATURES) - expected).max() < 0.01


def test_functional_models_are_chains_too(tmp_path):
    inputs = keras.Input((16,))
    hidden = k.Dropout(0.5)(k.Dense(7, activation="relu")(inputs))
    keras.Model(inputs, k.Dense(3)(hidden)).save(tmp_path / "m.keras")
    network, _, _ = read(tmp_path / "m.keras")
    assert network.topology == (7,)


def test_layers_of_other_models_are_followed_in_this_one():
    base = keras.Sequential([keras.Input((16,)), k.Dense(7, activation="relu"), k.Dropout(0.5), k.Dense(3)])
    inputs = keras.Input((16,))
    model = keras.Model(inputs, base.layers[2](base.layers[0](inputs)))
    network = read_model(model, message=print).network
    assert network.topology == (7,)
    assert np.abs(network.logits(FEATURES) - model.predict(FEATURES, verbose=0)).max() < 0.01


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_integers_of_keras_are_not_taken_for_weights(mode):
    model = keras.Sequential([keras.Input((16,)), k.Dense(8, activation="relu", name="first"), k.Dense(1)])
    model.quantize(mode)
    with pytest.raises(InputError, match=rf"layer first of .* is quantized by Keras \({mode}\); give it before"):
        read_model(model, message=print)


def branched():
    inputs = keras.Input((4,))
    hidden = k.Dense(4, activation="relu", name="trunk")(inputs)
    return keras.Model(inputs, k.Add(name="sum")([k.Dense(4, activation="relu", name="side")(inputs), hidden]))


def with_two_heads():
    inputs = keras.Input((4,))
    hidden = k.Dense(4, activation="relu")(inputs)
    return keras.Model(inputs, [k.Dense(1)(hidden), k.Dense(2)(hidden)])


def with_two_inputs():
    a, b = keras.Input((4,)), keras.Input((4,))
    return keras.Model([a, b], k.Dense(1)(k.Concatenate()([a, b])))


def repeated():
    inputs, dense = keras.Input((4,)), k.Dense(4, activation="relu", name="twice")
    return keras.Model(inputs, k.Dense(1, name="head")(dense(dense(inputs))))


def chain(*layers, shape=(4,)):
    return keras.Sequential([keras.Input(shape), *layers])


REFUSED = [
    (branched, ("does not follow", "a chain is needed")),
    (with_two_heads, ("1 inputs and 2 outputs", "one vector of each")),
    (with_two_inputs, ("2 inputs and 1 outputs", "one vector of each")),
    (repeated, ("layer head", "a chain is needed")),
    (lambda: chain(k.Dense(3, activation="tanh", name="t"), k.Dense(1)), ("activation 'tanh' of layer t", "relu")),
    (lambda: chain(k.Dense(3, name="t"), k.Dense(1)), ("activation 'linear' of hidden layer t", "must be relu")),
    (
        lambda: chain(k.Dense(3, activation="sigmoid", name="t"), k.Dense(1)),
        ("activation 'sigmoid' of hidden layer t", "must be relu"),
    ),
    (lambda: chain(k.Dense(3, activation="relu"), k.Dense(1, activation="relu")), ("'relu' of the output layer",)),
    (lambda: chain(k.Dense(3, name="t"), k.ReLU(max_value=6, name="six"), k.Dense(1)), ("layer six", "a plain one")),
    (lambda: chain(k.Dense(3, name="t"), k.LeakyReLU(name="leaky"), k.Dense(1)), ("layer leaky", "supported are")),
    (lambda: chain(k.Dense(1)), ("1 dense layers", "at least one hidden layer")),
    (
        lambda: chain(k.Conv1D(3, 2, name="conv"), k.Flatten(), k.Dense(1), shape=(8, 2)),
        ("layer conv (Conv1D)", "not supported; supported are Dense"),
    ),
    (
        lambda: chain(k.Dense(3, activation="relu", name="t"), k.Flatten(), k.Dense(1), shape=(8, 2)),
        ("layer t (Dense)", "shape (8, 2)", "only vectors"),
    ),
    (
        lambda: chain(k.ReLU(name="first"), k.Dense(3, activation="relu"), k.Dense(1)),
        ("layer first", "in front of the first dense layer", "take it out"),
    ),
    (
        lambda: chain(k.Dense(3), k.ReLU(), k.BatchNormalization(name="bn"), k.ReLU(), k.Dense(1)),
        ("batch normalization bn", "not beside a dense layer", "fold it"),
    ),
]


@pytest.mark.parametrize(("build", "words"), REFUSED, ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_what_is_not_supported_is_named(build, words, tmp_path):
    build().save(tmp_path / "m.keras")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "m.keras")
    text = str(caught.value)
    assert "\n" not in text
    assert "m.keras" in text
    assert all(word in text for word in words), text


def test_weights_must_be_numbers(tmp_path):
    model = chain(k.Dense(3, activation="relu", name="lost"), k.Dense(1))
    model.layers[0].kernel.assign(np.full((4, 3), np.nan))
    model.save(tmp_path / "m.keras")
    with pytest.raises(InputError, match=r"layer lost of .* no finite numbers"):
        read(tmp_path / "m.keras")


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_code_in_a_file_is_not_run(name, tmp_path):
    trace = tmp_path / "trace"
    code = eval(f"lambda x: (open({str(trace)!r}, 'w').close(), x)[1]")
    model = chain(k.Dense(3, activation="relu"), k.Lambda(code), k.Dense(1))
    model.save(tmp_path / name)
    trace.unlink()  # building it ran it
    with pytest.raises(InputError, match=r"cannot be loaded \(.*ambda"):
        read(tmp_path / name)
    assert not trace.exists()


def test_a_model_in_memory_is_read_as_its_file(model, file):
    lines = []
    found = read_model(model, bits=8, message=lines.append)
    of_file, _, _ = read(file, bits=8)
    assert (found.network.logits(FEATURES) == of_file.logits(FEATURES)).all()
    assert found.mapping is None
    assert lines == [f"model {model.name} is approximated: softmax at the end is not counted (end)"]


@pytest.mark.parametrize("value", [3, None, k.Dense(4), [1, 2]])
def test_what_is_no_model_is_named(value):
    with pytest.raises(InputError, match=r"^model .* is neither a path nor a model of Keras 3; give one of them$"):
        read_model(value, message=print)
