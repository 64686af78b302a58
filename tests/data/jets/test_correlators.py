"""Correlators against sums that are written out, and against FastJet's own."""

import itertools

import awkward as ak
import fastjet
import numpy as np
import pytest

from nas_fpga.data.jets import correlators
from nas_fpga.data.jets._correlators import _triples
from nas_fpga.data.jets._kinematics import delta_r, mass_squared, pt_y_phi

from .conftest import toy_jet


def written_out(p, v, n, beta):
    """Return ve_n(beta), term by term."""
    z = np.hypot(p[:, 0], p[:, 1])
    z = z / z.sum()
    total = 0.0
    for chosen in itertools.combinations(range(len(p)), n):
        distances = sorted(float(delta_r(p[i], p[j])) for i, j in itertools.combinations(chosen, 2))
        total += np.prod(z[list(chosen)]) * np.prod(distances[:v]) ** beta
    return total


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 12])
def test_equals_the_sums_written_out(n):
    p = toy_jet(np.random.default_rng(n), n)
    c = correlators(*pt_y_phi(p))
    assert c.pairs == pytest.approx(written_out(p, 1, 2, 0), rel=1e-12)
    for k, beta in enumerate((1, 2)):
        assert c.e2[k] == pytest.approx(written_out(p, 1, 2, beta), rel=1e-12)
        for v, found in ((1, c.triples_1), (2, c.triples_2), (3, c.triples_3)):
            assert found[k] == pytest.approx(written_out(p, v, 3, beta), rel=1e-12)


def test_shapes_are_the_published_ratios():
    p = toy_jet(np.random.default_rng(0), 9)
    e2 = {beta: written_out(p, 1, 2, beta) for beta in (0, 1, 2)}
    e3 = {(v, beta): written_out(p, v, 3, beta) for v in (1, 2, 3) for beta in (1, 2)}
    expected = [
        *(e2[0], e2[1], e2[2]),
        *(e3[3, 1] / e2[1] ** 2, e3[3, 2] / e2[2] ** 2),
        *(e3[3, 1] / e2[1] ** 3, e3[3, 2] / e2[2] ** 3),
        *(e3[3, 1] / e2[1] ** 3, e3[3, 1] / e2[2] ** 1.5),
        *(e3[1, 1] / e2[1], e3[1, 2] / e2[2]),
        *(e3[2, 1] / e2[1] ** 2, e3[2, 2] / e2[2] ** 2),
    ]
    np.testing.assert_allclose(correlators(*pt_y_phi(p)).shapes(), expected, rtol=1e-11)


def test_equals_fastjet_contrib_on_many_constituents():
    p = toy_jet(np.random.default_rng(5), 90)  # more triples than one block holds
    array = ak.zip(dict(zip(("px", "py", "pz", "E"), p.T, strict=True)), with_name="Momentum4D")
    sequence = fastjet.ClusterSequence(array, fastjet.JetDefinition(fastjet.antikt_algorithm, 3.0))

    def contrib(func, beta, **more):
        # squeezed: one value for the one jet
        return float(np.squeeze(sequence.exclusive_jets_energy_correlator(njets=1, func=func, beta=beta, **more)))

    c1, c2, d2 = contrib("c1", 1), contrib("c2", 1), contrib("d2", 1)
    shapes = correlators(*pt_y_phi(p)).shapes()
    assert [shapes[1], shapes[3], shapes[5]] == pytest.approx([c1, c2, d2], rel=1e-9)
    assert [shapes[9], shapes[11]] == pytest.approx([contrib("m2", 1), contrib("n2", 1)], rel=1e-9)
    assert [shapes[4], shapes[6]] == pytest.approx([contrib("c2", 2), contrib("d2", 2)], rel=1e-9)
    assert [shapes[10], shapes[12]] == pytest.approx([contrib("m2", 2), contrib("n2", 2)], rel=1e-9)


def test_one_constituent_has_no_shape():
    assert correlators(*pt_y_phi(toy_jet(np.random.default_rng(1), 1))).shapes() == (0.0,) * 13


@pytest.mark.parametrize("n", [1, 2, 3, 31, 32, 33, 70])
def test_triples_are_all_once(n):
    triples = _triples(n)
    assert triples.shape == (3, n * (n - 1) * (n - 2) // 6)
    i, j, k = triples
    assert ((n > i) & (i > j) & (j > k) & (k >= 0)).all()
    assert len(np.unique((i * n + j) * n + k)) == triples.shape[1]


def test_mass_of_two_back_to_back_photons():
    assert mass_squared(np.array([[0, 0, 5.0, 5], [0, 0, -5, 5]]).sum(axis=0)) == pytest.approx(100)
    assert delta_r(np.array([1.0, 0.001, 0, 2]), np.array([1.0, -0.001, 0, 2])) == pytest.approx(0.002)
    assert delta_r(np.array([-1.0, 0.001, 0, 2]), np.array([-1.0, -0.001, 0, 2])) == pytest.approx(0.002)
