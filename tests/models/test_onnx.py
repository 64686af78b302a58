"""ONNX and QONNX files, against ONNX's own evaluator."""

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from nas_fpga.errors import InputError
from nas_fpga.space import BitWidths
from tests.models.told import biases_of, read, softmax, weights_of

FEATURES = np.random.default_rng(1).normal(size=(1000, 16)).astype(np.float32) * 2
DOMAIN = "qonnx.custom_op.general"


class Quant(OpRun):
    """QONNX's operator as its definition says: clamp, round, scale back."""

    op_domain = DOMAIN

    def _run(self, x, scale, zero, bits, signed=None, narrow=None, rounding_mode=None):
        low = -(2.0 ** (bits - 1)) + narrow if signed else 0.0
        high = 2.0 ** (bits - 1) - 1 if signed else 2.0**bits - 1 - narrow
        steps = np.clip(x / scale + zero, low, high)
        rounded = {"ROUND": np.round, "FLOOR": np.floor, "HALF_UP": lambda v: np.floor(v + 0.5)}[rounding_mode](steps)
        return (((rounded - zero) * scale).astype(np.float32),)


class Graph:
    """Nodes one after the other, written down shortly."""

    def __init__(self, shape=(None, 16)):
        self.nodes, self.constants, self.at = [], [], "x"
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(self, op, *inputs, name="", **attributes):
        out = f"v{len(self.nodes)}"
        domain = DOMAIN if op in ("Quant", "IntQuant", "BipolarQuant") else ""
        self.nodes.append(helper.make_node(op, list(inputs), [out], name=name, domain=domain, **attributes))
        return out

    def then(self, op, *inputs, **more):
        self.at = self.add(op, self.at, *inputs, **more)
        return self

    def quant(self, values, step, bits, rounding="HALF_UP", signed=1, narrow=0, name="", zero=0.0):
        inputs = (self.constant(step), self.constant(zero), self.constant(bits))
        return self.add("Quant", values, *inputs, signed=signed, narrow=narrow, rounding_mode=rounding, name=name)

    def then_quant(self, *arguments, **more):
        self.at = self.quant(self.at, *arguments, **more)
        return self

    def save(self, path):
        output = helper.make_tensor_value_info(self.at, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "g", [self.input], [output], self.constants)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
        return path


def normal(*shape):
    """Weights: the same for a shape each time."""
    return (np.random.default_rng(shape).normal(size=shape) * 0.3).astype(np.float32)


def parameters(graph, n):
    """Of a batch normalization."""
    return [graph.constant(np.random.default_rng((n, i)).uniform(0.5, 2, n)) for i in range(4)]


def expected(path, features=FEATURES):
    return ReferenceEvaluator(str(path), new_ops=[Quant]).run(None, {"x": features})[0]


def test_float_network(tmp_path):
    graph, kernels = Graph(), [normal(64, 16), normal(64, 32), normal(32, 32), normal(32, 5)]
    graph.then("Gemm", graph.constant(kernels[0]), graph.constant(normal(64)), transB=1).then("Relu")
    graph.then("Dropout").then("MatMul", graph.constant(kernels[1])).then("Add", graph.constant(normal(32)))
    graph.then("BatchNormalization", *parameters(graph, 32), epsilon=1e-3).then("Relu").then("Identity")
    turned = graph.add("Transpose", graph.constant(kernels[2].T), perm=[1, 0])
    graph.then("MatMul", turned).then("Relu")
    graph.then("Gemm", graph.constant(kernels[3])).then("Softmax", axis=-1, name="end")
    path = graph.save(tmp_path / "m.onnx")
    network, mapping, lines = read(path)
    assert mapping is None
    assert network.topology == (64, 32, 32)
    assert network.candidate.bits == BitWidths(16, 16)
    assert [line.partition(": ")[2] for line in lines][1] == "softmax at the end is not counted (end)"
    first, third = network.layers[0], network.layers[2]
    assert np.abs(weights_of(first) - kernels[0].T).max() <= 2.0 ** -(first.weight_fraction_bits + 1)
    assert np.abs(weights_of(third) - kernels[2]).max() <= 2.0 ** -(third.weight_fraction_bits + 1)
    assert network.input_format.fraction_bits.tolist() == [10] * 16
    # steps of 2**-10 through four layers
    assert np.abs(softmax(network.logits(FEATURES)) - expected(path)).max() < 0.05


def test_arithmetic_with_constants(tmp_path):
    graph = Graph((None, 4, 4))
    graph.then("Reshape", graph.constant([-1, 16], np.int64)).then("Sub", graph.constant(normal(16)))
    graph.then("Div", graph.constant(np.full(16, 3.0))).then("MatMul", graph.constant(normal(16, 8)))
    graph.then("Mul", graph.constant(2.0)).then("Add", graph.constant(normal(1, 8))).then("Relu")
    graph.then("MatMul", graph.constant(normal(8, 1)))
    graph.at = graph.add("Add", graph.constant([0.25]), graph.at)
    graph.then("Sigmoid")
    path = graph.save(tmp_path / "m.onnx")
    network, _, _ = read(path)
    probabilities = 1 / (1 + np.exp(-network.logits(FEATURES)))
    assert np.abs(probabilities - expected(path, FEATURES.reshape(-1, 4, 4))).max() < 0.01


