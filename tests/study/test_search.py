"""What is proposed, in which order, and that this depends on nothing but the definition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.errors import SearchFailedError, StudyError
from nas_fpga.space import BitWidths, Candidate, SpaceExhausted, TrainingSettings, TrainingSpace, parse_candidate
from nas_fpga.study import Search, SearchInterruptedError, Setup, StudyStorage, TrialRecord
from nas_fpga.study._gain import has_gained
from nas_fpga.study._known import observation_of
from tests.study.conftest import ScriptedWorkers, Silent, make_setup


def search(
    folder: Path,
    setup: Setup,
    n_trials: int,
    n_workers: int = 1,
    pick: Callable[[int], int] = lambda n: 0,
    failing: Sequence[int] = (),
    stop_after: int | None = None,
) -> tuple[list[TrialRecord], ScriptedWorkers, Silent]:
    workers, reporter = ScriptedWorkers(setup, n_workers, pick, failing), Silent()
    workers.stop_after = stop_after
    with StudyStorage(folder) as storage:
        if storage.exists():
            storage.open(write=True)
        else:
            storage.create(setup.definition)
        Search(setup, storage, n_trials, reporter).run(workers)  # type: ignore[arg-type]
        return storage.trials(), workers, reporter


@pytest.mark.parametrize("sampler", ["random", "gp"])
def test_order_of_results_and_number_of_workers_change_nothing(tmp_path: Path, sampler: str) -> None:
    setup = make_setup(sampler=sampler)
    rng = np.random.default_rng(8)
    orders = [(1, lambda n: 0), (3, lambda n: int(rng.integers(n))), (20, lambda n: n - 1)]
    n_trials = 14 if sampler == "gp" else 11  # 8 random starts, then the model
    runs = [
        search(tmp_path / str(i), make_setup(sampler=sampler), n_trials, n_workers, pick, failing=[5])
        for i, (n_workers, pick) in enumerate(orders)
    ]
    for trials, _, _ in runs[1:]:
        assert trials == runs[0][0]
    assert [t.number for t in runs[0][0]] == list(range(n_trials))
    assert [t.state for t in runs[0][0]] == ["complete"] * 5 + ["failed"] + ["complete"] * (n_trials - 6)
    assert len({t.candidate for t in runs[0][0]}) == n_trials
    assert len({t.seed for t in runs[0][0]}) == n_trials
    assert runs[2][1].most_pending == 2 * setup.definition.generation  # however many workers there are
    if sampler == "gp":
        assert [t.proposed_by for t in runs[0][0]] == ["random start"] * 8 + ["sampler"] * 6


def test_generation_waits_for_the_one_before_the_last(folder: Path) -> None:
    """With results in reverse, trials 4 to 7 end before 0 to 3; generation 2 needs generation 0, not 1."""
    setup = make_setup()
    asked: list[tuple[int, int]] = []
    ask = setup.sampler.ask

    def noted(history, pending, n):
        asked.append((len(history), len(pending)))
        return ask(history, pending, n)

    object.__setattr__(setup.sampler, "ask", noted)
    search(folder, setup, 16, n_workers=8, pick=lambda n: n - 1)
    assert asked == [(0, 0), (0, 4), (4, 4), (8, 4)]


def test_prefix_and_resume_within_a_generation(tmp_path: Path) -> None:
    whole, _, _ = search(tmp_path / "whole", make_setup(), 10, 2)
    for n in (3, 8):
        short, _, _ = search(tmp_path / f"{n}", make_setup(), n, 3)
        assert short == whole[:n]
        assert search(tmp_path / f"{n}", make_setup(), 10, 1)[0] == whole


def test_included_come_first_as_a_generation_of_their_own(tmp_path: Path) -> None:
    include = ("9-4", "5 w3a7", "20", "7", "6", "12-12")
    trials, _, _ = search(tmp_path / "whole", make_setup(include=include), 12, 2)
    assert [str(t.candidate) for t in trials[:3]] == ["9-4 w6a6", "5 w3a7", "20 w6a6"]
    assert [t.proposed_by for t in trials] == ["included"] * 6 + ["sampler"] * 6
    assert [t.generation for t in trials] == [0] * 6 + [1] * 4 + [2] * 2
    search(tmp_path / "short", make_setup(include=include), 4)
    assert search(tmp_path / "short", make_setup(include=include), 12)[0] == trials


@pytest.mark.parametrize(("sampler", "n"), [("random", 9), ("gp", 24)])
def test_training_settings_are_searched_beside_the_topology(tmp_path: Path, sampler: str, n: int) -> None:
    training = TrainingSpace(learning_rate=(1e-3, 1e-1), batch_size=(16, 64))
    definition = {"sampler": sampler, "search_training": training, "include": ("9-4",), "learning_rate": 0.2}
    trials, _, _ = search(tmp_path / "whole", make_setup(**definition), n, 2)
    included, *proposed = [trial.candidate for trial in trials]
    assert included.settings == TrainingSettings(learning_rate=0.2)  # what is fixed, even outside the ranges
    assert all(1e-3 <= candidate.settings.learning_rate <= 1e-1 for candidate in proposed)
    assert {candidate.settings.batch_size for candidate in proposed} == {16, 32, 64}
    assert len({candidate.settings for candidate in proposed}) > n // 2
    search(tmp_path / "short", make_setup(**definition), 7)
    assert search(tmp_path / "short", make_setup(**definition), n)[0] == trials


def test_interrupted_and_resumed(tmp_path: Path) -> None:
    whole, _, _ = search(tmp_path / "whole", make_setup(), 10, 2)
    folder = tmp_path / "my runs" / "stopped"
    for _ in range(3):
        with pytest.raises(SearchInterruptedError) as raised:
            search(folder, make_setup(), 10, 2, stop_after=2)
        assert raised.value.exit_code == 130
        with StudyStorage(folder) as storage:
            storage.open(write=False)
            assert {t.state for t in storage.trials()} <= {"complete", "waiting"}
    assert "6 of 10 trials are saved" in str(raised.value)
    assert search(folder, make_setup(), 10, 2)[0] == whole


def test_exhausted_space_ends(folder: Path) -> None:
    setup = make_setup(budget=2, max_layers=2, weight_bits=(4, 4), activation_bits=(4, 4))
    trials, _, reporter = search(folder, setup, 50, 2)
    assert sorted(str(t.candidate) for t in trials) == ["1 w4a4", "1-1 w4a4", "2 w4a4"]
    assert reporter.messages == ["The space is exhausted: no more than 3 candidates can be trained."]
    assert (reporter.updates[-1][0].n_ended, reporter.updates[-1][0].n_trials) == (3, 3)
    again, _, _ = search(folder, setup, 60, 2)
    assert again == trials


def test_a_search_that_is_to_have_more_trials_has_not_ended(folder: Path) -> None:
    setup = make_setup(sampler="grid", grid="4,8x4,8")
    with StudyStorage(folder) as storage:
        storage.create(setup.definition, n_trials=9)
        assert not storage.has_ended()
    search(folder, setup, 9)
    with StudyStorage(folder) as storage:
        storage.open(write=True)
        assert (storage.has_ended(), len(storage.trials())) == (True, 4)
        storage.set_n_trials(12)
        assert not storage.has_ended()
    with pytest.raises(SearchInterruptedError):
        search(folder, make_setup(sampler="random", budget=40), 12, stop_after=2)
    with StudyStorage(folder) as storage:
        storage.open(write=False)
        assert not storage.has_ended()
    search(folder, make_setup(sampler="random", budget=40), 12)
    with StudyStorage(folder) as storage:
        storage.open(write=False)
        assert storage.has_ended()


def test_what_no_sampler_may_propose_ends_the_search(tmp_path: Path) -> None:
    inside, outside = ([f"{width} w5a5" for width in widths] for widths in (range(2, 9), range(50, 54)))
    for i, (texts, message) in enumerate(
        (
            ([inside[0]] * 4, f"sampler random proposed {inside[0]} a second time; test it with nas_fpga.testing"),
            (outside, f"sampler random proposed {outside[0]}, which is outside the space; test it"),
            (inside[:3], "sampler random proposed 3 candidates in place of 4; test it"),
            (None, "sampler random proposed 0 candidates in place of 4; test it"),
        )
    ):
        setup = make_setup(budget=40)
        first = [parse_candidate(text, BitWidths(5, 5), setup.settings) for text in inside[3:]]
        then = texts and [parse_candidate(text, BitWidths(5, 5), setup.settings) for text in texts]
        answers = iter([first, then])
        object.__setattr__(setup.sampler, "ask", lambda *_, answers=answers: next(answers))
        with pytest.raises(StudyError, match=message):
            search(tmp_path / str(i), setup, 8)


def end_with(setup: Setup, *texts: str) -> None:
    """Let the sampler say at once that no more than these are left."""
    remaining = [parse_candidate(text, BitWidths(5, 5), setup.settings) for text in texts]

    def ask(*_: object) -> list[Candidate]:
        raise SpaceExhausted(remaining, 4)

    object.__setattr__(setup.sampler, "ask", ask)


def test_what_a_sampler_says_is_left_is_checked_too(tmp_path: Path) -> None:
    for i, (texts, message) in enumerate(
        (
            (["3", "4", "3"], "sampler random proposed 3 w5a5 a second time"),
            (["3", "50"], "sampler random proposed 50 w5a5, which is outside the space"),
        )
    ):
        setup = make_setup(budget=40)
        end_with(setup, *texts)
        with pytest.raises(StudyError, match=message):
            search(tmp_path / str(i), setup, 8)
    setup = make_setup(budget=40)
    end_with(setup)
    with pytest.raises(SearchFailedError, match=r"^nothing is left to train: the sampler has no candidate; widen"):
        search(tmp_path / "none", setup, 8)


def test_numbers_of_numpy_are_made_plain(folder: Path) -> None:
    setup = make_setup(budget=40)
    widths = iter(np.arange(1, 9))
    ask = lambda *_: [Candidate((next(widths), np.int32(2)), BitWidths(5, 5), setup.settings) for _ in range(4)]  # noqa: E731
    object.__setattr__(setup.sampler, "ask", ask)
    trials, _, _ = search(folder, setup, 8)
    assert [trial.candidate.topology for trial in trials] == [(width, 2) for width in range(1, 9)]
    assert {type(width) for trial in trials for width in trial.candidate.topology} == {int}


def test_it_ends_when_trials_gain_nothing(folder: Path) -> None:
    setup = make_setup(trial_patience=6, budget=6, max_layers=2)
    trials, _, reporter = search(folder, setup, 200, 2)
    # Every prefix that was asked about, but for the last, had gained something.
    seen = [observation_of(trial, setup.target) for trial in trials]
    ends = [n for n in range(8, len(trials), 4) if not has_gained("front", seen[: n - 6], seen[n - 6 : n])]
    assert 12 < len(trials) < 200
    assert [n for n in ends if n < len(trials) - 4] == []
    assert reporter.messages == [f"The last 6 of {len(trials) - 4} trials gained nothing: no more are proposed."]
    assert (reporter.updates[-1][0].n_ended, reporter.updates[-1][0].n_trials) == (len(trials), len(trials))
    assert search(folder, setup, 200, 2)[0] == trials
    whole, _, _ = search(folder.with_name("whole"), make_setup(budget=6, max_layers=2), len(trials) + 5)
    assert whole[: len(trials)] == trials


def test_all_failed(folder: Path) -> None:
    with pytest.raises(SearchFailedError, match="all 5 trials failed; the first cause: it was to fail"):
        search(folder, make_setup(), 5, failing=range(5))


def test_progress_counts(folder: Path) -> None:
    trials, _, reporter = search(folder, make_setup(), 6, failing=[1, 4])
    first, last = reporter.updates[0], reporter.updates[-1]
    assert (first[0].n_ended, first[0].best, first[0].candidates_per_hour, first[1]) == (0, None, None, None)
    assert (last[0].n_ended, last[0].n_failed, last[0].n_trials, last[0].remaining_s) == (6, 2, 6, 0.0)
    target = make_setup().target
    assert last[0].best is not None
    assert last[0].best.error == min(p.error for t in trials if (p := t.primary(target)) is not None)
    volumes = [progress.hypervolume for progress, _ in reporter.updates]
    assert volumes == sorted(volumes)
    assert volumes[-1] > 0
