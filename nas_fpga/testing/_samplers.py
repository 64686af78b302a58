"""What every sampler has to keep, ours or not.

A sampler of your own is a subclass of :class:`nas_fpga.samplers.Sampler` that can be pickled; a test of it subclasses
these suites and gives the fixture that each names::

    class TestMySampler(SamplerConformance):  # topologies and bit widths
        @pytest.fixture
        def make_sampler(self):
            return lambda space, seed: MySampler(space, seed)

    class TestMySamplerOfColumns(ColumnConformance):  # a space of ordinal, logarithmic and categorical columns
        ...  # the same fixture

    class TestMySamplerGoals(GoalConformance):  # where it looks at values
        @pytest.fixture
        def make_sampler_for(self):
            return lambda space, seed, goal: MySampler(space, seed, goal=goal)

:class:`SearchedSettingsConformance` and :class:`LearnedBitsConformance` are the first suite on further spaces. Class
attributes set what a suite demands, such as ``most_seconds`` of one suggestion, and what it searches; see there.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nas_fpga.samplers import Goal, Observation, Sampler
from nas_fpga.space import BitWidths, Candidate, LearnedBits, MLPSpace, Rows, Space, SpaceExhausted, TrainingSpace
from nas_fpga.testing._columns import Column, ColumnSpace
from nas_fpga.testing._stand_ins import observe, observe_columns

MakeSampler = Callable[[Any, int], Sampler[Any]]
"""Space and seed to a sampler."""

MakeSamplerFor = Callable[[Any, int, Goal], Sampler[Any]]
"""Space, seed and goal to a sampler."""

_SPACE = MLPSpace(n_inputs=8, n_outputs=1, budget=40, max_layers=4, weight_bits=(4, 8), activation_bits=(6, 6))
_TINY = MLPSpace(n_inputs=3, n_outputs=1, budget=4, max_layers=2, weight_bits=(5, 6), activation_bits=(6, 6))
_SETTINGS = TrainingSpace(learning_rate=(1e-4, 1e-1), batch_size=(64, 1024), epochs=(5, 20), dropout=(0.0, 0.4))
_FEW_SETTINGS = TrainingSpace(batch_size=(512, 1024))
_OUTSIDE = ((9, 8, 7, 6, 5, 4), (500, 500), (100,))  # too deep for a row of the spaces above, and too large for them
_LENGTHS = (0, 1, 3, 12)
_USELESS = (None, math.nan, math.inf, -math.inf)

_ASK_IN_ANOTHER_PROCESS = """
import json, pickle, sys
import numpy as np
from nas_fpga.samplers import Observation
sampler, space = pickle.load(open(sys.argv[1], "rb"))
stored = json.load(open(sys.argv[2]))
candidates = space.candidates(np.array(stored["rows"], np.int32))
history = [Observation(of, "complete", *values) for of, values in zip(candidates, stored["values"])]
print(*map(repr, sampler.ask(history, candidates[len(history):], 2)), sep="\\n")
"""


def _not_too_large(rows: Rows) -> np.ndarray:
    """Allow what is not both wide and deep."""
    return rows[:, 0] + rows[:, 1] <= 8


def _not_largest(rows: Rows) -> np.ndarray:
    """Allow what is not both widest and deepest."""
    return rows[:, 0] + rows[:, 1] <= 2


class SamplerConformance:
    """Tests of the contract of :class:`nas_fpga.samplers.Sampler`.

    A subclass gives the fixture ``make_sampler``: a function of a space and a seed. A sampler with a random start keeps
    it at 10 trials or fewer, so that its model is tested too. Sampler and space must be picklable, as one test asks
    again in another process; so their classes are those of a module, and not of a function.

    A subclass on a space of its own gives all three of ``space``, ``tiny`` and ``outside``, and :meth:`observe`.

    Attributes:
        seeded: The sampler uses its seed.
        covers_the_space: The sampler proposes every candidate of the space before it is exhausted.
        space: What is searched, with at least 304 candidates.
        tiny: A space that is searched to its end.
        outside: Candidates outside the space, with or without a row, that a user may have trained; one at least.
        generations: How many generations of four are asked for in the longest test, with four in training.
        most_seconds: CPU seconds that a suggestion may take after 300 trials, in a generation of four.
    """

    seeded = True
    covers_the_space = True
    space: ClassVar[Space[Any]] = _SPACE
    tiny: ClassVar[Space[Any]] = _TINY
    outside: ClassVar[Sequence[Any]] = tuple(Candidate(topology, BitWidths(2, 3)) for topology in _OUTSIDE)
    generations: ClassVar[int] = 30
    most_seconds: ClassVar[float] = 1.0

    def observe(self, candidate: Any) -> Observation[Any]:
        """Return what is observed of a candidate, of the space or outside it."""
        return observe(candidate)

    @pytest.fixture
    def make_sampler(self) -> MakeSampler:
        """Return a function of a space and a seed that makes the sampler under test."""
        raise NotImplementedError("give the fixture make_sampler")

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_proposals_are_new_and_inside(self, make_sampler: MakeSampler, length: int) -> None:
        self._ask(make_sampler, *self._situation(make_sampler, length))

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_more_proposals_begin_with_the_fewer(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = self._situation(make_sampler, length)
        three = make_sampler(self.space, 1).ask(history, pending, 3)
        assert make_sampler(self.space, 1).ask(history, pending, 1) == three[:1]
        assert make_sampler(self.space, 1).ask(history, pending, 2) == three[:2]

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_the_past_of_the_object_does_not_matter(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = self._situation(make_sampler, length)
        used, fresh = make_sampler(self.space, 1), make_sampler(self.space, 1)
        used.ask([], [], 2)
        used.ask(history[:2], [], 1)
        first = used.ask(history, pending, 2)
        assert used.ask(history, pending, 2) == first
        assert fresh.ask(history, pending, 2) == first

    def test_the_arguments_are_left_alone(self, make_sampler: MakeSampler) -> None:
        history, pending = self._situation(make_sampler, 12)
        before = list(history), list(pending)
        make_sampler(self.space, 1).ask(history, pending, 2)
        assert (history, pending) == before

    def test_another_process_proposes_the_same_from_what_was_stored(
        self, make_sampler: MakeSampler, tmp_path: Path
    ) -> None:
        history, pending = self._situation(make_sampler, 12)
        sampler = make_sampler(self.space, 1)
        (tmp_path / "sampler.pickle").write_bytes(pickle.dumps((sampler, self.space)))
        rows = self.space.rows([*(observation.candidate for observation in history), *pending])
        values = [(observation.log10_error, observation.log10_share) for observation in history]
        (tmp_path / "stored.json").write_text(json.dumps({"rows": rows.tolist(), "values": values}))
        done = subprocess.run(
            [sys.executable, "-c", _ASK_IN_ANOTHER_PROCESS, tmp_path / "sampler.pickle", tmp_path / "stored.json"],
            env=os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [repr(candidate) for candidate in sampler.ask(history, pending, 2)]

    def test_a_search_cut_off_goes_on_as_it_would_have(self, make_sampler: MakeSampler) -> None:
        whole = self._search(lambda: make_sampler(self.space, 1), 5)
        sampler = make_sampler(self.space, 1)
        assert self._search(lambda: sampler, 5) == whole
        assert self._search(lambda: sampler, 3) == whole[:12]

    def test_long_searches_repeat_nothing_and_stay_inside(self, make_sampler: MakeSampler) -> None:
        sampler = make_sampler(self.space, 2)
        proposed = self._search(lambda: sampler, self.generations)
        assert len(set(proposed)) == len(proposed)
        assert all(_inside(self.space, candidate) for candidate in proposed)
        if self.covers_the_space:
            assert len(proposed) == 4 * self.generations

    def test_a_suggestion_after_300_trials_is_cheap(self, make_sampler: MakeSampler) -> None:
        unseen = self.space.unseen(np.random.default_rng(0), [])
        candidates = [next(unseen) for _ in range(304)]
        history = list(map(self.observe, candidates[:300]))
        sampler = make_sampler(self.space, 1)
        sampler.ask(history[:20], [], 1)  # what it imports counts for nothing
        start = time.process_time()
        assert len(_as_many_as_left(sampler, history, candidates[300:])) == 4 or not self.covers_the_space
        assert (time.process_time() - start) / 4 < self.most_seconds

    def test_seeds_differ(self, make_sampler: MakeSampler) -> None:
        lists = {tuple(make_sampler(self.space, seed).ask([], [], 2)) for seed in range(4)}
        assert (len(lists) > 1) == self.seeded

    def test_trials_without_values_are_accepted(self, make_sampler: MakeSampler) -> None:
        history, pending = self._situation(make_sampler, 12)
        self._ask(make_sampler, [_spoil(observation, i) for i, observation in enumerate(history)], pending)

    @pytest.mark.parametrize("n_complete", [0, 1, 2, 3])
    def test_little_but_failures_is_accepted(self, make_sampler: MakeSampler, n_complete: int) -> None:
        history, pending = self._situation(make_sampler, 12)
        failed = [Observation(observation.candidate, "failed") for observation in history[n_complete:]]
        self._ask(make_sampler, [*history[:n_complete], *failed], pending)

    def test_equal_values_are_accepted(self, make_sampler: MakeSampler) -> None:
        history, pending = self._situation(make_sampler, 12)
        equal = [Observation(o.candidate, "complete", log10_error=-1.0, log10_share=-2.0) for o in history]
        self._ask(make_sampler, equal, pending)

    def test_included_candidates_may_lie_outside_the_space(self, make_sampler: MakeSampler) -> None:
        history, pending = self._situation(make_sampler, 12)
        included = list(map(self.observe, self.outside))
        self._ask(make_sampler, [*included, *history], [*pending, self.outside[0]])

    def test_values_are_plain(self, make_sampler: MakeSampler) -> None:
        proposed = self._ask(make_sampler, *self._situation(make_sampler, 12))
        # As the space itself makes them: 3 and numpy's 3 are equal, but print and store as different values.
        assert list(map(repr, proposed)) == list(map(repr, self.space.candidates(self.space.rows(proposed))))

    def test_the_end_of_the_space_carries_what_is_left(self, make_sampler: MakeSampler) -> None:
        history, remaining = self._run_dry(make_sampler)
        done = {observation.candidate for observation in history}
        assert len(remaining) == len(set(remaining)) < 7
        assert not done & set(remaining)
        assert all(_inside(self.tiny, candidate) for candidate in (*done, *remaining))
        if self.covers_the_space:
            assert done | set(remaining) == set(self.tiny.enumerate())
        if remaining:
            assert set(make_sampler(self.tiny, 1).ask(history, [], len(remaining))) == set(remaining)
        with pytest.raises(SpaceExhausted) as nothing:
            make_sampler(self.tiny, 1).ask(history, remaining, 1)
        assert nothing.value.remaining == ()

    def _ask(self, make_sampler: MakeSampler, history: Sequence[Observation[Any]], pending: Sequence[Any]) -> list[Any]:
        """Ask a sampler of seed 1 for three candidates, see that they are new and inside, and return them."""
        proposed = make_sampler(self.space, 1).ask(history, pending, 3)
        _assert_new_and_inside(self.space, proposed, 3, history, pending)
        return proposed

    def _run_dry(self, make_sampler: MakeSampler) -> tuple[list[Observation[Any]], tuple[Any, ...]]:
        """Ask for seven at a time until fewer are left; return the history and what is left."""
        history: list[Observation[Any]] = []
        for _ in range(self.tiny.size() + 1):
            try:
                history += map(self.observe, make_sampler(self.tiny, 1).ask(history, [], 7))
            except SpaceExhausted as end:
                return history, end.remaining
        pytest.fail("the space never ended")

    def _situation(self, make_sampler: MakeSampler, length: int) -> tuple[list[Observation[Any]], list[Any]]:
        """Return a history of that length and two candidates in training, as the sampler itself proposes them."""
        start = make_sampler(self.space, 0).ask([], [], length + 2)
        return [self.observe(candidate) for candidate in start[:length]], list(start[length:])

    def _search(self, sampler: Callable[[], Sampler[Any]], generations: int) -> list[Any]:
        """Return what is proposed in generations of four, of which the last is always in training."""
        history: list[Observation[Any]] = []
        pending: list[Any] = []
        for _ in range(generations):
            proposed = _as_many_as_left(sampler(), history, pending)
            history += map(self.observe, pending)
            pending = proposed
        return [*(observation.candidate for observation in history), *pending]


class ColumnConformance(SamplerConformance):
    """The same tests on a space of columns of all kinds, for samplers that know no more of a space than its contract.

    It holds the combinations of width, depth, learning rate and activation that are not both wide and deep.
    """

    space = ColumnSpace(
        (
            Column("width", (4, 8, 16, 32, 64, 128, 256, 512), "log"),
            Column("depth", (1, 2, 3, 4)),
            Column("rate", (1e-4, 1e-3, 1e-2, 1e-1), "log"),
            Column("activation", ("relu", "tanh", "linear"), "categorical"),
        ),
        allowed=_not_too_large,
    )
    tiny = ColumnSpace(
        (
            Column("width", (4, 8, 16), "log"),
            Column("depth", (1, 2)),
            Column("rate", (1e-2,)),
            Column("activation", ("relu", "tanh"), "categorical"),
        ),
        allowed=_not_largest,
    )

    outside = ((1024, 4, 1e-2, "relu"), (512, 4, 1e-3, "tanh"))  # 1024 is no level, 512 and 4 are not allowed together

    def observe(self, candidate: Any) -> Observation[Any]:
        """Return what is observed of a candidate, of the space or outside it."""
        return observe_columns(candidate)


class GoalConformance:
    """Tests of both goals, for samplers that learn from values.

    A subclass gives the fixture ``make_sampler_for``: a function of a space, a seed and a goal. Twenty trials must be
    enough for the sampler to learn from.

    Attributes:
        weighs_shares: After precision, too, proposals depend on what shares are within the limits, as where they tell
            how likely the limits are kept. Otherwise they depend on whether the limits are kept alone.
    """

    weighs_shares: ClassVar[bool] = False

    @pytest.fixture
    def make_sampler_for(self) -> MakeSamplerFor:
        """Return a function of a space, a seed and a goal that makes the sampler under test."""
        raise NotImplementedError("give the fixture make_sampler_for")

    @pytest.mark.parametrize("goal", ["front", "precision"])
    def test_proposals_are_new_and_inside(self, make_sampler_for: MakeSamplerFor, goal: Goal) -> None:
        history = _twenty()
        proposed = make_sampler_for(_SPACE, 1, goal).ask(history, [], 3)
        _assert_new_and_inside(_SPACE, proposed, 3, history, [])
        assert make_sampler_for(_SPACE, 1, goal).goal == goal

    def test_precision_does_not_look_at_shares_within_the_limits(self, make_sampler_for: MakeSamplerFor) -> None:
        history = _twenty()
        others = [replace(o, log10_share=-0.1 * (i + 1)) for i, o in enumerate(history)]
        sampler = make_sampler_for(_SPACE, 1, "precision")
        assert (sampler.ask(others, [], 3) != sampler.ask(history, [], 3)) == self.weighs_shares

    def test_precision_looks_at_what_is_over_the_limits(self, make_sampler_for: MakeSamplerFor) -> None:
        history = _twenty()
        median = np.median([observation.log10_error for observation in history])
        over = [replace(o, log10_share=0.5) if o.log10_error < median else o for o in history]
        sampler = make_sampler_for(_SPACE, 1, "precision")
        assert sampler.ask(over, [], 3) != sampler.ask(history, [], 3)

    def test_the_front_looks_at_shares(self, make_sampler_for: MakeSamplerFor) -> None:
        history = _twenty()
        others = [replace(o, log10_share=-0.1 * (i + 1)) for i, o in enumerate(history)]
        sampler = make_sampler_for(_SPACE, 1, "front")
        assert sampler.ask(others, [], 3) != sampler.ask(history, [], 3)


class SearchedSettingsConformance(SamplerConformance):
    """The same tests, and more, on a space that searches training settings beside the topology."""

    space: ClassVar[MLPSpace] = replace(_SPACE, training=_SETTINGS)
    generations = 5
    tiny = replace(_TINY, budget=3, training=_FEW_SETTINGS)

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_settings_lie_within_their_ranges(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = self._situation(make_sampler, length)
        for candidate in make_sampler(self.space, 1).ask(history, pending, 6):
            for name, (low, high) in self.space.training.ranges.items():
                assert low <= getattr(candidate.settings, name) <= high
            assert candidate.settings.batch_size in (64, 128, 256, 512, 1024)
            assert type(candidate.settings.epochs) is type(candidate.settings.batch_size) is int
            assert type(candidate.settings.learning_rate) is float
            assert candidate.settings.beta_2 == self.space.settings.beta_2

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_settings_are_searched(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = self._situation(make_sampler, length)
        proposed = make_sampler(self.space, 1).ask(history, pending, 6)
        assert len({candidate.settings for candidate in proposed}) > 2

    def test_included_candidates_may_be_trained_in_another_way(self, make_sampler: MakeSampler) -> None:
        history, pending = self._situation(make_sampler, 12)
        settings = replace(self.space.settings, learning_rate=0.5, batch_size=48, epochs=100)
        included = [observe(Candidate((12, 8), BitWidths(6, 6), of)) for of in (settings, self.space.settings)]
        self._ask(make_sampler, [*included, *history], pending)


class LearnedBitsConformance(SamplerConformance):
    """The same tests, and more, on a space of networks whose bits are learned under a pressure that is searched."""

    generations = 5
    space = replace(_SPACE, learned_bits=True, training=TrainingSpace(pressure=(1e-5, 3e-4)))
    tiny = replace(_TINY, learned_bits=True, training=_FEW_SETTINGS)

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_bits_are_learned_under_pressures_within_their_range(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = self._situation(make_sampler, length)
        proposed = make_sampler(self.space, 1).ask(history, pending, 6)
        assert {candidate.bits for candidate in proposed} == {LearnedBits()}
        assert all(1e-5 <= candidate.settings.pressure <= 3e-4 for candidate in proposed)
        assert len({candidate.settings.pressure for candidate in proposed}) > 2


def _assert_new_and_inside(
    space: Space[Any], proposed: Sequence[Any], n: int, history: Sequence[Observation[Any]], pending: Sequence[Any]
) -> None:
    """Assert that proposals are as many as asked for, of the space, different, and none ended or in training."""
    assert len(proposed) == n
    assert all(_inside(space, candidate) for candidate in proposed)
    assert len(set(proposed)) == n
    assert not set(proposed) & {*pending, *(observation.candidate for observation in history)}


def _inside(space: Space[Any], candidate: Any) -> bool:
    """Tell whether a candidate is one of the space: feasible, and what its row says."""
    if not space.has_row(candidate):
        return False
    row = space.rows([candidate])
    return bool(space.feasible(row)[0]) and space.candidates(row) == [candidate]


def _as_many_as_left(sampler: Sampler[Any], history: list[Observation[Any]], pending: list[Any]) -> list[Any]:
    """Return the next four candidates, or fewer at the end of what the sampler proposes."""
    try:
        return sampler.ask(history, pending, 4)
    except SpaceExhausted as end:
        return list(end.remaining)


def _twenty() -> list[Observation[Candidate]]:
    """Return twenty trials, all within the limits."""
    rows = np.unique(_SPACE.sample(np.random.default_rng(0), 60), axis=0)
    some = rows[np.random.default_rng(1).permutation(len(rows))[:20]]
    return [replace(o, log10_share=min(o.log10_share or 0, -0.05)) for o in map(observe, _SPACE.candidates(some))]


def _spoil(observation: Observation[Any], number: int) -> Observation[Any]:
    """Return every third trial without an error, every third without a share; of the others every second as failed.

    What is not there is None, or not finite.
    """
    value = _USELESS[number // 3 % len(_USELESS)]
    if number % 3 == 0:
        return replace(observation, log10_error=value)
    if number % 3 == 1:
        return replace(observation, log10_share=value)
    return Observation(observation.candidate, "failed") if number % 2 else observation
