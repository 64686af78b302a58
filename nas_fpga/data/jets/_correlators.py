"""Energy correlation functions and the jet shapes made of them.

With z = p_T / sum p_T and R the distance in rapidity and azimuth (arXiv:1305.0007, 1609.07483)::

    e2(beta)  = sum over pairs   z_i z_j     R_ij^beta
    ve3(beta) = sum over triples z_i z_j z_k (product of the v smallest of R_ij, R_ik, R_jk)^beta

and e3 = 3e3. All are invariant under boosts along the beam and rotations about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.jets._kinematics import Floats, azimuth_difference

_BLOCK = 1 << 14  # triples at a time: temporaries that stay in the cache
_TABLE_STEP = 32  # few tables serve all multiplicities


@dataclass(frozen=True)
class Correlators:
    """The sums of one jet; in tuples `[0]` is of beta 1 and `[1]` of beta 2.

    Attributes:
        pairs: e2 of beta 0.
        e2: Pairs.
        triples_1: 1e3, of the smallest distance.
        triples_2: 2e3, of the two smallest.
        triples_3: 3e3 = e3, of all three.
    """

    pairs: float
    e2: tuple[float, float]
    triples_1: tuple[float, float]
    triples_2: tuple[float, float]
    triples_3: tuple[float, float]

    def shapes(self) -> tuple[float, ...]:
        """Return C1 (beta 0, 1, 2), C2, D2, D2(1, 1), D2(1, 2), M2 and N2, in the order of the features.

        All that divide by e2 are 0 where it is: in jets of a single constituent.
        """
        a, b = (e2 or 1.0 for e2 in self.e2)
        (e3_1, e3_2), (smallest_1, smallest_2), (two_1, two_2) = self.triples_3, self.triples_1, self.triples_2
        c1 = (self.pairs, *self.e2)
        c2 = (e3_1 / a**2, e3_2 / b**2)
        d2 = (e3_1 / a**3, e3_2 / b**3, e3_1 / a**3, e3_1 / b**1.5)
        return (*c1, *c2, *d2, smallest_1 / a, smallest_2 / b, two_1 / a**2, two_2 / b**2)


def correlators(pt: Floats, rapidity: Floats, phi: Floats) -> Correlators:
    """Return the correlators of a jet from its constituents `(n,)`; empty sums are 0."""
    z = pt / pt.sum()
    distance = np.hypot(rapidity[:, None] - rapidity, azimuth_difference(phi[:, None], phi))
    i, j = np.tril_indices(len(z), -1)
    weight, r = z[i] * z[j], distance[i, j]
    sums = np.zeros(6)
    triples = _triples(len(z))
    for start in range(0, triples.shape[1], _BLOCK):
        sums += _triple_sums(z, distance, triples[:, start : start + _BLOCK])
    one, two, three = ((float(sums[v]), float(sums[3 + v])) for v in range(3))
    return Correlators(float(weight.sum()), (float(weight @ r), float(weight @ r**2)), one, two, three)


def _triple_sums(z: Floats, distance: Floats, triples: NDArray[np.intp]) -> Floats:
    """Return 1e3, 2e3, 3e3 of beta 1 and of beta 2 over some triples `(3, m)`."""
    i, j, k = triples
    weight = z[i] * z[j] * z[k]
    a, b, c = distance[i, j], distance[i, k], distance[j, k]
    ab = a * b
    smallest = np.minimum(np.minimum(a, b), c)
    two_smallest = np.minimum(np.minimum(ab, a * c), b * c)
    products = np.stack([smallest, two_smallest, ab * c])
    return np.concatenate([products @ weight, products**2 @ weight])


def _triples(n: int) -> NDArray[np.intp]:
    """Return all i > j > k below n as `(3, n (n - 1) (n - 2) / 6)`, ordered by i, j, k."""
    return _table_of_triples(-(-n // _TABLE_STEP) * _TABLE_STEP)[:, : n * (n - 1) * (n - 2) // 6]


@lru_cache
def _table_of_triples(n: int) -> NDArray[np.intp]:
    """Return the triples below n; those below a smaller number come first."""
    j, k = np.tril_indices(n, -1)  # ordered by j: the pairs below i are the first i (i - 1) / 2
    counts = [i * (i - 1) // 2 for i in range(n)]
    return np.concatenate([np.stack([np.full(m, i), j[:m], k[:m]]) for i, m in enumerate(counts)], axis=1)