def quantized(rounding="HALF_UP", narrow=0):
    """16-8-4-3 with 6-bit weights on power-of-two steps."""
    graph = Graph()
    graph.then_quant(0.125, 8, rounding, name="front")
    for i, (n_in, n_out) in enumerate([(16, 8), (8, 4), (4, 3)]):
        name = f"layer{i}"
        step = 2.0**-6 if i != 1 else np.exp2(-3.0 - np.arange(n_out) % 3)[None]  # one of them per channel
        weights = graph.quant(graph.constant(normal(n_in, n_out)), step, 6, rounding, narrow=narrow)
        graph.then("MatMul", weights, name=name)
        graph.then("Add", graph.quant(graph.constant(normal(n_out)), 2.0**-6, 8, rounding))
        if i < 2:
            graph.then("Relu").then_quant(2.0**-2, 5, rounding, signed=0, name=f"relu{i}")
    return graph


@pytest.mark.parametrize("narrow", [0, 1])
def test_qonnx_is_exact(narrow, tmp_path):
    path = quantized(narrow=narrow).save(tmp_path / "m.onnx")
    network, _, lines = read(path)
    assert lines == []
    assert network.topology == (8, 4)
    assert network.candidate.bits.activations == 5
    assert network.layers[1].weight_fraction_bits == 5  # the finest of its channels
    assert network.input_format.bits.tolist() == [8] * 16
    assert network.input_format.fraction_bits.tolist() == [3] * 16
    assert network.layers[0].activation_fraction_bits.tolist() == [2] * 8
    assert network.layers[0].weights.max() == 31
    assert network.layers[0].weights.min() == -32 + narrow
    outputs = expected(path)
    assert np.ptp(outputs) > 1
    assert np.count_nonzero(network.logits(FEATURES) != outputs) == 0


def test_quant_without_relu_is_a_relu_if_unsigned(tmp_path):
    graph = Graph()
    graph.then_quant(0.125, 8).then("MatMul", graph.quant(graph.constant(normal(16, 8)), 0.125, 6))
    graph.then_quant(0.25, 5, signed=0).then("MatMul", graph.quant(graph.constant(normal(8, 2)), 0.125, 6))
    path = graph.save(tmp_path / "m.onnx")
    network, _, lines = read(path)
    assert lines == []
    assert np.count_nonzero(network.logits(FEATURES) != expected(path)) == 0


def test_what_is_approximated_is_told(tmp_path):
    path = quantized("ROUND").save(tmp_path / "m.onnx")
    _, _, (line,) = read(path)
    assert line == f"{path} is approximated: rounding RND_CONV is counted as RND (front, relu0, relu1)"
    graph = Graph()
    steps = np.linspace(0.05, 0.15, 8)[None]
    graph.then_quant(0.1, 8).then("MatMul", graph.quant(graph.constant(kernel := normal(16, 8)), steps, 6)).then("Relu")
    graph.then_quant(0.3, 5, signed=0).then("MatMul", graph.quant(graph.constant(normal(8, 2)), 0.125, 6))
    network, _, (line,) = read(graph.save(tmp_path / "m.onnx"))
    assert "scales are rounded to powers of two (v" in line
    nearest = np.exp2(np.rint(np.log2(steps)))
    integers = np.clip(np.floor(kernel / steps + 0.5), -32, 31)
    assert (weights_of(network.layers[0]) == integers * nearest).all()  # the integers of the file
    assert network.input_format.fraction_bits.tolist() == [3] * 16
    assert network.layers[0].activation_bits.tolist() == [5] * 8
    assert network.layers[0].activation_fraction_bits.tolist() == [2] * 8
    graph = Graph()
    graph.then_quant(0.125, 8, narrow=1, name="front")
    graph.then("MatMul", graph.quant(graph.constant(kernel := normal(16, 8)), 0.125, 6))
    graph.then("BatchNormalization", *parameters(graph, 8), name="bn").then("Relu")
    graph.then_quant(0.25, 5, signed=0, narrow=1, name="top")
    graph.then("MatMul", graph.quant(graph.constant(normal(8, 2)), 0.125, 6))
    network, _, (line,) = read(graph.save(tmp_path / "m.onnx"))
    assert "scales are rounded to powers of two (bn)" in line
    assert "overflow narrow SAT is counted as SAT (top)" in line
    assert "overflow SAT_SYM is counted as SAT (front)" in line
    integers = np.clip(np.floor(kernel / 0.125 + 0.5), -32, 31)
    first = network.layers[0]
    shifts = np.log2(weights_of(first)[integers != 0] / np.broadcast_to(integers, (16, 8))[integers != 0])
    assert (shifts == np.rint(shifts)).all()  # the integers of the file, moved


