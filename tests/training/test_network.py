from __future__ import annotations

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
from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.training import QuantizedLayer, QuantizedNetwork


def random_network(seed: int) -> QuantizedNetwork:
    """One to three hidden layers of any bits and binary points, the biases on the grid of the accumulator or near."""
    rng = np.random.default_rng(seed)
    d, n_outputs = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    widths = tuple(int(w) for w in rng.integers(1, 7, rng.integers(1, 4)))
    weight_bits, activation_bits = int(rng.integers(2, 9)), int(rng.integers(1, 9))
    input_format = InputFormat(
        bits=int(rng.integers(2, 11)),
        signed=rng.random(d) < 0.5,
        fraction_bits=rng.integers(-3, 6, d),
        scale_log2=rng.integers(-2, 3, d),
    )
    layers = []
    for i, (n_in, n_out) in enumerate(zip((d, *widths), (*widths, n_outputs), strict=True)):
        top = 2 ** (weight_bits - 1)
        hidden = i < len(widths)
        layers.append(
            QuantizedLayer(
                weights=rng.integers(-top, top, (n_in, n_out)).astype(np.int32),
                weight_fraction_bits=int(rng.integers(-2, 9)),
                bias=rng.integers(-500, 500, n_out),
                bias_fraction_bits=int(rng.integers(-2, 14)),
                activation_bits=activation_bits if hidden else None,
                activation_fraction_bits=int(rng.integers(-4, 7)) if hidden else None,
            )
        )
    candidate = Candidate(widths, BitWidths(weight_bits, activation_bits))
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
            step = power(-layer.activation_fraction_bits)
            top = 2**layer.activation_bits - 1
            values = [min(max((z / step + Fraction(1, 2)).__floor__(), 0), top) * step for z in sums[-1]]
    return sums


def grids(network: QuantizedNetwork) -> list[int]:
    """Fraction bits on which all sums of each layer lie."""
    finest, found = int(network.input_format.grid_bits.max()), []
    for layer in network.layers:
        found.append(max(finest + layer.weight_fraction_bits, layer.bias_fraction_bits))
        finest = layer.activation_fraction_bits or 0
    return found


@given(st.integers(0, 100_000))
@settings(max_examples=150, deadline=None)
def test_logits_equal_exact_integer_arithmetic(seed: int) -> None:
    network = random_network(seed)
    features = np.random.default_rng(seed).normal(0, 8, (5, len(network.input_format.signed))).astype(np.float32)
    expected = [[float(z) for z in slow_sums(network, row)[-1]] for row in features]
    assert_array_equal(network.logits(features), np.array(expected))


@given(st.integers(0, 100_000))
@settings(max_examples=150, deadline=None)
def test_accumulator_bits_hold_every_sum(seed: int) -> None:
    network = random_network(seed)
    rng = np.random.default_rng(seed)
    features = (rng.choice([-1, 1], (20, len(network.input_format.signed))) * 1e6).astype(np.float32)  # saturated
    bits = network.accumulator_bits()
    for row in features:
        for sums, grid, width in zip(slow_sums(network, row), grids(network), bits, strict=True):
            for z in sums:
                integer = z * power(grid)
                assert integer.denominator == 1
                assert -(2 ** (width - 1)) <= integer <= 2 ** (width - 1) - 1


def test_accumulator_bits_of_a_known_layer() -> None:
    """Inputs to 7 (3 bits), weights 3 and -2, bias 1: at most 7 * 5 + 1 = 36 in magnitude, 7 bits with the sign."""
    inputs = InputFormat(3, np.array([False, False]), np.array([0, 0]), np.array([0, 0]))
    layer = QuantizedLayer(np.array([[3], [-2]], np.int32), 0, np.array([1]), 0, None, None)
    network = QuantizedNetwork(Candidate((1,), BitWidths(3, 3)), inputs, (layer,))
    assert network.accumulator_bits() == (7,)


class TestCheckpoint:
    def test_round_trip(self, tmp_path: Path) -> None:
        for seed in range(20):
            network = random_network(seed)
            network.save(tmp_path / "network.npz")
            loaded = QuantizedNetwork.load(tmp_path / "network.npz")
            assert loaded.candidate == network.candidate
            assert loaded.input_format.bits == network.input_format.bits
            for name in ("signed", "fraction_bits", "scale_log2"):
                assert_array_equal(getattr(loaded.input_format, name), getattr(network.input_format, name))
            for one, other in zip(loaded.layers, network.layers, strict=True):
                assert one.weights.dtype == np.int32
                assert_array_equal(one.weights, other.weights)
                assert_array_equal(one.bias, other.bias)
                for name in ("weight_fraction_bits", "bias_fraction_bits", "activation_bits"):
                    assert getattr(one, name) == getattr(other, name)
                assert one.activation_fraction_bits == other.activation_fraction_bits
        assert [path.name for path in tmp_path.iterdir()] == ["network.npz"]

    def test_settings_are_given_back(self) -> None:
        network = random_network(0)
        candidate = Candidate(network.candidate.topology, network.candidate.bits, TrainingSettings(epochs=3))
        assert replace(network, candidate=candidate).candidate.settings.epochs == 3

    @pytest.mark.parametrize("kept", [0, 1, 30, 200, -1, -30])
    def test_truncated(self, tmp_path: Path, kept: int) -> None:
        path = tmp_path / "network.npz"
        random_network(0).save(path)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(StudyError, match=r"checkpoint .*network\.npz cannot be read .*; train the trial again"):
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
            patch.setattr("nas_fpga.training._network._FORMAT", 2)
            random_network(0).save(tmp_path / "network.npz")
        with pytest.raises(StudyError, match=r"cannot be read \(format 2, this version reads 1\); train"):
            QuantizedNetwork.load(tmp_path / "network.npz")

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(StudyError, match=r"gone\.npz is gone; train the trial again"):
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
