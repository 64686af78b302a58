"""The suites of samplers: each way to break the contract fails the test that names it.

What keeps the contract passes all of them, as tests/samplers/test_random.py shows.
"""

import itertools
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.samplers import RandomSampler
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.testing import ColumnConformance, GoalConformance, SamplerConformance

ROOT = Path(__file__).parents[2]


def fails(suite, name, make_sampler):
    """Tell whether a sampler fails a test of a suite with any of the values that the test is run with."""
    test = getattr(suite(), name)
    for values in itertools.product(*(mark.args[1] for mark in getattr(test, "pytestmark", ()))):
        try:
            test(make_sampler, *values)
        except (Exception, pytest.fail.Exception):
            return True
    return False


def broken(when, ask):
    """Return a sampler that does something else than to draw at random where the history is of some kind."""

    class Broken(RandomSampler):
        def ask(self, history, pending, n):
            if when(history):
                return ask(self.space, history, pending, n)
            return super().ask(history, pending, n)

    return Broken


# Kinds of histories


def always(_):
    return True


def there_is_one(history):
    return len(history) > 0


def all_failed(history):
    return len(history) > 0 and not errors(history)


def values_repeat(history):
    return len(errors(history)) > len(set(errors(history)))


def an_error_is_below_all(history):
    return -math.inf in errors(history)


def a_share_is_below_all(history):
    return -math.inf in [observation.log10_share for observation in history]


def an_error_is_none(history):
    return any(o.state == "complete" and o.log10_error is None for o in history)


def errors(history):
    return [observation.log10_error for observation in history if observation.log10_error is not None]


# What may go wrong then


def stop(*_):
    raise FloatingPointError


def propose_the_first_again(_space, history, _pending, n):
    return [history[0].candidate] * n


def propose_what_is_in_training(_space, _history, pending, n):
    return [*pending, *pending][:n]


def propose_one_again_and_again(space, history, pending, n):
    return draw(space, history, pending, 1) * n


def propose_too_few(space, history, pending, n):
    return draw(space, history, pending, n)[1:]


def propose_what_is_too_large(_space, _history, _pending, n):
    return [Candidate((width, 500), BitWidths(6, 6)) for width in range(1, n + 1)]


def propose_numbers_of_numpy(space, history, pending, n):
    drawn = draw(space, history, pending, n)
    return [replace(candidate, topology=tuple(map(np.int64, candidate.topology))) for candidate in drawn]


def take_the_last_away(space, history, pending, n):
    return draw(space, [*history, history.pop()], pending, n)


def draw(space, history, pending, n):
    return RandomSampler(space, 0).ask(history, pending, n)


@pytest.mark.parametrize(
    ("when", "ask", "name"),
    [
        (all_failed, propose_the_first_again, "test_little_but_failures_is_accepted"),
        (lambda history: len(errors(history)) == 1, stop, "test_little_but_failures_is_accepted"),
        (lambda history: len(errors(history)) == 3, stop, "test_little_but_failures_is_accepted"),
        (values_repeat, propose_the_first_again, "test_equal_values_are_accepted"),
        (an_error_is_none, propose_what_is_in_training, "test_trials_without_values_are_accepted"),
        (an_error_is_below_all, stop, "test_trials_without_values_are_accepted"),
        (a_share_is_below_all, stop, "test_trials_without_values_are_accepted"),
        (lambda history: len(history) > 12, propose_too_few, "test_included_candidates_may_lie_outside_the_space"),
        (lambda history: len(history) == 1, stop, "test_proposals_are_new_and_inside"),
        (there_is_one, propose_the_first_again, "test_proposals_are_new_and_inside"),
        (there_is_one, propose_what_is_in_training, "test_proposals_are_new_and_inside"),
        (there_is_one, propose_one_again_and_again, "test_proposals_are_new_and_inside"),
        (there_is_one, propose_too_few, "test_proposals_are_new_and_inside"),
        (there_is_one, propose_what_is_too_large, "test_proposals_are_new_and_inside"),
        (there_is_one, propose_numbers_of_numpy, "test_values_are_plain"),
        (there_is_one, take_the_last_away, "test_the_arguments_are_left_alone"),
        (always, draw, "test_seeds_differ"),
    ],
)
def test_what_breaks_the_contract_fails(when, ask, name):
    assert fails(SamplerConformance, name, broken(when, ask))
    assert not fails(SamplerConformance, name, RandomSampler)


class LevelsOnly(RandomSampler):
    """One that takes for granted that all of the history has a row."""

    def ask(self, history, pending, n):
        self.space.rows([observation.candidate for observation in history])
        return super().ask(history, pending, n)


def test_what_was_trained_may_have_no_row():
    name = "test_included_candidates_may_lie_outside_the_space"
    assert fails(ColumnConformance, name, LevelsOnly)
    assert not fails(ColumnConformance, name, RandomSampler)


class ByHash(RandomSampler):
    """One that goes by the hashes of strings, which are others in each process."""

    def ask(self, history, pending, n):
        return sorted(super().ask(history, pending, 50), key=lambda candidate: hash(str(candidate)))[:n]


class NotToBeLoaded(RandomSampler):
    def __setstate__(self, _):
        raise RuntimeError("it holds an open file")


class TestAnotherProcess:
    def ask(self, make_sampler, folder):
        SamplerConformance().test_another_process_proposes_the_same_from_what_was_stored(make_sampler, folder)

    def test_other_proposals_there_fail(self, tmp_path):
        with pytest.raises(AssertionError):
            self.ask(ByHash, tmp_path)

    def test_what_stopped_it_is_said(self, tmp_path):
        with pytest.raises(AssertionError, match="RuntimeError: it holds an open file"):
            self.ask(NotToBeLoaded, tmp_path)

    def test_it_finds_a_sampler_that_lies_beside_its_test(self, tmp_path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "test_mine.py").write_text(
            "import pytest\n"
            "from nas_fpga.samplers import RandomSampler\n"
            "from nas_fpga.testing import SamplerConformance\n"
            "class MySampler(RandomSampler):\n"
            "    pass\n"
            "class TestMySampler(SamplerConformance):\n"
            "    @pytest.fixture\n"
            "    def make_sampler(self):\n"
            "        return MySampler\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "another_process", "sub/test_mine.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "1 passed" in done.stdout, done.stdout


def test_goals_that_are_not_looked_at_fail():
    def make(space, seed, _goal):
        return RandomSampler(space, seed)

    assert fails(GoalConformance, "test_proposals_are_new_and_inside", make)  # it says that its goal is the front
    assert fails(GoalConformance, "test_precision_looks_at_what_is_over_the_limits", make)
    assert fails(GoalConformance, "test_the_front_looks_at_shares", make)
    assert not fails(GoalConformance, "test_precision_does_not_look_at_shares_within_the_limits", make)


class ByShares(RandomSampler):
    def ask(self, history, pending, n):
        seed = int(sum(-1000 * observation.log10_share for observation in history))
        return RandomSampler(self.space, seed).ask(history, pending, n)


class WeighingGoals(GoalConformance):
    weighs_shares = True


def test_a_sampler_may_weigh_shares_within_the_limits():
    def make(space, seed, _goal):
        return ByShares(space, seed)

    name = "test_precision_does_not_look_at_shares_within_the_limits"
    assert fails(GoalConformance, name, make)
    assert not fails(WeighingGoals, name, make)
