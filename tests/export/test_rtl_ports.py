"""Packing raw features into words that are cut to the port's grid changes nothing that the model computes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_fpga.data import InputFormat
from nas_fpga.errors import InputError
from nas_fpga.export import hgq_model
from nas_fpga.export._rtl._formats import FeatureFormat, input_formats
from nas_fpga.export._rtl._ports import edge_events, input_words, output_words, pack, table, unpack, word_of_json
from nas_fpga.export._rtl._write import _module_name
from nas_fpga.space import BitWidths
from tests.export.networks import random_network


@st.composite
def formats(draw):
    n, bits = draw(st.integers(1, 6)), draw(st.integers(2, 16))
    signed = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    fraction = draw(st.lists(st.integers(-6, 14), min_size=n, max_size=n))
    return InputFormat(np.full(n, bits), np.array(signed), np.array(fraction), np.zeros(n, np.int64))


def words_of(form):
    names = [f"x{i}" for i in range(len(form.signed))]
    features = [
        FeatureFormat(bool(k), int(b), int(f), False)
        for k, b, f in zip(form.signed, form.bits, form.fraction_bits, strict=True)
    ]
    return input_words(names, [""] * len(names), features)


@given(formats(), st.data())
def test_a_raw_value_cut_to_the_port_gives_the_integer_of_the_format(form, data):
    words = words_of(form)
    steps = st.one_of(
        st.floats(-1e9, 1e9, width=32),
        st.integers(-(2**18), 2**18).map(lambda n: n / 4),
        st.sampled_from([1e30, -1e30]),
    )
    rows = data.draw(st.lists(st.lists(steps, min_size=len(words), max_size=len(words)), min_size=1, max_size=5))
    features = np.array(rows) * np.exp2(-form.fraction_bits.astype(float))
    features = np.concatenate([features, edge_events(words)])
    at_ports = unpack(words, pack(words, features))
    np.testing.assert_array_equal(form.integers(at_ports), form.integers(features))


@given(formats(), st.data())
def test_words_come_back(form, data):
    words = words_of(form)
    bits = words[0].bits
    column = st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    rows = data.draw(st.lists(st.lists(column, min_size=len(words), max_size=len(words)), min_size=1, max_size=5))
    values = np.array(rows, float) * [word.lsb for word in words]
    buses = pack(words, values)
    assert all(0 <= bus < 2 ** (bits * len(words)) for bus in buses)
    np.testing.assert_array_equal(unpack(words, buses), values)


class TestInputWords:
    words = input_words(
        ["energy", "asymmetry"], ["GeV", ""], [FeatureFormat(False, 10, 2, False), FeatureFormat(True, 10, 8, True)]
    )

    def test_layout(self):
        energy, asymmetry = self.words
        assert (energy.hi, energy.lo, energy.lsb, energy.low, energy.high) == (15, 0, 0.125, 0, 255.75)
        assert (asymmetry.hi, asymmetry.lo, asymmetry.lsb) == (31, 16, 2**-9)
        assert (asymmetry.low, asymmetry.high) == (-2, 2 - 2**-8)
        assert pack(self.words, np.array([[-0.01, 1.0]])) == [0xFFFF | 512 << 16]

    def test_beyond_the_word(self):
        # 2^15 LSBs of 1/8 are 4,096; 2^16 of 2^-9 are 128, around which the other feature wraps
        packed = unpack(self.words, pack(self.words, np.array([[1e9, 129.0], [-1e9, -127.0], [np.inf, 0.0]])))
        np.testing.assert_array_equal(packed, [[4095.875, 1.0], [-4096, 1.0], [4095.875, 0.0]])

    def test_table_and_json(self):
        assert [word_of_json(word.as_json()) for word in self.words] == list(self.words)
        assert self.words[0].as_json()["signed"] is True
        lines = table(self.words)
        assert lines[2].split("|")[1:5] == [" [15:0]  ", " energy    ", " GeV  ", " 2^-3           "]
        assert "saturate at [-4096, 4096)" in lines[2]
        assert "wrap at [-64, 64)" in lines[3]

    def test_nan_is_refused(self):
        with pytest.raises(InputError, match="NaN"):
            pack(self.words, np.array([[np.nan, 0.0]]))


def test_outputs_share_one_format_that_holds_their_extremes():
    words = output_words(["a", "b"], [-4.0, 0.0], [1.0, 7.75], 2)
    assert [(word.hi, word.lo) for word in words] == [(5, 0), (11, 6)]
    extremes = np.array([[-4.0, 7.75], [1.0, 0.0]])
    np.testing.assert_array_equal(unpack(words, pack(words, extremes)), extremes)


def test_formats_are_those_of_the_network():
    network = random_network(3, 9, (5,), BitWidths(4, 4))
    form = network.input_format
    assert input_formats(hgq_model(network)) == tuple(
        FeatureFormat(bool(k), 10, int(f), False) for k, f in zip(form.signed, form.fraction_bits, strict=True)
    )


def test_a_model_without_input_quantizer_is_refused():
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="plain")])
    with pytest.raises(InputError, match=r"layer 'plain'.*no fixed-point input quantizer"):
        input_formats(model)
    images = keras.Sequential([keras.Input((3, 3)), keras.layers.Flatten()])
    with pytest.raises(InputError, match="one vector of features"):
        input_formats(images)


def test_module_names_are_legal_in_both_languages():
    assert _module_name("study main, point 15.0") == "nn_study_main_point_15_0"
    assert _module_name("--") == "nn"
    assert len(_module_name("x" * 200)) == 48
