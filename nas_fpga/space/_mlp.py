"""The space of multi-layer perceptrons under a budget of hidden neurons."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.space._base import SMALL, Space
from nas_fpga.space._candidate import BitWidths, Candidate, LearnedBits, TrainingSettings
from nas_fpga.space._features import features_of
from nas_fpga.space._moves import TOPOLOGY_MOVES, scale
from nas_fpga.space._rows import (
    LEARNED_AS,
    Rows,
    apportion,
    candidates_of,
    depths_of,
    n_macs_of,
    n_params_of,
    rows_of,
    totals_of,
    widths_of,
)
from nas_fpga.space._topologies import count_topologies, topologies
from nas_fpga.space._training import Levels, TrainingSpace

PriorCost = Callable[[Rows], tuple[NDArray[np.float64], NDArray[np.bool_]]]
"""Cost known before training: architectures to log10 of the share of the limits, and whether each is refused `(n,)`."""

PriorTime = Callable[[Rows, NDArray[np.int64]], NDArray[np.float64]]
"""Time that training takes: architectures and their epochs to a number that grows with it, in any unit `(n,)`."""

MIN_BITS, MAX_BITS = 2, 8

_MAX_BUDGET = 10**9  # far beyond what trains; rows hold 32-bit integers
_LOG_SHARE_SPREAD = math.log(2)  # a layer is typically within a factor of 2 of its neighbours
_SETTING_MOVES = 3  # kinds of local moves that change training settings, where they are searched; nine others do not


@dataclass(frozen=True)
class MLPSpace(Space[Candidate]):
    """Topologies of ``min_layers`` to ``max_layers`` hidden layers and ``budget`` neurons at most, with bit widths.

    Everything that leaves the space is feasible: the budget and the bounds by construction, the parameter window and
    what the hardware refuses by rejection. Where training settings are searched too, rows have one column more for
    each, at their end: the place on its range.

    Attributes:
        n_inputs: Features of the data set.
        n_outputs: Logits of the network.
        budget: Most hidden neurons over all layers.
        max_layers: Most hidden layers.
        max_width: Most neurons of one layer; None for the budget.
        weight_bits: Least and most weight bits, within 2 to 8.
        activation_bits: Least and most activation bits, within 2 to 8.
        min_params: Fewest trainable parameters.
        max_params: Most trainable parameters.
        settings: How every candidate is trained, but for what is searched.
        prior_cost: Cost known before training; what it refuses is never proposed.
        prior_time: Time of a training known before it; without it all are taken for equally long.
        training: Training settings that are searched.
        learned_bits: Whether training finds the bit widths, as :class:`LearnedBits`; then both ranges of bits are not
            looked at, and models see the same number for all candidates.
        min_layers: Fewest hidden layers.
        unlimited: Whether ``prior_cost`` refuses nothing, however dear.
    """

    n_inputs: int
    n_outputs: int
    budget: int
    max_layers: int = 15
    max_width: int | None = None
    weight_bits: tuple[int, int] = (MIN_BITS, MAX_BITS)
    activation_bits: tuple[int, int] = (MIN_BITS, MAX_BITS)
    min_params: int | None = None
    max_params: int | None = None
    settings: TrainingSettings = field(default=TrainingSettings())
    prior_cost: PriorCost | None = None
    prior_time: PriorTime | None = None
    training: TrainingSpace = field(default=TrainingSpace())
    learned_bits: bool = False
    min_layers: int = 1
    unlimited: bool = False

    def __post_init__(self) -> None:
        """Refuse a space that is ill-formed or empty.

        Raises:
            InputError: With the value and the cure.
        """
        for name in ("n_inputs", "n_outputs", "budget", "max_layers", "min_layers"):
            if getattr(self, name) < 1:
                raise InputError(f"{name.replace('_', ' ')} {getattr(self, name)} must be at least 1")
        if self.budget > _MAX_BUDGET:
            raise InputError(f"budget {self.budget} must be at most {_MAX_BUDGET}")
        if self.max_width is not None and self.max_width < 1:
            raise InputError(f"max width {self.max_width} must be at least 1")
        if self.min_layers > self.max_layers:
            raise InputError(
                f"min layers {self.min_layers} is above the {self.max_layers} layers allowed; lower it or allow more"
            )
        if self.budget < self.max_layers:
            raise InputError(
                f"budget {self.budget} is smaller than the {self.max_layers} layers allowed; "
                f"raise it or allow at most {self.budget} layers"
            )
        for name in ("weight_bits", "activation_bits"):
            low, high = getattr(self, name)
            if not MIN_BITS <= low <= high <= MAX_BITS:
                raise InputError(
                    f"{name.replace('_', ' ')} {low}:{high} must be a range LOW:HIGH within {MIN_BITS}:{MAX_BITS}"
                )
        if self.min_params is not None and self.max_params is not None and self.min_params > self.max_params:
            raise InputError(f"min params {self.min_params} is above max params {self.max_params}; swap them")
        _ = self._found

    @property
    def width_limit(self) -> int:
        """Most neurons of one layer."""
        return self.budget if self.max_width is None else min(self.max_width, self.budget)

    # Membership

    def feasible(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows lie inside the space `(n,)`."""
        rows, levels = self._parts(rows)
        params = n_params_of(rows, self.n_inputs, self.n_outputs)
        ok: NDArray[np.bool_] = totals_of(rows) <= self.budget
        ok &= widths_of(rows).max(axis=1) <= self.width_limit
        ok &= depths_of(rows) >= self.min_layers
        ok &= ((rows[:, -2:] >= self._least_bits) & (rows[:, -2:] <= self._most_bits)).all(axis=1)
        if self.min_params is not None:
            ok &= params >= self.min_params
        if self.max_params is not None:
            ok &= params <= self.max_params
        if self.prior_cost is not None and ok.any():
            ok[ok] = ~self.prior_cost(rows[ok])[1]
        return ok & self.training.inside(levels)

    def __contains__(self, candidate: object) -> bool:
        """Tell whether a candidate may be proposed."""
        if not isinstance(candidate, Candidate) or not self.has_architecture_of(candidate):
            return False
        return self.candidates(self.rows([candidate]))[0].settings == candidate.settings

    def has_architecture_of(self, candidate: Candidate) -> bool:
        """Tell whether topology and bits of a candidate may be proposed, however it is trained."""
        bits = candidate.bits
        if isinstance(bits, LearnedBits) != self.learned_bits or candidate.n_layers > self.max_layers:
            return False
        if isinstance(bits, BitWidths) and max(bits.weights, bits.activations) > MAX_BITS:
            return False  # like what follows, more than a row may hold
        if max(candidate.topology) > self.width_limit:
            return False
        return bool(self.feasible(self.rows([candidate]))[0])

    def rows(self, candidates: Sequence[Candidate], max_layers: int | None = None) -> Rows:
        """Return candidates as rows, with the nearest training settings that are searched.

        Args:
            candidates: None deeper than ``max_layers``.
            max_layers: Depth that rows are padded to; the space's by default.
        """
        architectures = rows_of(candidates, max_layers or self.max_layers)
        return self._join(architectures, self.training.levels([candidate.settings for candidate in candidates]))

    def has_row(self, candidate: Candidate) -> bool:
        """Tell whether rows can hold a candidate: whether it is not too deep."""
        return candidate.n_layers <= self.max_layers

    def candidates(self, rows: Rows) -> list[Candidate]:
        """Return rows as candidates with the training settings of the space."""
        rows, levels = self._parts(rows)
        found = candidates_of(rows, self.settings)
        if self.learned_bits:
            found = [replace(candidate, bits=LearnedBits()) for candidate in found]
        if not self.training.names:
            return found
        settings = self.training.settings(levels, self.settings)
        return [replace(candidate, settings=of) for candidate, of in zip(found, settings, strict=True)]

    def prior_log10_share(self, rows: Rows) -> NDArray[np.float64]:
        """Return log10 of the resource share known before training `(n,)`.

        Without ``prior_cost`` it is the bit operations (multiplications times both bit widths) over their bound in this
        space: neighbouring widths of a total T have products that sum to at most T^2/4.
        """
        rows, _ = self._parts(rows)
        if self.prior_cost is not None:
            return self.prior_cost(rows)[0]
        macs = n_macs_of(rows, self.n_inputs, self.n_outputs).astype(np.float64)  # bit operations may exceed 64 bits
        operations = macs * rows[:, -2] * rows[:, -1]
        bound = (self.n_inputs + self.n_outputs + self.budget / 4) * self.budget
        bound *= self._most_bits.prod()
        share: NDArray[np.float64] = np.log10(operations / bound)
        return share

    def training_time(self, rows: Rows) -> NDArray[np.float64]:
        """Return how long candidates are expected to train, in any unit `(n,)`."""
        if self.prior_time is None:
            return np.ones(len(rows))
        architectures, levels = self._parts(rows)
        return self.prior_time(architectures, self.training.epochs_at(levels, self.settings))

    # Proposals

    def sample(self, rng: np.random.Generator, n: int) -> Rows:
        """Return ``n`` feasible rows at random; rows may repeat.

        The depth d has a probability in proportion to 1/d, so that each doubling of it is about as likely and every
        depth is reached. The mean width is uniform on a log scale from 2 sqrt(d), or what the budget allows if that is
        less, to what the budget allows. Layers are log-normal shares of the total, typically within a factor of 2 of
        each other, rounded by largest remainder. Bits are uniform, and so are training settings along their ranges.

        With 15 layers and a budget of 2,000: depth 1 in 30 %, 2-4 in 33 %, 5-8 in 19 %, 9-15 in 18 %; total 2-20 in
        15 %, 21-200 in 38 %, 201-2,000 in 47 %; narrowest layer 1-3 in 14 %, 4-10 in 23 %, 11-100 in 41 %, above 100 in
        22 %. A parameter window and the hardware's limits reshape these by rejection. Where they refuse nearly all,
        what was found, now or when the space was made, is made up to ``n`` by local moves.
        """
        rows = self._drawn(rng, n)
        return rows if len(rows) == n else self._made_up(rng, rows if len(rows) else self._found, n)

    def _drawn(self, rng: np.random.Generator, n: int) -> Rows:
        """Return at most ``n`` feasible rows: those among so many draws, or if there are none any of a small space."""
        rows = self._feasible_of(lambda size: self._draw(rng, size), n)
        if not len(rows) and self._n_architectures <= SMALL and len(self._architectures):
            some = self._architectures[rng.integers(len(self._architectures), size=n)]
            rows = self._join(some, self.training.sample(rng, n))
        return rows

    @cached_property
    def _found(self) -> Rows:
        """What is known to be feasible, at least one row.

        Raises:
            InputError: Nothing was found.
        """
        if len(rows := self._drawn(np.random.default_rng(0), 1)):
            return rows
        window = f"{self.min_params or 0} to {self.max_params or 'any number of'} parameters"
        raise InputError(
            f"no network of at most {self.budget} neurons and {window} was found that the limits allow; relax them"
        )

    def moves(self, rng: np.random.Generator, rows: Rows, n: int) -> Rows:
        """Return at most ``n`` feasible neighbours of rows, each by one local move from a row picked at random.

        Moves are scale (all layers), resize (one layer), transfer, insert, delete, split, merge, steps of the bits, and
        where training settings are searched, one of them in a quarter of the moves.
        What leaves the budget is shrunk in proportion; what has too few layers, or the window or the limits refuse, is
        dropped.

        Args:
            rng: Source of randomness.
            rows: Where to start, at least one.
            n: How many moves to make.
        """
        moved, levels = self._parts(rows[rng.integers(len(rows), size=n)])
        widths = widths_of(moved).astype(np.int64)
        n_kinds = len(TOPOLOGY_MOVES) + 2
        kinds = rng.integers(n_kinds + _SETTING_MOVES * bool(self.training.names), size=n)
        for kind, move in enumerate(TOPOLOGY_MOVES):
            widths[kinds == kind] = move(rng, widths[kinds == kind])
        rescaled = kinds == len(TOPOLOGY_MOVES) + 1  # fewer bits often pay for more neurons: both in one move
        widths[rescaled] = scale(rng, widths[rescaled])
        of_bits = (kinds >= len(TOPOLOGY_MOVES)) & (kinds < n_kinds)
        steps = rng.integers(-1, 2, size=(n, 2)) * of_bits[:, None]
        bits = np.clip(moved[:, -2:] + steps, self._least_bits, self._most_bits)
        if (of_settings := kinds >= n_kinds).any():
            levels[of_settings] = self.training.moves(rng, levels[of_settings])
        neighbours = self._join(_architecture(self._within_bounds(widths), bits), levels)
        return neighbours[self.feasible(neighbours)]

    # Encodings

    def encode(self, rows: Rows) -> NDArray[np.float64]:
        """Return features for models `(n, 11 + k)`, about 0 to 1, in which similar candidates are near.

        They are those of the architecture (:func:`nas_fpga.space._features.features_of`), and the places of the k
        training settings that are searched on their ranges. Rows of any padding are taken.
        """
        rows, levels = self._parts(rows)
        bounds = {"budget": self.budget, "max_layers": self.max_layers, "max_bits": MAX_BITS}
        features = features_of(rows, self.n_inputs, self.n_outputs, **bounds)
        return np.concatenate([features, self.training.encode(levels)], axis=1)

    def features(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the features of candidates of any depth `(n, 11 + k)`; see :meth:`encode`."""
        deepest = max((candidate.n_layers for candidate in candidates), default=self.max_layers)
        return self.encode(self.rows(candidates, max(deepest, self.max_layers)))

    def has_features(self, candidate: Candidate) -> bool:
        """Tell whether models can learn from a candidate: from any, as features do not grow with the depth."""
        return True

    @property
    def n_unit(self) -> int:
        """Coordinates of the unit cube: depth, total, a share for each layer, two bit widths, searched settings."""
        return self._n_unit_architecture + len(self.training.names)

    @property
    def _n_unit_architecture(self) -> int:
        return self.max_layers + 4

    def to_unit(self, rows: Rows) -> NDArray[np.float64]:
        """Return a point of the unit cube `(n, n_unit)` for each row: one that :meth:`from_unit` decodes to it."""
        rows, levels = self._parts(rows)
        depths = depths_of(rows)
        widths = widths_of(rows)
        log_total = np.log(totals_of(rows) / depths) / np.maximum(np.log(self._most_neurons(depths) / depths), 1e-9)
        shares = np.log(np.maximum(widths, 1)) / math.log(max(self.width_limit, 2))
        bits = (rows[:, -2:] - self._least_bits + 0.5) / (self._most_bits - self._least_bits + 1)
        points = np.column_stack(
            [
                (depths - self.min_layers + 0.5) / self._n_depths,
                log_total,
                np.where(widths > 0, shares, 0.5),
                bits,
                self.training.to_unit(levels),
            ]
        )
        clipped: NDArray[np.float64] = np.clip(points, 0, 1)
        return clipped

    def from_unit(self, points: NDArray[np.float64]) -> Rows:
        """Return a feasible row for each point of the unit cube `(n, n_unit)`.

        A point that decodes to what the window or the limits refuse is given the nearest of 2,048 feasible networks.
        """
        levels = self.training.from_unit(points[:, self._n_unit_architecture :])
        points = points[:, : self._n_unit_architecture]
        steps = np.minimum((points[:, 0] * self._n_depths).astype(np.int64), self._n_depths - 1)
        depths = self.min_layers + steps
        totals = np.rint(depths * np.exp(points[:, 1] * np.log(self._most_neurons(depths) / depths))).astype(np.int64)
        shares = np.exp(points[:, 2:-2] * math.log(max(self.width_limit, 2)))
        shares[np.arange(self.max_layers) >= depths[:, None]] = 0
        span = self._most_bits - self._least_bits + 1
        bits = self._least_bits + np.minimum((points[:, -2:] * span).astype(np.int64), span - 1)
        rows = self._join(_architecture(apportion(shares, totals, self.width_limit), bits), levels)
        for i in np.flatnonzero(~self.feasible(rows)):
            anchors, places = self._anchors
            rows[i, : anchors.shape[1]] = anchors[((places - points[i]) ** 2).sum(axis=1).argmin()]
        return rows

    # The whole space

    def size(self) -> int:
        """Return how many candidates there are, exactly, before a parameter window and the hardware refuse some."""
        return self._n_architectures * self.training.size

    def enumerate(self) -> Iterator[Candidate]:
        """Yield every candidate once, by depth, widths, bits, then training settings; see :meth:`size` first."""
        places = itertools.product(*(range(n) for n in self.training.counts))
        levels = np.array(list(places), np.int32).reshape(self.training.size, len(self.training.names))
        for rows in self._architecture_blocks(max(4096 // len(levels), 1)):
            every = np.repeat(rows, len(levels), axis=0)
            yield from self.candidates(self._join(every, np.tile(levels, (len(rows), 1))))

    @cached_property
    def _n_architectures(self) -> int:
        bits = math.prod(high - low + 1 for low, high in self._bit_ranges)
        return count_topologies(self.budget, self.max_layers, self.width_limit, self.min_layers) * bits

    def _architecture_blocks(self, size: int = 4096) -> Iterator[Rows]:
        """Yield all feasible architectures, without training settings, by depth, then widths, then bits."""
        ranges = [range(low, high + 1) for low, high in self._bit_ranges]
        every = topologies(self.budget, self.max_layers, self.width_limit, self.min_layers)
        pairs = itertools.product(every, list(itertools.product(*ranges)))
        while block := list(itertools.islice(pairs, size)):
            rows = np.zeros((len(block), self.max_layers + 2), np.int32)
            for row, (widths, both) in zip(rows, block, strict=True):
                row[: len(widths)] = widths
                row[-2:] = both
            any_levels = np.zeros((len(rows), len(self.training.names)), np.int32)
            yield rows[self.feasible(self._join(rows, any_levels))]

    @cached_property
    def _architectures(self) -> Rows:
        """All architectures of a space that has few, as rows without training settings."""
        return np.concatenate(list(self._architecture_blocks()))

    @cached_property
    def _anchors(self) -> tuple[Rows, NDArray[np.float64]]:
        """Feasible architectures, and their places in the unit cube, to fall back on."""
        rows = self.sample(np.random.default_rng(0), 2048)
        return self._parts(rows)[0], self.to_unit(rows)[:, : self._n_unit_architecture]

    @property
    def _bit_ranges(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Least and most of the bits that stand in rows, of weights and of activations."""
        as_fixed = LEARNED_AS, LEARNED_AS
        return (as_fixed, as_fixed) if self.learned_bits else (self.weight_bits, self.activation_bits)

    @property
    def _n_depths(self) -> int:
        return self.max_layers - self.min_layers + 1

    @property
    def _least_bits(self) -> NDArray[np.int64]:
        return np.array([low for low, _ in self._bit_ranges])

    @property
    def _most_bits(self) -> NDArray[np.int64]:
        return np.array([high for _, high in self._bit_ranges])

    def _most_neurons(self, depths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the most neurons that networks of these depths may have."""
        return np.minimum(self.budget, depths * self.width_limit)

    def _draw(self, rng: np.random.Generator, n: int) -> Rows:
        """Return ``n`` rows within budget, widths and bits; see :meth:`sample`."""
        probabilities = 1 / np.arange(self.min_layers, self.max_layers + 1)
        depths = self.min_layers + rng.choice(self._n_depths, size=n, p=probabilities / probabilities.sum())
        highest = np.log(self._most_neurons(depths) / depths)
        lowest = np.minimum(np.log(2 * np.sqrt(depths)), highest)
        totals = np.rint(depths * np.exp(rng.uniform(lowest, highest))).astype(np.int64)
        shares = np.exp(_LOG_SHARE_SPREAD * rng.standard_normal((n, self.max_layers)))
        shares[np.arange(self.max_layers) >= depths[:, None]] = 0
        bits = rng.integers(self._least_bits, self._most_bits + 1, size=(n, 2))
        architectures = _architecture(apportion(shares, totals, self.width_limit), bits)
        return self._join(architectures, self.training.sample(rng, n))

    def _within_bounds(self, widths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Shrink what is over the budget or too wide, in proportion."""
        totals = widths.sum(axis=1)
        allowed = np.minimum(totals, self._most_neurons(np.count_nonzero(widths, axis=1)))
        over = (allowed < totals) | (widths.max(axis=1) > self.width_limit)
        widths[over] = apportion(widths[over].astype(np.float64), allowed[over], self.width_limit)
        return widths

    def _parts(self, rows: Rows) -> tuple[Rows, Levels]:
        """Return architectures and searched training settings of rows of any padding: views."""
        n = rows.shape[1] - len(self.training.names)
        return rows[:, :n], rows[:, n:]

    def _join(self, architectures: Rows, levels: Levels) -> Rows:
        return np.concatenate([architectures, levels], axis=1) if self.training.names else architectures


def _architecture(widths: NDArray[np.int64], bits: NDArray[np.int64]) -> Rows:
    return np.concatenate([widths, bits], axis=1).astype(np.int32)
