"""Candidates whose figures are known functions of what they are."""

from __future__ import annotations

import numpy as np

from nas_fpga.explanation import Findings, describe, explain_candidates
from nas_fpga.space import Candidate, MLPSpace, TrainingSpace

SEARCHED = TrainingSpace(learning_rate=(5e-4, 5e-2), dropout=(0.0, 0.5))
SPACE = MLPSpace(16, 1, 500, training=SEARCHED)
PARTS = {"total neurons": -1.0, "activation bits": -0.7, "dropout": 0.5}
"""Effects of one standard deviation of each, in log10 of the error; all else has none."""


def candidates(n: int, seed: int) -> list[Candidate]:
    return SPACE.candidates(SPACE.sample(np.random.default_rng(seed), n))


def planted(of: list[Candidate], seed: int, noise: float = 0.2) -> np.ndarray:
    """Return log10 errors: a sum of effects, and noise of this deviation."""
    descriptors, values = describe(of, SEARCHED)
    errors = noise * np.random.default_rng([seed, 1]).normal(size=len(of))
    for descriptor, column in zip(descriptors, values.T, strict=True):
        if descriptor.name in PARTS:
            scaled = descriptor.scaled(column)
            errors += PARTS[descriptor.name] * (scaled - scaled.mean()) / scaled.std()
    return errors


def findings(of: list[Candidate], errors: np.ndarray, shares: np.ndarray, seed: int = 0) -> Findings:
    return explain_candidates(of, errors, shares, SEARCHED, seed, merit="error rate", resource="share")
