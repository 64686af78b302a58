from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from nas_fpga.data import InputFormat
from nas_fpga.errors import StudyError
from nas_fpga.space import BitWidths, Candidate, LearnedBits, TrainingSettings
from nas_fpga.training import QuantizedLayer, QuantizedNetwork


def random_network(seed: int) -> QuantizedNetwork:
    """One to three hidden layers; every feature and output has bits and a binary point of its own, or none.

    Some weights are 0, of all the inputs or outputs of a neuron too.
    """
    rng = np.random.default_rng(seed)
    d, n_outputs = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    widths = tuple(int(w) for w in rng.integers(1, 7, rng.integers(1, 4)))
    weight_bits = int(rng.integers(2, 9))
    input_format = InputFormat(
        bits=rng.integers(2, 11, d) * (rng.random(d) < 0.8),
        signed=rng.random(d) < 0.5,
        fraction_bits=rng.integers(-3, 6, d),
        scale_log2=rng.integers(-2, 3, d),
    )
    density = rng.choice([0.2, 0.5, 1.0])
    layers = []
    for i, (n_in, n_out) in enumerate(zip((d, *widths), (*widths, n_outputs), strict=True)):
        top = 2 ** (weight_bits - 1)
        hidden = i < len(widths)
        layers.append(
            QuantizedLayer(
                weights=(rng.integers(-top, top, (n_in, n_out)) * (rng.random((n_in, n_out)) < density)).astype(
                    np.int32
                ),
                weight_fraction_bits=int(rng.integers(-2, 9)),
                bias=rng.integers(-500, 500, n_out),
                bias_fraction_bits=int(rng.integers(-2, 14)),
                activation_bits=rng.integers(0, 9, n_out) if hidden else None,
                activation_fraction_bits=rng.integers(-4, 7, n_out) if hidden else None,
            )
        )
    candidate = Candidate(widths, LearnedBits())
    return QuantizedNetwork(candidate, input_format, tuple(layers))


def power(exponent: int) -> Fraction:
    return Fraction(2) ** int(exponent)


def slow_sums(network: QuantizedNetwork, features: np.ndarray) -> list[list[Fraction]]:
    """Outputs before activation of every layer for one row, with Python's integers and fractions only."""
    entering = network.input_format.integers(features[None])[0]
    values = [int(q) * power(-g) for q, g in zip(entering, network.input_format.grid_bits, strict=True)]
    sums = []
    for layer in network.layers:
        sums.append(
            [
                sum(
                    (v * int(layer.weights[i, j]) * power(-layer.weight_fraction_bits) for i, v in enumerate(values)),
                    start=int(layer.bias[j]) * power(-layer.bias_fraction_bits),
                )
                for j in range(layer.n_out)
            ]
        )
        if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
            values = [
                min(max((z * power(f) + Fraction(1, 2)).__floor__(), 0), 2 ** int(b) - 1) * power(-f)
                for z, b, f in zip(sums[-1], layer.activation_bits, layer.activation_fraction_bits, strict=True)
            ]
    return sums


@given(st.integers(0, 100_000))
@settings(max_examples=150, deadline=None)
def test_logits_equal_exact_integer_arithmetic(seed: int) -> None:
    network = random_network(seed)
    features = np.random.default_rng(seed).normal(0, 8, (5, len(network.input_format.signed))).astype(np.float32)
    expected = [[float(z) for z in slow_sums(network, row)[-1]] for row in features]
    assert_array_equal(network.logits(features), np.array(expected))


def reach_and_grid(network: QuantizedNetwork, k: int, j: int) -> tuple[Fraction, int]:
    """Largest magnitude of a sum, and the fraction bits on which all its terms lie."""
    form, layer = network.input_format, network.layers[k]
    if k == 0:
        tops = [2 ** (int(b) - 1) if s and b else 2 ** int(b) - 1 for b, s in zip(form.bits, form.signed, strict=True)]
        points = form.grid_bits
    else:
        before = network.layers[k - 1]
        assert before.activation_bits is not None
        assert before.activation_fraction_bits is not None
        tops, points = [2 ** int(b) - 1 for b in before.activation_bits], before.activation_fraction_bits
    terms = [
        (top * abs(int(w)) * power(-g - layer.weight_fraction_bits), int(w) * power(-g - layer.weight_fraction_bits))
        for top, w, g in zip(tops, layer.weights[:, j], points, strict=True)
        if top and w
    ]
    bias = int(layer.bias[j]) * power(-layer.bias_fraction_bits)
    terms += [(abs(bias), bias)] if bias else []
    grid = max((finest_bit(term) for _, term in terms), default=0)
    return sum((reach for reach, _ in terms), start=Fraction(0)), grid


def finest_bit(value: Fraction) -> int:
    """Fraction bits that a number needs: those of its lowest bit that is set."""
    return next(f for f in range(-60, 60) if (value * power(f)).denominator == 1)


