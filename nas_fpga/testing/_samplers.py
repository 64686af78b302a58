"""What every sampler has to keep, ours or not."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from nas_fpga.samplers import Observation, Sampler
from nas_fpga.space import BitWidths, Candidate, LearnedBits, MLPSpace, SpaceExhausted, TrainingSpace

MakeSampler = Callable[[MLPSpace, int], Sampler[Candidate]]
"""Space and seed to a sampler."""

_SPACE = MLPSpace(n_inputs=8, n_outputs=1, budget=40, max_layers=4, weight_bits=(4, 8), activation_bits=(6, 6))
_TINY = MLPSpace(n_inputs=3, n_outputs=1, budget=4, max_layers=2, weight_bits=(5, 6), activation_bits=(6, 6))
_SETTINGS = TrainingSpace(learning_rate=(1e-4, 1e-1), batch_size=(64, 1024), epochs=(5, 20), dropout=(0.0, 0.4))
_FEW_SETTINGS = TrainingSpace(batch_size=(512, 1024))
_LENGTHS = (0, 12)

_ASK_IN_ANOTHER_PROCESS = """
import pickle, sys
sampler, history, pending, n = pickle.load(open(sys.argv[1], "rb"))
print(*map(repr, sampler.ask(history, pending, n)), sep="\\n")
"""


def observe(candidate: Candidate) -> Observation[Candidate]:
    """Return a smooth stand-in for a trained candidate: wider, deeper and finer is better and dearer.

    The further the learning rate is from the default, the worse. Learned bits are fewer at higher pressure.
    """
    capacity = sum(math.log2(1 + width) for width in candidate.topology) / (1 + 0.2 * candidate.n_layers)
    bits = candidate.bits
    weight_bits = bits.weights if isinstance(bits, BitWidths) else -2 * math.log10(candidate.settings.pressure) - 4
    error = -2 + 1.5 * math.exp(-capacity / 3) + 2.0**-weight_bits
    error += 0.1 * math.log10(candidate.settings.learning_rate / 5e-3) ** 2
    share = math.log10(candidate.n_macs(8, 1) * weight_bits / 1e5)
    return Observation(candidate, "complete", log10_error=error, log10_share=share)


class SamplerConformance:
    """Tests of the contract of :class:`nas_fpga.samplers.Sampler`.

    A subclass gives the fixture ``make_sampler``: a function of a space and a seed. A sampler with a random start keeps
    it at 10 trials or fewer, so that its model is tested too.

    Attributes:
        seeded: The sampler uses its seed.
        covers_the_space: The sampler proposes every candidate of the space before it is exhausted.
        space: What is searched.
        tiny: A space that is searched to its end.
    """

    seeded = True
    covers_the_space = True
    space: ClassVar[MLPSpace] = _SPACE
    tiny: ClassVar[MLPSpace] = _TINY

    @pytest.fixture
    def make_sampler(self) -> MakeSampler:
        """Return a function of a space and a seed that makes the sampler under test."""
        raise NotImplementedError("give the fixture make_sampler")

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_proposals_lie_inside_the_space(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = _situation(make_sampler, self.space, length)
        proposed = make_sampler(self.space, 1).ask(history, pending, 3)
        assert len(proposed) == 3
        assert all(candidate in self.space for candidate in proposed)

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_nothing_is_proposed_twice(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = _situation(make_sampler, self.space, length)
        proposed = make_sampler(self.space, 1).ask(history, pending, 3)
        assert len({*proposed, *pending, *(o.candidate for o in history)}) == 3 + len(pending) + length

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_more_proposals_begin_with_the_fewer(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = _situation(make_sampler, self.space, length)
        three = make_sampler(self.space, 1).ask(history, pending, 3)
        assert make_sampler(self.space, 1).ask(history, pending, 1) == three[:1]
        assert make_sampler(self.space, 1).ask(history, pending, 2) == three[:2]

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_the_past_of_the_object_does_not_matter(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = _situation(make_sampler, self.space, length)
        used, fresh = make_sampler(self.space, 1), make_sampler(self.space, 1)
        used.ask([], [], 2)
        used.ask(history[:2], [], 1)
        first = used.ask(history, pending, 2)
        assert used.ask(history, pending, 2) == first
        assert fresh.ask(history, pending, 2) == first

    def test_the_arguments_are_left_alone(self, make_sampler: MakeSampler) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        before = list(history), list(pending)
        make_sampler(self.space, 1).ask(history, pending, 2)
        assert (history, pending) == before

    def test_another_process_proposes_the_same(self, make_sampler: MakeSampler, tmp_path: Path) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        sampler = make_sampler(self.space, 1)
        (tmp_path / "ask.pickle").write_bytes(pickle.dumps((sampler, history, pending, 2)))
        done = subprocess.run(
            [sys.executable, "-c", _ASK_IN_ANOTHER_PROCESS, str(tmp_path / "ask.pickle")],
            env=os.environ | {"PYTHONHASHSEED": "12345"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines() == [repr(candidate) for candidate in sampler.ask(history, pending, 2)]

    def test_seeds_differ(self, make_sampler: MakeSampler) -> None:
        lists = {tuple(make_sampler(self.space, seed).ask([], [], 2)) for seed in range(4)}
        assert (len(lists) > 1) == self.seeded

    def test_trials_without_values_are_accepted(self, make_sampler: MakeSampler) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        spoilt = [_spoil(observation, i) for i, observation in enumerate(history)]
        proposed = make_sampler(self.space, 1).ask(spoilt, pending, 2)
        assert all(candidate in self.space for candidate in proposed)
        assert not set(proposed) & {observation.candidate for observation in spoilt}

    def test_nothing_but_failures_is_accepted(self, make_sampler: MakeSampler) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        failed = [Observation(observation.candidate, "failed") for observation in history]
        assert len(make_sampler(self.space, 1).ask(failed, pending, 3)) == 3

    def test_equal_values_are_accepted(self, make_sampler: MakeSampler) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        equal = [Observation(o.candidate, "complete", log10_error=-1.0, log10_share=-2.0) for o in history]
        assert len(make_sampler(self.space, 1).ask(equal, pending, 2)) == 2

    def test_included_candidates_may_lie_outside_the_space(self, make_sampler: MakeSampler) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        outside = [(9, 8, 7, 6, 5, 4), (500, 500), (100,)]
        included = [observe(Candidate(topology, BitWidths(2, 3))) for topology in outside]
        proposed = make_sampler(self.space, 1).ask([*included, *history], [*pending, included[0].candidate], 2)
        assert all(candidate in self.space for candidate in proposed)

    def test_widths_and_bits_are_plain_integers(self, make_sampler: MakeSampler) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        for candidate in make_sampler(self.space, 1).ask(history, pending, 2):
            assert type(candidate.topology) is tuple
            bits = candidate.bits
            numbers = (bits.weights, bits.activations) if isinstance(bits, BitWidths) else ()
            assert {type(n) for n in (*candidate.topology, *numbers)} == {int}

    def test_the_end_of_the_space_carries_what_is_left(self, make_sampler: MakeSampler) -> None:
        history, remaining = _run_dry(make_sampler, self.tiny)
        done = {observation.candidate for observation in history}
        assert len(remaining) == len(set(remaining)) < 7
        assert not done & set(remaining)
        if self.covers_the_space:
            assert done | set(remaining) == set(self.tiny.enumerate())
        if remaining:
            assert set(make_sampler(self.tiny, 1).ask(history, [], len(remaining))) == set(remaining)
        with pytest.raises(SpaceExhausted) as nothing:
            make_sampler(self.tiny, 1).ask(history, remaining, 1)
        assert nothing.value.remaining == ()


class SearchedSettingsConformance(SamplerConformance):
    """The same tests, and more, on a space that searches training settings beside the topology."""

    space = replace(_SPACE, training=_SETTINGS)
    tiny = replace(_TINY, budget=3, training=_FEW_SETTINGS)

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_settings_lie_within_their_ranges(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = _situation(make_sampler, self.space, length)
        for candidate in make_sampler(self.space, 1).ask(history, pending, 6):
            for name, (low, high) in self.space.training.ranges.items():
                assert low <= getattr(candidate.settings, name) <= high
            assert candidate.settings.batch_size in (64, 128, 256, 512, 1024)
            assert type(candidate.settings.epochs) is type(candidate.settings.batch_size) is int
            assert type(candidate.settings.learning_rate) is float
            assert candidate.settings.beta_2 == self.space.settings.beta_2

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_settings_are_searched(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = _situation(make_sampler, self.space, length)
        proposed = make_sampler(self.space, 1).ask(history, pending, 6)
        assert len({candidate.settings for candidate in proposed}) > 2

    def test_included_candidates_may_be_trained_in_another_way(self, make_sampler: MakeSampler) -> None:
        history, pending = _situation(make_sampler, self.space, 12)
        settings = replace(self.space.settings, learning_rate=0.5, batch_size=48, epochs=100)
        included = [observe(Candidate((12, 8), BitWidths(6, 6), of)) for of in (settings, self.space.settings)]
        proposed = make_sampler(self.space, 1).ask([*included, *history], pending, 2)
        assert all(candidate in self.space for candidate in proposed)


class LearnedBitsConformance(SamplerConformance):
    """The same tests, and more, on a space of networks whose bits are learned under a pressure that is searched."""

    space = replace(_SPACE, learned_bits=True, training=TrainingSpace(pressure=(1e-5, 3e-4)))
    tiny = replace(_TINY, learned_bits=True, training=_FEW_SETTINGS)

    @pytest.mark.parametrize("length", _LENGTHS)
    def test_bits_are_learned_under_pressures_within_their_range(self, make_sampler: MakeSampler, length: int) -> None:
        history, pending = _situation(make_sampler, self.space, length)
        proposed = make_sampler(self.space, 1).ask(history, pending, 6)
        assert {candidate.bits for candidate in proposed} == {LearnedBits()}
        assert all(1e-5 <= candidate.settings.pressure <= 3e-4 for candidate in proposed)
        assert len({candidate.settings.pressure for candidate in proposed}) > 2


def _run_dry(make_sampler: MakeSampler, tiny: MLPSpace) -> tuple[list[Observation[Candidate]], tuple[Candidate, ...]]:
    """Ask for seven at a time until fewer are left; return the history and what is left."""
    history: list[Observation[Candidate]] = []
    for _ in range(tiny.size() + 1):
        try:
            history += map(observe, make_sampler(tiny, 1).ask(history, [], 7))
        except SpaceExhausted as end:
            return history, end.remaining
    pytest.fail("the space never ended")


def _situation(
    make_sampler: MakeSampler, space: MLPSpace, length: int
) -> tuple[list[Observation[Candidate]], list[Candidate]]:
    """Return a history of that length and two candidates in training, as the sampler itself would have made them."""
    start = make_sampler(space, 0).ask([], [], length + 2)
    return [observe(candidate) for candidate in start[:length]], list(start[length:])


def _spoil(observation: Observation[Candidate], number: int) -> Observation[Candidate]:
    """Return some trials as failed, without values or with such as are not finite."""
    value = (None, math.nan, math.inf)[number % 3]
    if number % 4 == 0:
        return Observation(observation.candidate, "failed")
    if number % 4 == 1:
        return Observation(observation.candidate, "complete", log10_error=value, log10_share=observation.log10_share)
    if number % 4 == 2:
        return Observation(observation.candidate, "complete", log10_error=observation.log10_error, log10_share=value)
    return observation
