"""Adapters of Optuna's samplers."""

from __future__ import annotations

import abc
import contextlib
import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import Goal, History, Sampler, refuse_unknown_goal
from nas_fpga.samplers._observed import Observed, observed
from nas_fpga.samplers._proposals import propose, random_generator, take
from nas_fpga.space import C, Rows, Space

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class OptunaSampler(Sampler[C]):
    """Proposes what a sampler of Optuna suggests in the unit cube of the space.

    A study in memory is told the history anew in every ask. Its parameters are the coordinates of the unit cube, from 0
    to 1; its objectives are log10 error alone for precision, and log10 share beside it for the front; its constraint is
    log10 share. Candidates in training are running trials; failed ones are left out. A suggestion that decodes to a
    candidate already taken is replaced by a neighbour of it, or by a random candidate where those are taken too.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        n_startup: The first so many trials are random.
        goal: One objective or two.
    """

    most_told: ClassVar[int] = 1000
    """Of more ended trials the last so many are told, which bounds the time of a suggestion."""

    space: Space[C]
    seed: int
    n_startup: int = 20
    goal: Goal = "front"

    def __post_init__(self) -> None:
        """Refuse an unknown goal and a negative number of random trials."""
        refuse_unknown_goal(self.goal)
        if self.n_startup < 0:
            raise InputError(f"startup trials {self.n_startup} must be at least 0")

    @abc.abstractmethod
    def optuna_sampler(self, seed: int) -> BaseSampler:
        """Return Optuna's sampler."""

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        rng = random_generator(self.seed, history, pending)
        seen = self._told(observed(self.space, history))
        with _quiet():
            study: _Study | None = None

            def suggest(waiting: Sequence[C]) -> Rows | None:
                nonlocal study
                if not len(seen):
                    return None
                if study is None:
                    sampler = self.optuna_sampler(int(rng.integers(2**31)))
                    places = self.space.to_unit(seen.rows)
                    study = _Study(sampler, self.goal, places, seen, self._attributes(len(seen)))
                study.set_running(self.space.to_unit(self.space.rows([c for c in waiting if self.space.has_row(c)])))
                return self.space.from_unit(study.ask()[None])

            return take(propose(self.space, rng, history, pending, suggest, self.n_startup), n)

    def _told(self, seen: Observed) -> Observed:
        """Return the ended trials that the study is told."""
        return seen[max(len(seen) - self.most_told, 0) :]

    def _attributes(self, n: int) -> list[dict[str, Any]]:
        """Return what Optuna's sampler itself would have noted of each of ``n`` trials."""
        return [{}] * n


@dataclass(frozen=True)
class TPESampler(OptunaSampler[C]):
    """Tree-structured Parzen estimators (Bergstra et al. 2011; of two objectives Ozaki et al. 2022).

    They are of all coordinates together. Candidates in training count as bad ones (constant liar). See
    :class:`OptunaSampler`.
    """

    def optuna_sampler(self, seed: int) -> BaseSampler:
        """Return Optuna's sampler."""
        from optuna.samplers import TPESampler

        return TPESampler(seed=seed, n_startup_trials=0, multivariate=True, constant_liar=True)


@dataclass(frozen=True)
class NSGA2Sampler(OptunaSampler[C]):
    """NSGA-II (Deb et al. 2002) with Optuna's crossover and mutation. See :class:`OptunaSampler`.

    Optuna notes the generation of each trial when it is proposed. Here it follows from the history alone: each
    ``population`` successive ended trials are one generation, as Optuna counts them where one trial ends before the
    next is proposed. The parents of every generation are then selected anew, by Optuna. Candidates in training do not
    matter to the method.

    Attributes:
        population: Trials of a generation; the random start is the first one. Optuna's own default is 50, which leaves
            two generations of a hundred trials.
    """

    population: int = 20

    def optuna_sampler(self, seed: int) -> BaseSampler:
        """Return Optuna's sampler."""
        from optuna.samplers import NSGAIISampler

        return NSGAIISampler(seed=seed, population_size=self.population)

    def _told(self, seen: Observed) -> Observed:
        """Return the last ended trials from the beginning of a generation."""
        dropped = max(len(seen) - self.most_told, 0)
        return seen[-(-dropped // self.population) * self.population :]

    def _attributes(self, n: int) -> list[dict[str, Any]]:
        from optuna.samplers import NSGAIISampler

        key = NSGAIISampler._get_generation_key()
        return [{key: i // self.population} for i in range(n)]


@dataclass(frozen=True)
class OptunaGPSampler(OptunaSampler[C]):
    """Optuna's Gaussian process, which needs PyTorch. See :class:`OptunaSampler`.

    Its time grows with the cube of the trials, so it is told the last 200 of them.
    """

    most_told: ClassVar[int] = 200

    def __post_init__(self) -> None:
        """Refuse to start without PyTorch.

        Raises:
            InputError: It is not installed, or the number of random trials is negative.
        """
        super().__post_init__()
        if importlib.util.find_spec("torch") is None:
            raise InputError("--sampler optuna-gp needs PyTorch; pip install 'nas-fpga[optuna-gp]'")

    def optuna_sampler(self, seed: int) -> BaseSampler:
        """Return Optuna's sampler."""
        from optuna.samplers import GPSampler

        return GPSampler(seed=seed, n_startup_trials=0)


class _Study:
    """An Optuna study of points in the unit cube."""

    def __init__(
        self,
        sampler: BaseSampler,
        goal: Goal,
        places: NDArray[np.float64],
        seen: Observed,
        attributes: Sequence[dict[str, Any]],
    ) -> None:
        """Tell it ended trials, at their places `(n, n_unit)`."""
        import optuna

        self._optuna = optuna
        self._kinds: dict[str, Any] = {
            f"u{i:02d}": optuna.distributions.FloatDistribution(0, 1) for i in range(places.shape[1])
        }
        values = np.column_stack([seen.errors, seen.shares])[:, : 2 if goal == "front" else 1]
        self._study = optuna.create_study(sampler=sampler, directions=["minimize"] * values.shape[1])
        for place, of, share, more in zip(places, values.tolist(), seen.shares.tolist(), attributes, strict=True):
            self._add(place, values=of, constraints={"share": share}, system_attrs=more)
        self._n_running = 0

    def set_running(self, places: NDArray[np.float64]) -> None:
        """Add the trials in training `(n, n_unit)` that are not there yet; they only become more."""
        for place in places[self._n_running :]:
            self._add(place, state=self._optuna.trial.TrialState.RUNNING)
        self._n_running = len(places)

    def ask(self) -> NDArray[np.float64]:
        """Return the point that is suggested `(n_unit,)`."""
        trial = self._study.ask(self._kinds)
        self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)  # it comes back where it was decoded to
        return np.array([trial.params[name] for name in self._kinds])

    def _add(self, place: NDArray[np.float64], **of_trial: Any) -> None:
        params = dict(zip(self._kinds, place.tolist(), strict=True))
        self._study.add_trial(self._optuna.trial.create_trial(params=params, distributions=self._kinds, **of_trial))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Optuna logs and warns of off the terminal."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)