@given(st.integers(0, 100_000))
@settings(max_examples=150, deadline=None)
def test_accumulator_bits_hold_every_sum(seed: int) -> None:
    network = random_network(seed)
    rng = np.random.default_rng(seed)
    features = (rng.choice([-1, 1], (20, len(network.input_format.signed))) * 1e6).astype(np.float32)  # saturated
    bits = network.accumulator_bits()
    of_outputs = [[reach_and_grid(network, k, j) for j in range(x.n_out)] for k, x in enumerate(network.layers)]
    for row in features:
        for sums, known, width in zip(slow_sums(network, row), of_outputs, bits, strict=True):
            for z, (_, grid) in zip(sums, known, strict=True):
                integer = z * power(grid)
                assert integer.denominator == 1
                assert -(2 ** (width - 1)) <= integer <= 2 ** (width - 1) - 1
    for known, width in zip(of_outputs, bits, strict=True):
        assert 2 ** (width - 1) > max(reach * power(grid) for reach, grid in known) >= 2 ** (width - 1) // 2


def test_accumulator_bits_of_a_known_layer() -> None:
    """Inputs to 7 (3 bits), weights 3 and -2, bias 1: at most 7 * 5 + 1 = 36 in magnitude, 7 bits with the sign."""
    inputs = InputFormat(np.array([3, 3]), np.array([False, False]), np.array([0, 0]), np.array([0, 0]))
    layer = QuantizedLayer(np.array([[3], [-2]], np.int32), 0, np.array([1]), 0, None, None)
    network = QuantizedNetwork(Candidate((1,), BitWidths(3, 3)), inputs, (layer,))
    assert network.accumulator_bits() == (7,)


class TestPruned:
    @given(st.integers(0, 100_000))
    @settings(max_examples=300, deadline=None)
    def test_computes_the_same_with_nothing_that_cannot_matter(self, seed: int) -> None:
        network = random_network(seed)
        pruned = network.pruned()
        features = np.random.default_rng(seed).normal(0, 30, (200, len(network.input_format.signed))).astype(np.float32)
        assert_array_equal(pruned.logits(features), network.logits(features))
        assert pruned.candidate == network.candidate
        assert len(pruned.topology) == len(network.topology)
        assert all(n <= m for n, m in zip(pruned.topology, network.topology, strict=True))
        if not pruned.layers[-1].weights.any():
            assert set(pruned.topology) == {1}
            assert not pruned.input_format.used.any()
            return
        assert_array_equal(pruned.input_format.used, pruned.layers[0].weights.any(axis=1))
        for layer, after in itertools.pairwise(pruned.layers):
            assert layer.weights.any(axis=0).all()
            assert after.weights.any(axis=1).all()
            assert layer.activation_bits is not None
            assert layer.activation_bits.min() > 0
        for layer in pruned.layers:
            assert np.bitwise_or.reduce(layer.weights, axis=None) & 1  # the finest weight has the last bit

    @given(st.integers(0, 100_000))
    @settings(max_examples=100, deadline=None)
    def test_twice_is_once(self, seed: int) -> None:
        once = random_network(seed).pruned()
        assert_networks_equal(once.pruned(), once)

    def test_a_neuron_that_always_saturates_is_a_constant(self) -> None:
        """An input of 0 to 7 and a bias of 2 give 2 to 9, and 1.5 after an activation of two bits: -3 of it is -4.5."""
        form = InputFormat(np.array([3]), np.zeros(1, bool), np.zeros(1, np.int64), np.zeros(1, np.int64))
        hidden = QuantizedLayer(
            np.array([[1, 1]], np.int32), 0, np.array([2, 0]), 0, np.array([2, 3]), np.array([1, 0])
        )
        output = QuantizedLayer(np.array([[-3], [1]], np.int32), 0, np.array([0]), 0, None, None)
        network = QuantizedNetwork(Candidate((2,), LearnedBits()), form, (hidden, output))
        pruned = network.pruned()
        assert pruned.topology == (1,)
        assert (pruned.layers[1].bias * 2.0 ** -pruned.layers[1].bias_fraction_bits).tolist() == [-4.5]
        features = np.arange(8, dtype=np.float32)[:, None]
        assert_array_equal(pruned.logits(features), np.arange(8)[:, None] - 4.5)
        assert_array_equal(network.logits(features), pruned.logits(features))

    def test_a_known_network(self) -> None:
        """Of three neurons one is constant, one feeds nothing; the constant goes into the bias of the output."""
        form = InputFormat(np.array([4, 4, 4]), np.zeros(3, bool), np.zeros(3, np.int64), np.zeros(3, np.int64))
        hidden = QuantizedLayer(
            np.array([[2, 0, 4], [0, 0, 6], [-6, 0, 0]], np.int32),
            3,
            np.array([5, 11, 7]),
            2,
            np.array([6, 3, 6]),
            np.array([1, 0, 1]),
        )
        output = QuantizedLayer(np.array([[1], [5], [0]], np.int32), 4, np.array([9]), 0, None, None)
        network = QuantizedNetwork(Candidate((3,), LearnedBits()), form, (hidden, output))
        pruned = network.pruned()
        assert network.topology == (3,)
        assert pruned.topology == (1,)
        assert pruned.input_format.bits.tolist() == [4, 0, 4]
        assert pruned.layers[0].weights.tolist() == [[1], [0], [-3]]
        assert pruned.layers[0].weight_fraction_bits == 2
        # 11 / 4 rounds to 3, times 5 / 16 is 15 / 16, beside the bias of 9: 159 / 16
        assert pruned.layers[1].bias.tolist() == [159]
        assert pruned.layers[1].bias_fraction_bits == 4

    def test_a_constant_network_keeps_a_neuron_a_layer(self) -> None:
        network = random_network(2)
        dead = replace(network.layers[0], weights=np.zeros_like(network.layers[0].weights))
        pruned = replace(network, layers=(dead, *network.layers[1:])).pruned()
        assert pruned.topology == (1,) * len(network.topology)
        assert np.ptp(pruned.logits(np.random.default_rng(0).normal(0, 9, (50, dead.n_in))), axis=0).max() == 0


