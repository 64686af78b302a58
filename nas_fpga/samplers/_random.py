"""Random search: the baseline, and the start of every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nas_fpga.samplers._base import History, Sampler
from nas_fpga.samplers._proposals import random_generator, take, taken
from nas_fpga.space import C, Space


@dataclass(frozen=True)
class RandomSampler(Sampler[C]):
    """Proposes at random, from the distribution of :meth:`nas_fpga.space.Space.sample`.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
    """

    space: Space[C]
    seed: int

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return ``n`` random candidates; see :meth:`Sampler.ask`."""
        rng = random_generator(self.seed, history, pending)
        return take(self.space.unseen(rng, taken(history, pending)), n)
