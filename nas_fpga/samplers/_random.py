"""Random search: the baseline, and the start of every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nas_fpga.samplers._base import History, Sampler
from nas_fpga.samplers._proposals import random_generator, take, taken
from nas_fpga.space import Candidate, MLPSpace


@dataclass(frozen=True)
class RandomSampler(Sampler):
    """Proposes at random, from the distribution of :meth:`nas_fpga.space.MLPSpace.sample`.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
    """

    space: MLPSpace
    seed: int

    def ask(self, history: History, pending: Sequence[Candidate], n: int) -> list[Candidate]:
        """Return ``n`` random candidates; see :meth:`Sampler.ask`."""
        rng = random_generator(self.seed, history, pending)
        return take(self.space.unseen(rng, taken(history, pending)), n)
