"""What is said of an explanation in words."""

from __future__ import annotations

from nas_fpga.explanation._explain import Explanation

PARTS = (
    "Parts are of the variance: what goes with a group, alone and together with others, as extremely randomised trees "
    "tell it of networks that they were not fitted to, with 95 % intervals; one that reaches 0 may be none at all."
)
RANKS = "Ranks are rank correlations with error and resources: above 0 more is worse, or dearer."


def quality(explanation: Explanation) -> str:
    """Return how far the surrogate is to be believed; where nothing can be concluded, that."""
    if explanation.verdict or explanation.quality is None:
        return explanation.verdict
    of = explanation.quality
    n = f"{of.n_candidates:,} networks" + (f" in {of.n_trainings:,} trainings" * (of.n_trainings > of.n_candidates))
    ceiling = f"; the scatter of repeated trainings leaves at most {of.ceiling:.2f}" if of.ceiling is not None else ""
    return f"R2 {of.r_squared:.2f}, rank correlation {of.rank_correlation:.2f}, on {n} held out in turn{ceiling}"
