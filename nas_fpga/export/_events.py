"""The inputs that a project is verified with: real events, and the edges of what can come in."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.errors import InputError

LEAST_EVENTS = 5000
_FAR = 1000.0  # times the largest value: far beyond any input format
_N_TIES = 200


@dataclass(frozen=True, eq=False)
class VerificationEvents:
    """Raw features that a project is verified with.

    Attributes:
        features: `(n, d)` float32: real events first, then rows drawn from them, then edge cases.
        n_real: How many are real events.
        n_drawn: How many have each feature from another real event; only where there are fewer than 5,000 real ones.
    """

    features: NDArray[np.float32]
    n_real: int
    n_drawn: int

    @property
    def n_edges(self) -> int:
        """Edge cases."""
        return len(self.features) - self.n_real - self.n_drawn

    def save(self, path: Path) -> None:
        """Write ``events.npz``."""
        np.savez_compressed(path, features=self.features, n_real=self.n_real, n_drawn=self.n_drawn)

    @classmethod
    def load(cls, path: Path) -> VerificationEvents:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: It is not there, damaged, or has too few events for a proof.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                events = cls(data["features"], int(data["n_real"]), int(data["n_drawn"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} cannot be read ({error}); export the project again") from error
        if len(events.features) < LEAST_EVENTS or not 0 <= events.n_real + events.n_drawn <= len(events.features):
            raise InputError(
                f"{path} has {len(events.features):,} events, {events.n_real:,} of them real; a proof needs at least "
                f"{LEAST_EVENTS:,}: export the project again"
            )
        return events


def verification_events(real: NDArray[np.float32], form: InputFormat | None, seed: int = 0) -> VerificationEvents:
    """Return at least 5,000 events, and the edge cases.

    Edge cases are zeros; the largest and the smallest value of all features together; each feature alone far beyond its
    range, above and below; and, where the input format is known, its ends and values half-way between two steps.

    Args:
        real: `(n, d)` raw features of real events, at least one.
        form: Input format, or None where the model was trained elsewhere.
        seed: Of the rows that are drawn.
    """
    rng = np.random.default_rng(seed)
    n, d = real.shape
    n_drawn = max(0, LEAST_EVENTS - n)
    drawn = real[rng.integers(0, n, (n_drawn, d)), np.arange(d)]
    largest = np.maximum(np.abs(real).max(axis=0), 1e-3)
    typical = np.median(real, axis=0)
    edges = [np.zeros(d), real.max(axis=0), real.min(axis=0), largest * _FAR, -largest * _FAR, -largest]
    for i in range(d):
        for value in (largest[i] * _FAR, -largest[i] * _FAR, -largest[i]):
            row = typical.copy()
            row[i] = value
            edges.append(row)
    if form is not None:
        step = np.exp2(-form.fraction_bits.astype(np.float64))
        low, high = form.lowest.astype(np.float64), form.highest.astype(np.float64)
        edges += [high * step, (high + 0.5) * step, (high + 1) * step, low * step, (low - 0.5) * step, (low - 1) * step]
        edges += list((np.floor(rng.uniform(low, high, (_N_TIES, d))) + 0.5) * step)
    return VerificationEvents(np.concatenate([real, drawn, np.array(edges)]).astype(np.float32), n, n_drawn)
