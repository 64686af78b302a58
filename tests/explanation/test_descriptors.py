import numpy as np
import pytest

from nas_fpga.explanation import describe
from nas_fpga.space import BitWidths, Candidate, LearnedBits, TrainingSettings, TrainingSpace
from tests.explanation.planted import SEARCHED, candidates

BITS = BitWidths(6, 4)


def columns(*topologies, bits=BITS, searched=None):
    of = [Candidate(topology, bits) for topology in topologies]
    descriptors, values = describe(of, searched or TrainingSpace())
    return {descriptor.name: column.tolist() for descriptor, column in zip(descriptors, values.T, strict=True)}


def test_values_by_hand():
    found = columns((8, 2), (4, 16, 4), (5, 5, 5, 5))
    assert found["depth"] == [2, 3, 4]
    assert found["total neurons"] == [10, 24, 20]
    # Standard deviations of log2 widths: of (3, 1) sqrt(2), of (2, 4, 2) sqrt(4/3), of equal ones 0.
    assert found["unevenness"] == pytest.approx([2**2**0.5, 2 ** (4 / 3) ** 0.5, 1])
    assert found["place of the widest"] == [0, 0.5, 0.5]
    assert found["taper"] == [0.25, 1, 1]
    assert found["weight bits"] == [6, 6, 6]
    assert found["activation bits"] == [4, 4, 4]


def test_one_layer_has_the_shape_of_the_middle():
    found = columns((8, 2), (7,), (4, 16, 4), (5, 5))
    assert found["unevenness"][1] == pytest.approx(2 ** (4 / 3) ** 0.5)  # the median of the three others
    assert found["place of the widest"][1] == 0.5
    assert found["taper"][1] == 1
    assert columns((7,), (9,))["unevenness"] == [1, 1]


def test_shape_is_free_of_scale():
    one, two = columns((8, 2), (4, 16, 4)), columns((80, 20), (40, 160, 40))
    for name in ("depth", "unevenness", "place of the widest", "taper"):
        assert one[name] == pytest.approx(two[name])


def test_shape_says_little_of_depth_and_total():
    descriptors, values = describe(candidates(500, 1), SEARCHED)
    names = [descriptor.name for descriptor in descriptors]
    ranks = values.argsort(axis=0).argsort(axis=0)
    rho = np.corrcoef(ranks.T)
    for name in ("unevenness", "place of the widest", "taper"):
        for other in ("depth", "total neurons"):
            assert abs(rho[names.index(name), names.index(other)]) < 0.3  # the narrowest over the mean has -0.87


def test_learned_bits_have_no_widths():
    assert not {"weight bits", "activation bits"} & columns((8, 2), bits=LearnedBits()).keys()


def test_settings_are_on_their_scale():
    searched = TrainingSpace(learning_rate=(1e-3, 1e-1), batch_size=(16, 64), beta_1=(0.8, 0.99))
    settings = [
        TrainingSettings(learning_rate=1e-3, batch_size=16, beta_1=0.8),
        TrainingSettings(learning_rate=1.0, batch_size=64, beta_1=0.99),
    ]
    descriptors, values = describe([Candidate((4,), BITS, of) for of in settings], searched)
    found = {descriptor.name: descriptor for descriptor in descriptors}
    rate, batch, beta = values.T[-3:]
    assert rate.tolist() == [1e-3, 1e-1]  # from beyond the range: its end
    assert batch.tolist() == [16, 64]
    assert beta == pytest.approx([0.2, 0.01])
    assert found["beta 1"].label == "1 - beta 1"
    assert [found[name].logarithmic for name in ("learning rate", "batch size", "beta 1")] == [True] * 3
    assert found["learning rate"].group == "learning rate"
    assert {found[name].group for name in ("unevenness", "place of the widest", "taper")} == {"shape"}
