"""What all samplers share: their random numbers, and the end of the space."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from nas_fpga.samplers._base import History
from nas_fpga.space import C, SpaceExhausted


def random_generator(seed: int, history: History[C], pending: Sequence[C]) -> np.random.Generator:
    """Return the generator of one ask, as the contract of samplers defines it."""
    return np.random.default_rng([seed, len(history) + len(pending)])


def taken(history: History[C], pending: Sequence[C]) -> list[C]:
    """Return what may not be proposed any more."""
    return [*(observation.candidate for observation in history), *pending]


def take(candidates: Iterator[C], n: int) -> list[C]:
    """Return the first ``n`` candidates.

    Raises:
        SpaceExhausted: There are fewer; carries them.
    """
    proposed = list(itertools.islice(candidates, n))
    if len(proposed) < n:
        raise SpaceExhausted(proposed, n)
    return proposed
