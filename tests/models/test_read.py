"""What a path may be, and what it may not."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from nas_fpga.errors import InputError, StudyError
from tests.export.networks import learned_network, raw_features
from tests.models.told import read


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.keras", None, ("is not there", "give a .keras, .h5, .onnx or .npz file")),
        ("folder", None, ("is not there",)),
        ("m.pt", b"x", ("of no known kind", "give a .keras")),
        ("m", b"x", ("of no known kind",)),
        ("m.keras", b"", ("cannot be loaded", "save it with")),
        ("m.keras", b"PK\x03\x04 not a zip", ("cannot be loaded",)),
        ("m.h5", b"", ("cannot be loaded",)),
        ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), ("cannot be loaded",)),
        ("m.onnx", b"", ("m.onnx",)),
        ("m.onnx", b"\xff" * 50, ("is no ONNX model", "export it again")),
        ("m.npz", b"", ("cannot be read",)),
    ],
)
def test_nonsense_is_one_line(name, content, words, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="has no folder firmware; give"):
        read(tmp_path)
    (tmp_path / "design.json").write_text("{}")
    with pytest.raises(InputError, match=r"model\.keras is not there"):
        read(tmp_path)


def test_a_truncated_model(tmp_path):
    path = tmp_path / "m.keras"
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)]
    keras.Sequential([keras.Input((64,)), *layers]).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"cannot be loaded"):
        read(path)


@pytest.mark.parametrize(("option", "value"), [("bits", 1), ("bits", 17), ("input_bits", 0), ("input_bits", 40)])
def test_bits_have_limits(option, value, tmp_path):
    path = tmp_path / "m.keras"
    layers = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)]
    keras.Sequential([keras.Input((3,)), *layers]).save(path)
    with pytest.raises(InputError, match=f"--{option.replace('_', '-')} {value} must be from 2 to 16"):
        read(path, **{option: value})


def test_checkpoints(tmp_path):
    network = learned_network(1, 5, (4,))
    network.save(tmp_path / "n.npz")
    found, mapping, lines = read(tmp_path / "n.npz")
    features = raw_features(network, 1, 100)
    assert (found.logits(features) == network.logits(features)).all()
    assert (mapping, lines) == (None, [])
    with pytest.raises(InputError, match=r"--bits 8 is for numbers without bits; .*n\.npz has its own"):
        read(tmp_path / "n.npz", bits=8)
    np.savez(tmp_path / "o.npz", a=np.ones(3))
    with pytest.raises(StudyError, match="cannot be read"):
        read(tmp_path / "o.npz")


def test_importing_is_cheap():
    code = (
        "import sys, nas_fpga.models, nas_fpga.models._read, nas_fpga.models._onnx, nas_fpga.models._hls4ml\n"
        "print([name for name in ('keras', 'hgq', 'onnx', 'hls4ml', 'tensorflow', 'jax') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]"
