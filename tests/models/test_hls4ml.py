"""Project folders of hls4ml and of our own export."""

import re
import shutil

import hls4ml
import keras
import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.export import export
from nas_fpga.hardware import Mapping, estimate, make_target
from nas_fpga.space import BitWidths
from tests.export.designs import equal, make_design, silent
from tests.export.networks import learned_network, random_network, raw_features
from tests.models.told import biases_of, read, softmax, weights_of

k = keras.layers
LATENCY = Mapping("latency", (1, 1, 1))
FEATURES = np.random.default_rng(1).normal(size=(1000, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    layers = [k.Dense(64, activation="relu", name="first", bias_initializer="normal")]
    layers += [k.Dense(32, name="second"), k.ReLU(name="relu"), k.Dense(5, activation="softmax", name="last")]
    return keras.Sequential([keras.Input((16,)), *layers])


def convert(model, folder, backend="Vitis", io_type="io_parallel", strategy="Latency", reuse_factor=1):
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=backend)
    for layer in (config["Model"], *config["LayerName"].values()):
        layer |= {"Strategy": strategy, "ReuseFactor": reuse_factor}
    graph = hls4ml.converters.convert_from_keras_model(
        model, output_dir=str(folder), hls_config=config, backend=backend, io_type=io_type
    )
    graph.write()
    return folder


@pytest.fixture(scope="module")
def project(model, tmp_path_factory):
    return convert(model, tmp_path_factory.mktemp("hls4ml") / "latency")


@pytest.fixture
def copy(project, tmp_path):
    shutil.copytree(project, tmp_path / "copy")
    return tmp_path / "copy"


def check_weights(network, model):
    """The weights are those of Keras in `ap_fixed<16,6>`, which rounds down."""
    dense = [layer for layer in model.layers if isinstance(layer, k.Dense)]
    for layer, original in zip(network.layers, dense, strict=True):
        assert (weights_of(layer) == np.floor(np.asarray(original.kernel) * 1024) / 1024).all()
        assert (biases_of(layer) == np.floor(np.asarray(original.bias) * 1024) / 1024).all()


def test_default_project(model, project):
    network, mapping, (line,) = read(project)
    assert mapping == Mapping("latency", (1, 1, 1))
    assert network.topology == (64, 32)
    check_weights(network, model)
    assert network.input_format.bits.tolist() == [16] * 16
    assert network.input_format.fraction_bits.tolist() == [10] * 16
    assert network.input_format.signed.all()
    for layer in network.layers[:-1]:
        assert layer.activation_bits.tolist() == [15] * layer.n_out  # the sign of ap_fixed<16,6> is always 0
        assert layer.activation_fraction_bits.tolist() == [10] * layer.n_out
    assert "rounding TRN is counted as RND (input port, first_relu, relu)" in line
    assert "overflow WRAP is counted as SAT (input port, first_relu, relu)" in line
    assert "softmax at the end is not counted (last_softmax)" in line
    expected = model.predict(FEATURES, verbose=0)
    assert np.ptp(expected) > 0.4
    assert np.abs(softmax(network.logits(FEATURES)) - expected).max() < 0.02
    assert estimate(network, mapping, make_target()).lut.value > 1000


def test_streams_with_the_resource_strategy(model, tmp_path):
    folder = convert(model, tmp_path / "p", "Vivado", "io_stream", "Resource", 16)
    network, mapping, (line,) = read(folder)
    assert mapping == Mapping("resource", (16, 16, 16))
    check_weights(network, model)  # which are transposed in the files
    assert "weights are counted in the bits they need, fewer than their type has (first, second, last)" in line


def test_other_reuse_factors_and_strategies(copy):
    parameters = copy / "firmware" / "parameters.h"
    text = parameters.read_text()
    parameters.write_text(text.replace("reuse_factor = 1;", "reuse_factor = 4;", 1))
    _, mapping, (line,) = read(copy)
    assert mapping == Mapping("latency", (1, 1, 1))
    assert "reuse factor 4 of strategy Latency is counted as 1 (first)" in line
    parameters.write_text(text.replace("nnet::latency", "nnet::resource_unrolled", 1))
    _, mapping, (line,) = read(copy)
    assert mapping is None
    assert "the strategy is none that is known for all layers" in line


def test_types_round_and_wrap_as_they_do_in_c(copy):
    defines = copy / "firmware" / "defines.h"
    text = defines.read_text()
    default, _, _ = read(copy)
    weights = weights_of(default.layers[0])
    assert np.abs(weights).max() > 0.25
    defines.write_text(text.replace("ap_fixed<16,6> first_weight_t", "ap_fixed<6,-1> first_weight_t"))
    wrapped = weights_of(read(copy)[0].layers[0])
    steps = np.floor(weights * 128)
    assert (wrapped * 128 == (steps + 32) % 64 - 32).all()
    defines.write_text(text.replace("ap_fixed<16,6> first_weight_t", "ap_fixed<6,-1,AP_RND,AP_SAT,0> first_weight_t"))
    saturated = weights_of(read(copy)[0].layers[0])
    assert (saturated * 128 == np.clip(np.floor(weights * 128 + 0.5), -32, 31)).all()
    assert (wrapped != saturated).any()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A network with bits of its own everywhere, and its project."""
    network = learned_network(3, 6, (8, 5), 2)
    folder = tmp_path_factory.mktemp("exported") / "latency"
    export(make_design(network, LATENCY, 100), folder, message=silent)
    return network, folder


def test_what_we_export_is_read_from_its_network(exported):
    network, folder = exported
    found, mapping, lines = read(folder)
    assert lines == []
    assert mapping == LATENCY
    features = raw_features(network, 1, 1000)
    assert (found.logits(features) == network.logits(features)).all()
    assert found.candidate == network.candidate


def check_firmware(network, folder):
    """The C++ says the same as the network; its features are those behind the scales."""
    found, mapping, lines = read(folder / "hls")
    assert lines == []  # what hls4ml cuts off is never seen
    features = raw_features(network, 1, 1000)
    scaled = features * np.exp2(-network.input_format.scale_log2.astype(np.float64))
    expected = network.logits(features)
    assert np.ptp(expected) > 0
    assert np.count_nonzero(found.logits(scaled) != expected) == 0
    assert found.input_format.bits.tolist() == network.input_format.bits.tolist()
    for layer, original in zip(found.layers, network.layers, strict=True):
        assert (weights_of(layer) == weights_of(original)).all()
    assert abs(found.ebops - network.ebops) < 0.01 * network.ebops  # activations lose bits that never differ
    return mapping


def test_firmware_with_a_format_for_every_value(exported):
    network, folder = exported
    assert check_firmware(network, folder) == LATENCY
    found, _, _ = read(folder / "hls")
    for layer, original in zip(found.layers[:-1], network.layers[:-1], strict=True):
        assert len(np.unique(layer.activation_bits)) > 1
        assert (layer.activation_bits <= original.activation_bits).all()  # less where the top is never reached


def test_generated_code_that_is_not_there_is_named(exported, tmp_path):
    _, folder = exported
    shutil.copytree(folder / "hls", tmp_path / "hls")
    shutil.rmtree(tmp_path / "hls" / "firmware" / "nnet_utils")
    with pytest.raises(InputError, match=r"nnet::\w+_iq, whose code may be in .*nnet_code_gen\.h, which is not there"):
        read(tmp_path / "hls")


def test_firmware_with_one_format(tmp_path):
    network = equal(random_network(3, 9, (8, 3), BitWidths(6, 6)), True)
    mapping = Mapping("resource", (9, 8, 3))
    export(make_design(network, mapping, 100), tmp_path / "p", message=silent)
    assert check_firmware(network, tmp_path / "p") == mapping


def test_adder_graphs_are_read_from_the_network_only(tmp_path):
    network = learned_network(3, 5, (4,), 1)
    mapping = Mapping("distributed_arithmetic", (1, 1))
    export(make_design(network, mapping, 100), tmp_path / "p", message=silent)
    assert read(tmp_path / "p")[1] == mapping
    with pytest.raises(InputError, match=r"adder graph without its weights; give the Keras model or network\.npz"):
        read(tmp_path / "p" / "hls")
    (tmp_path / "p" / "network.npz").unlink()
    found, got, lines = read(tmp_path / "p")  # from model.keras
    assert (got, lines) == (mapping, [])
    features = raw_features(network, 1, 1000)
    assert (found.logits(features) == network.logits(features)).all()
    record = tmp_path / "p" / "design.json"
    record.write_text(record.read_text().replace('"distributed_arithmetic"', '"magic"'))
    with pytest.raises(InputError, match=r"design\.json is damaged .*; export the project again"):
        read(tmp_path / "p")


def test_the_wrapper_of_vivado_accelerator_is_passed_over(copy):
    whole, _, _ = read(copy)
    (copy / "firmware" / "myproject_axi.cpp").write_text('#include "myproject_axi.h"\n')
    found, _, _ = read(copy)
    features = raw_features(whole, 1, 100)
    assert (found.logits(features) == whole.logits(features)).all()


DAMAGES = [
    ("firmware/defines.h", None, None, ("defines.h cannot be read", "give the folder of an hls4ml project")),
    ("firmware/myproject.cpp", None, None, ("0 .cpp files", "convert the model again")),
    ("firmware/weights/w2.h", None, None, ("w2.h cannot be read",)),
    ("firmware/weights/w2.h", r"\{[^,]*,", "{", ("w2.h has 1023 numbers, its layer 1024",)),
    ("firmware/weights/w2.h", r"\{[^,]*,", "{what,", ("not as hls4ml writes it", "what")),
    ("firmware/weights/w2.h", r"(?s).*", "", ("w2.h has 0 numbers",)),
    ("firmware/defines.h", "first_weight_t", "other_t", ("not as hls4ml writes it ('first_weight_t')",)),
    ("firmware/parameters.h", "n_in = 16", "n_in = many", ("not as hls4ml writes it", "many")),
    ("firmware/myproject.cpp", "nnet::relu<", "nnet::tanh<", ("layer first_relu", "nnet::tanh; supported are dense")),
    ("firmware/myproject.cpp", "nnet::dense<", "nnet::conv_1d_cl<", ("layer first", "nnet::conv_1d_cl")),
    ("firmware/myproject.cpp", r"\(layer2_out, l", "(input_layer, l", ("layer first_relu", "a chain is needed")),
    (
        "firmware/myproject.cpp",
        r"layer7_out\[5\]\n",
        "layer7_out[5], b_t b[5]\n",
        ("has 3 ports; one input and one",),
    ),
    ("firmware/myproject.cpp", r"out, 0\.0, ", "out, 1.0, ", ("layer relu", "thresholded_relu")),
    ("firmware/parameters.h", "product::mult", "product::both_binary", ("layer first", "both_binary")),
    ("hls4ml_config.yml", "Backend: Vitis", "Backend: Quartus", ("for Quartus", "Vivado, VivadoAccelerator, Vitis")),
]


@pytest.mark.parametrize(("name", "pattern", "text", "words"), DAMAGES, ids=lambda value: value if value else "-")
def test_damage_is_one_line(copy, name, pattern, text, words):
    path = copy / name
    if pattern is None:
        path.unlink()
    else:
        changed = re.sub(pattern, text, path.read_text(), count=1 if pattern != "first_weight_t" else 0)
        assert changed != path.read_text()
        path.write_text(changed)
    with pytest.raises(InputError) as caught:
        read(copy)
    assert "\n" not in str(caught.value)
    assert str(copy) in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)