def test_numbers_without_quantizers_get_bits(tmp_path):
    graph = Graph()
    graph.then("MatMul", graph.quant(graph.constant(normal(16, 8)), 0.125, 6), name="a")
    graph.then("Add", graph.constant(bias := normal(8))).then("Relu")
    graph.then("MatMul", graph.constant(normal(8, 2)), name="b")
    network, _, lines = read(graph.save(tmp_path / "m.onnx"), bits=8, input_bits=9)
    assert lines == []
    assert network.input_format.bits.tolist() == [9] * 16
    assert network.layers[0].activation_bits.tolist() == [8] * 8
    assert network.layers[0].weight_fraction_bits == 3
    assert np.abs(biases_of(network.layers[0]) - bias).max() <= 2.0 ** -(3 + network.input_format.fraction_bits[0] + 1)


def two_layers(graph=None):
    graph = graph or Graph()
    graph.then("MatMul", graph.constant(normal(16, 8))).then("Relu").then("MatMul", graph.constant(normal(8, 2)))
    return graph


def branched():
    graph = two_layers()
    return graph.then("Add", "v1", name="sum")


def of_images():
    return two_layers(Graph((None, 4, 16)))


def misfit():
    graph = Graph().then_quant(0.125, 8)
    return graph.then("MatMul", graph.quant(graph.constant(normal(16, 8)), np.full((1, 7), 0.5), 6))


REFUSED = [
    (misfit, ("is damaged (operands could not be broadcast", "export it again")),
    (branched, ("node sum (Add)", "does not follow", "a chain is needed")),
    (of_images, ("MatMul", "takes no vector", "Flatten in front")),
    (lambda: two_layers().then("Tanh", name="t"), ("node t (Tanh)", "supported are Gemm")),
    (lambda: two_layers().then("Relu", name="t"), ("activation 'relu' of the output layer",)),
    (lambda: two_layers().then("Softmax", axis=0, name="t"), ("node t (Softmax)", "axis 0")),
    (lambda: Graph().then("Relu", name="t"), ("0 dense layers",)),
    (lambda: (g := two_layers()).then("Div", g.constant([0.0, 1.0]), name="t"), ("node t (Div)", "divides by zero")),
    (lambda: (g := Graph()).then("Gemm", g.constant(normal(16, 8)), alpha=2.0, name="t"), ("node t", "alpha")),
    (lambda: (g := Graph()).then("MatMul", g.constant(normal(2, 16, 8)), name="t"), ("node t", "a matrix")),
    (lambda: (g := Graph()).then("Reshape", g.constant([1, 4, 4], np.int64), name="t"), ("node t", "[1.0, 4.0, 4.0]")),
    (lambda: Graph().then_quant(0.0, 8, name="t"), ("node t (Quant)", "scale that is not above 0")),
    (lambda: Graph().then_quant(0.5, 8, zero=3.0, name="t"), ("node t (Quant)", "zero point", "symmetrically")),
    (lambda: Graph().then_quant(0.5, 1, name="t"), ("node t (Quant)", "[1.0] bits", "2 to 32")),
    (lambda: Graph().then_quant(0.5, 6.5, name="t"), ("node t (Quant)", "[6.5] bits")),
    (lambda: Graph().then_quant(0.5, 6, "UP", name="t"), ("node t (Quant)", "rounds with UP", "HALF_UP")),
    (
        lambda: (g := Graph()).then("BipolarQuant", g.constant(1.0), name="t"),
        ("(BipolarQuant)", "supported are"),
    ),
    (
        lambda: (g := Graph()).then("MatMul", g.add("Exp", g.constant(normal(16, 8)), name="t")),
        ("node t (Exp)", "not supported on constants", "fold them"),
    ),
]


@pytest.mark.parametrize(("build", "words"), REFUSED, ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_what_is_not_supported_is_named(build, words, tmp_path):
    path = build().save(tmp_path / "m.onnx")
    with pytest.raises(InputError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    assert "m.onnx" in text
    assert all(word in text for word in words), text


def test_several_inputs_are_refused(tmp_path):
    graph = two_layers()
    second = helper.make_tensor_value_info("y", TensorProto.FLOAT, (16, 8))
    output = helper.make_tensor_value_info(graph.at, TensorProto.FLOAT, None)
    model = helper.make_model(helper.make_graph(graph.nodes, "g", [graph.input, second], [output], graph.constants))
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(InputError, match=r"m\.onnx has 2 inputs and 1 outputs"):
        read(tmp_path / "m.onnx")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    path = two_layers().save(tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install 'nas-fpga\[onnx\]'"):
        read(path)
