"""What defines a comparison, and the studies that it consists of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nas_fpga.comparison._studies import PlannedStudy
from nas_fpga.errors import InputError
from nas_fpga.samplers import SAMPLERS
from nas_fpga.study import SearchDefinition

DEFAULT_SAMPLERS = ("gp", "random")
DEFAULT_SEEDS, DEFAULT_TRIALS = 3, 40
PRESETS = ("grid-vs-bo",)
CARD_SAMPLERS = ("grid", "bayesian-optimization", "random")
CARD_TRIALS = 100
CARD_RETRAIN, CARD_NOISE_POINTS = 3, 30
CARD_MAX_WIDTH, CARD_LAYERS = 2000, 3
"""Magniette, Hakimi and Sauvan: three hidden layers of 1 to 2,000 neurons."""

MOST_SEEDS = 1000
_RETRAINED, _NOISE = 1 * MOST_SEEDS, 2 * MOST_SEEDS  # distance of their seeds from those of the searches

# What the card fixes; the rest of a search's options may be given with it. Included networks would take the places of
# points of the grid, and patience end it early: it is trained whole.
_OF_THE_CARD = ("budget", "min_layers", "max_layers", "goal", "region", "max_luts", "max_ffs", "max_dsps", "max_brams",
                "max_latency_ns", "grid", "quick", "min_params", "max_params", "include", "trial_patience")  # fmt: skip


@dataclass(frozen=True)
class ComparisonDefinition:
    """Everything that a comparison depends on.

    Attributes:
        base: What all searches share; its seed is the first, and its split that of all.
        samplers: The methods.
        n_seeds: Searches of each method, with the seeds that follow the first.
        n_trials: Trials of each search.
        whole_grid: Whether the grid is trained whole, and once, as it draws nothing at random.
        retrain: How often the winner of each search is trained again.
        noise_points: How many points of the grid are trained a second time.
        grid: Of the grid sampler, as text; None for the reference grid.
        acquisition: Of the samplers that know it; None for the own of each.
    """

    base: SearchDefinition
    samplers: tuple[str, ...] = DEFAULT_SAMPLERS
    n_seeds: int = DEFAULT_SEEDS
    n_trials: int = DEFAULT_TRIALS
    whole_grid: bool = False
    retrain: int = 0
    noise_points: int = 0
    grid: str | None = None
    acquisition: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        for name in self.samplers:
            if name not in SAMPLERS and ":" not in name:
                known = ", ".join(SAMPLERS)
                raise InputError(f"--samplers {name} is none of {known}, nor MODULE:CLASS, one of your own")
        if len(set(self.samplers)) < len(self.samplers) or not self.samplers:
            raise InputError(f"--samplers {','.join(self.samplers)} must name each method once")
        if not 1 <= self.n_seeds <= MOST_SEEDS:
            raise InputError(f"--seeds {self.n_seeds} must lie between 1 and {MOST_SEEDS}")
        if self.n_trials < 1:
            raise InputError(f"--trials {self.n_trials} must be at least 1")
        if self.retrain < 0 or self.retrain == 1 or self.retrain > MOST_SEEDS:
            raise InputError(f"--retrain {self.retrain} must be 0 (not), or 2 or more: a spread needs two")
        if self.noise_points < 0:
            raise InputError(f"--noise-points {self.noise_points} must not be negative")
        if self.noise_points and "grid" not in self.samplers:
            raise InputError(f"--noise-points {self.noise_points} are points of the grid; add grid to --samplers")
        if (self.retrain or self.noise_points) and self.base.searched.names:
            again = f"--retrain {self.retrain}" if self.retrain else f"--noise-points {self.noise_points}"
            raise InputError(f"{again} trains with fixed settings; leave --search-training out, give a --pressure")
        if self.acquisition is not None and not any(map(self._knows_acquisition, self.samplers)):
            raise InputError(f"--acquisition {self.acquisition} is known to none of {', '.join(self.samplers)}")
        if self.grid is not None and "grid" not in self.samplers:
            raise InputError(f"--grid {self.grid} is for the grid; add grid to --samplers or leave it out")

    def _knows_acquisition(self, sampler: str) -> bool:
        return sampler in SAMPLERS and self.acquisition in SAMPLERS[sampler].acquisitions

    def searches(self, sampler: str) -> tuple[PlannedStudy, ...]:
        """Return the studies of one method; trials of one seed and number have one training seed."""
        n_seeds = 1 if self.whole_grid and sampler == "grid" else self.n_seeds
        base = replace(
            self.base,
            sampler=sampler,
            grid=self.grid if sampler == "grid" else None,
            acquisition=self.acquisition if self._knows_acquisition(sampler) else None,
        )
        seeds = range(base.seed, base.seed + n_seeds)
        name = sampler.replace(":", ".")  # of a class of your own
        return tuple(PlannedStudy(f"{name}-{seed}", replace(base, seed=seed), self.n_trials) for seed in seeds)

    def retrainings(self, winners: Sequence[str]) -> tuple[PlannedStudy, ...]:
        """Return the studies that train these candidates again, each with a seed of its own."""
        return tuple(self._again("retrained", winners, _RETRAINED + i) for i in range(self.retrain))

    def noise(self, points: Sequence[str]) -> PlannedStudy:
        """Return the study that trains points of the grid a second time."""
        return self._again("noise", points, _NOISE)

    def _again(self, kind: str, candidates: Sequence[str], offset: int) -> PlannedStudy:
        """Return a study of given candidates; its name tells other candidates apart, which more trials may bring."""
        digest = hashlib.sha256("\n".join(candidates).encode()).hexdigest()[:6]
        definition = replace(
            self.base,
            sampler="random",
            include=tuple(candidates),
            trial_patience=None,
            seed=self.base.seed + offset,
        )
        return PlannedStudy(f"{kind}-{digest}-{offset % MOST_SEEDS + 1}", definition, len(candidates))


def with_card(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the card of the reference work, `grid-vs-bo`: what it fixes, and what else was given.

    Raises:
        InputError: Something was given that the card fixes.
    """
    for name in _OF_THE_CARD:
        if name in options:
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} is fixed by --preset grid-vs-bo; leave it out, or leave out the preset")
    max_width = options.get("max_width", CARD_MAX_WIDTH)
    if not isinstance(max_width, int) or max_width < 1:
        raise InputError(f"--max-width {max_width} must be at least 1")
    card = {
        "bits": 6,
        "min_layers": CARD_LAYERS,
        "max_layers": CARD_LAYERS,
        "max_width": max_width,
        "budget": CARD_LAYERS * max_width,
        "region": "unlimited",
        "goal": "precision",
    }
    return card | dict(options)