def assert_networks_equal(one: QuantizedNetwork, other: QuantizedNetwork) -> None:
    assert one.candidate == other.candidate
    for name in ("bits", "signed", "fraction_bits", "scale_log2"):
        assert_array_equal(getattr(one.input_format, name), getattr(other.input_format, name), strict=True)
    for a, b in zip(one.layers, other.layers, strict=True):
        for name in ("weights", "bias", "activation_bits", "activation_fraction_bits"):
            assert_array_equal(getattr(a, name), getattr(b, name), strict=True)
        assert (a.weight_fraction_bits, a.bias_fraction_bits) == (b.weight_fraction_bits, b.bias_fraction_bits)


class TestCheckpoint:
    def test_round_trip(self, tmp_path: Path) -> None:
        for seed in range(20):
            network = random_network(seed)
            network.save(tmp_path / "network.npz")
            loaded = QuantizedNetwork.load(tmp_path / "network.npz")
            assert_networks_equal(loaded, network)
            assert loaded.layers[0].weights.dtype == np.int32
        assert [path.name for path in tmp_path.iterdir()] == ["network.npz"]

    def test_of_format_1(self) -> None:
        """One number of bits for all features, and for all outputs of a layer."""
        network = QuantizedNetwork.load(Path(__file__).parent / "data" / "network_of_format_1.npz")
        assert str(network.candidate) == "5-3 w4a6"
        assert network.topology == (5, 3)
        assert network.input_format.bits.tolist() == [10, 10]
        first, second, output = network.layers
        assert first.activation_bits is not None
        assert second.activation_fraction_bits is not None
        assert first.activation_bits.tolist() == [6] * 5
        assert second.activation_fraction_bits.tolist() == [3] * 3
        assert (output.activation_bits, output.activation_fraction_bits) == (None, None)
        features = np.array([[1.5, -0.25], [-3.0, 100.0]], np.float32)
        assert network.logits(features).tolist() == [[0.02734375], [-0.72265625]]  # as they were then

    def test_settings_are_given_back(self) -> None:
        network = random_network(0)
        candidate = Candidate(network.candidate.topology, network.candidate.bits, TrainingSettings(epochs=3))
        assert replace(network, candidate=candidate).candidate.settings.epochs == 3

    @pytest.mark.parametrize("kept", [0, 1, 30, 200, -1, -30])
    def test_truncated(self, tmp_path: Path, kept: int) -> None:
        path = tmp_path / "network.npz"
        random_network(0).save(path)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(StudyError, match=r"checkpoint .*network\.npz cannot be read .*; bring it back"):
            QuantizedNetwork.load(path)

    def test_flipped_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "network.npz"
        random_network(0).save(path)
        whole = path.read_bytes()
        rng = np.random.default_rng(0)
        for _ in range(200):
            damaged = bytearray(whole)
            damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
            path.write_bytes(damaged)
            try:
                QuantizedNetwork.load(path)
            except StudyError as error:
                assert len(str(error).splitlines()) == 1  # noqa: PT017 - a flip in what zip does not check may pass

    def test_foreign(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "other.npz", x=np.zeros(3))
        with pytest.raises(StudyError, match=r"other\.npz cannot be read"):
            QuantizedNetwork.load(tmp_path / "other.npz")

    def test_of_another_version(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("nas_fpga.training._network._FORMAT", 3)
            random_network(0).save(tmp_path / "network.npz")
        with pytest.raises(StudyError, match=r"cannot be read \(format 3, this version reads up to 2\); bring it back"):
            QuantizedNetwork.load(tmp_path / "network.npz")

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(StudyError, match=r"gone\.npz is gone; bring it back"):
            QuantizedNetwork.load(tmp_path / "gone.npz")

    def test_a_failed_write_leaves_the_old_file_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "network.npz"
        random_network(0).save(path)
        whole = path.read_bytes()

        def no_space(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", no_space)
        with pytest.raises(OSError, match="No space"):
            random_network(1).save(path)
        assert path.read_bytes() == whole
        assert [p.name for p in tmp_path.iterdir()] == ["network.npz"]
