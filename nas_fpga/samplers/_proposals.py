"""What all samplers share: their random numbers, what is taken, and the end of the space."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nas_fpga.samplers._base import History
from nas_fpga.space import C, Rows, Space, SpaceExhausted

_NEIGHBOURS = 64  # looked at where a suggestion is taken


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


def propose(
    space: Space[C],
    rng: np.random.Generator,
    history: History[C],
    pending: Sequence[C],
    suggest: Callable[[Sequence[C]], Rows | None],
    n_startup: int = 0,
) -> Iterator[C]:
    """Yield what a method suggests, one candidate after the other, until the space ends.

    Of the rows that are suggested, best first, the first that is new is taken; where all are taken, a neighbour of the
    best of them; where those are taken too, or nothing is suggested, a random candidate.

    Args:
        space: What may be proposed.
        rng: Source of randomness.
        history: Ended trials.
        pending: Candidates in training.
        suggest: From the candidates in training, with those that were just proposed, to feasible rows, None for a
            random candidate.
        n_startup: The first so many trials are random.
    """
    waiting = list(pending)
    seen = space.keys(taken(history, pending))
    while True:
        rows = suggest(waiting) if len(history) + len(waiting) >= n_startup else None
        if rows is None or not len(rows):
            choices: Iterator[C] = iter(())
        else:
            near = space.moves(rng, rows[:1], _NEIGHBOURS)
            new = (row for row in np.concatenate([rows, near]) if row.tobytes() not in seen)
            choices = (space.candidates(row[None])[0] for row in new)
        candidate = next(itertools.chain(choices, space.unseen(rng, taken(history, waiting))), None)
        if candidate is None:
            return
        waiting.append(candidate)
        seen |= space.keys([candidate])
        yield candidate
