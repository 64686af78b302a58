"""The contract of all samplers."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, get_args

from nas_fpga.errors import InputError
from nas_fpga.space import C


@dataclass(frozen=True)
class Observation(Generic[C]):
    """What a sampler may know of an ended trial.

    Attributes:
        candidate: What was trained.
        state: ``complete``, or ``failed`` (then there are no values).
        log10_error: Smoothed log10 of the background efficiency (two classes) or of the error rate, on validation.
        log10_share: log10 of the largest share of the limits, on the axis of the search, of the point that
            it learns from. Above 0 the limits are violated.
    """

    candidate: C
    state: Literal["complete", "failed"]
    log10_error: float | None = None
    log10_share: float | None = None


History = Sequence[Observation[C]]

Goal = Literal["front", "precision"]
"""What a search is after: the largest hypervolume of precision and resources, or the least error within the limits."""


def refuse_unknown_goal(goal: str) -> None:
    """Refuse what is no :data:`Goal`.

    Raises:
        InputError: It names those there are.
    """
    if goal not in get_args(Goal):
        raise InputError(f"goal '{goal}' is not one of {', '.join(get_args(Goal))}")


class Sampler(abc.ABC, Generic[C]):
    """Proposes the next candidates to train.

    The search calls :meth:`ask` once for every generation. A sampler never returns a candidate outside its space, nor
    one that is in the history or pending. What it proposes depends on its seed, the history and the pending candidates
    alone (random numbers may be drawn from ``numpy.random.default_rng([seed, len(history) + len(pending)])``), so that
    a resumed search proposes what an uninterrupted one would have. It can be pickled, and proposes the same in another
    process.
    """

    n_startup: int = 0
    """So many first trials are proposed at random, before a model proposes."""

    goal: Goal = "front"
    """What the sampler is after; it does not matter to one that does not look at values."""

    def describe(self) -> str:
        """Return what the user should know of the proposals to come; empty when there is nothing to say."""
        return ""

    @abc.abstractmethod
    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; those earlier in the list count as pending for those later.

        Args:
            history: Ended trials, in order of their numbers. Read only.
            pending: Candidates in training now.
            n: How many to propose, at least 1.

        Returns:
            ``n`` candidates.

        Raises:
            SpaceExhausted: Fewer than ``n`` candidates of the space are left; carries those that are.
        """
