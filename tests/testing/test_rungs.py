"""The suite of rungs: what it demands where less is costed."""

from types import SimpleNamespace

import numpy as np
import pytest

from nas_fpga.testing import RungConformance


def rung(lut_of):
    """Return a rung that knows LUTs alone, from the bits of the input and the weights that are not 0."""

    def cost_of(network, _target):
        nonzero = sum(np.count_nonzero(layer.weights) for layer in network.layers)
        lut = SimpleNamespace(value=lut_of(network.input_format.bits.sum(), nonzero))
        return SimpleNamespace(figures=SimpleNamespace(lut=lut))

    return cost_of


@pytest.mark.parametrize(
    "lut_of", [lambda bits, nonzero: bits * nonzero, lambda bits, nonzero: nonzero, lambda bits, nonzero: 7]
)
def test_less_may_cost_less_or_the_same(lut_of):
    RungConformance().test_more_weights_and_wider_features_cost_no_less(rung(lut_of))


@pytest.mark.parametrize("lut_of", [lambda bits, nonzero: bits - nonzero, lambda bits, nonzero: nonzero - bits])
def test_less_may_not_cost_more(lut_of):
    with pytest.raises(AssertionError):
        RungConformance().test_more_weights_and_wider_features_cost_no_less(rung(lut_of))
