"""One class of several against the others."""

import numpy as np
import pytest

from nas_fpga.data import against_rest, load_jets, read_dataset
from nas_fpga.errors import InputError
from tests.data.tables import write


def table(tmp_path):
    rng = np.random.default_rng(3)
    label = np.repeat(["a", "b", "c"], [100, 300, 50])
    return write(tmp_path / "t.npz", {"x": rng.normal(size=450), "w": rng.uniform(1, 2, 450), "label": label})


def test_each_class_of_the_background_weighs_the_same(tmp_path):
    plain = read_dataset(table(tmp_path), "label", weight="w")
    data = read_dataset(table(tmp_path), "label", weight="w", signal="b")
    assert data.class_names == ("background", "b")
    np.testing.assert_array_equal(data.labels, plain.labels == 1)
    a, c = (data.weights[plain.labels == k].sum() for k in (0, 2))
    assert a == pytest.approx(c)
    assert a + c == pytest.approx(plain.weights[plain.labels != 1].sum())
    np.testing.assert_array_equal(data.weights[plain.labels == 1], plain.weights[plain.labels == 1])
    ratio = data.weights / plain.weights  # weights within a class keep their proportions
    assert np.ptp(ratio[plain.labels == 0]) < 1e-12
    np.testing.assert_array_equal(data.bins["c"], plain.labels == 2)
    assert set(data.bins) == {"a", "c"}


def test_jets_become_two_classes():
    jets, top = load_jets(), against_rest(load_jets(), "top")
    assert top.n_outputs == 1
    np.testing.assert_array_equal(top.labels, jets.labels == 4)
    np.testing.assert_array_equal(top.weights, 1)  # as many of each
    assert set(top.bins) == {"gluon", "quark", "W", "Z"}
    assert top.fingerprint() != jets.fingerprint() != against_rest(jets, "W").fingerprint()


def test_a_signal_called_background(tmp_path):
    label = np.repeat(["background", "tau", "x"], [100, 300, 50])
    path = write(tmp_path / "t.npz", {"x": np.arange(450.0), "label": label})
    data = read_dataset(path, "label", signal="background")
    assert data.class_names == ("rest", "background")
    np.testing.assert_array_equal(data.labels, label == "background")
    assert read_dataset(path, "label", signal="tau").class_names == ("background", "tau")


def test_unknown_class():
    with pytest.raises(InputError, match="signal 'b' is not a class of jets; its classes are gluon, quark, W, Z, top"):
        against_rest(load_jets(), "b")
