"""Train, validation and test: half, a quarter, a quarter, the same in every class and at every energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import SUBSETS


def stratified_subsets(
    energy: NDArray[np.floating], stratum: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int8]:
    """Deal items to the subsets 2 : 1 : 1 within every four neighbours in energy of the same stratum.

    Args:
        energy: `(n,)`; equal energies keep their order.
        stratum: `(n,)`; the class of each item.
        rng: Shuffles each four.

    Returns:
        `(n,)` index into :data:`SUBSETS`. An incomplete last four goes to a random part of 2 : 1 : 1.
    """
    hand = np.array([SUBSETS.index("train")] * 2 + [SUBSETS.index("validation"), SUBSETS.index("test")], np.int8)
    subset = np.empty(len(energy), np.int8)
    for value in np.unique(stratum):
        members = np.flatnonzero(stratum == value)
        members = members[np.argsort(energy[members], kind="stable")]
        fours = -(-len(members) // len(hand))
        dealt = rng.permuted(np.tile(hand, (fours, 1)), axis=1).ravel()
        subset[members] = dealt[: len(members)]
    return subset
