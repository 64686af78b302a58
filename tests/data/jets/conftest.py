"""A few jets of every class, made once."""

from __future__ import annotations

import numpy as np
import pytest

from nas_fpga.data.jets import CLASS_NAMES


def toy_jet(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return massless constituents `(n, 4)` around two prongs."""
    pt = rng.exponential(10, n) + 0.5
    prong = np.where(rng.random(n) < 0.5, 0.25, -0.2)
    eta, phi = 0.7 + prong + rng.normal(0, 0.08, n), 3.0 + 0.5 * prong + rng.normal(0, 0.08, n)
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)], axis=1)


@pytest.fixture(scope="session")
def fresh():
    """The first 40 jets of every class of the table's first stream, made anew."""
    from nas_fpga.data.jets._generator import generate

    return [generate(1, label, 40) for label in range(len(CLASS_NAMES))]
