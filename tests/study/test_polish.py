"""The best of the front are trained on with learned bits, while the search goes on and at its end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.hardware import log10_share
from nas_fpga.samplers import hypervolume
from nas_fpga.study import (
    HardwareTarget,
    Outcome,
    Point,
    SearchInterruptedError,
    StudyStorage,
    TrialRecord,
    read_outcome,
    summarise,
)
from nas_fpga.study import _run as run_module
from nas_fpga.study._polish import rounds, to_polish
from tests.study.conftest import make_setup
from tests.study.test_search import search

N = 45  # trials, of two epochs each


def polishing(**definition: object):
    return make_setup(polish=1.0, epochs=5, **definition)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[TrialRecord]:
    return search(tmp_path_factory.mktemp("whole"), polishing(), N)[0]


def most_promising(trials: list[TrialRecord], chosen: Sequence[int] = ()) -> list[int]:
    """Return the front's most precise trial, then always that whose network in 2.6 times fewer LUTs adds the most."""
    target = make_setup().target
    places = {
        trial.number: (point.merits.log10_error, log10_share(point.mapped.figures.share(target)))
        for trial in trials
        for point in trial.of_networks(target)
        if point.mapped.figures.is_feasible(target) and not point.polished
    }
    front = [
        n for n, (e, s) in places.items() if not any(a <= e and b <= s for a, b in places.values() if (a, b) != (e, s))
    ]

    def volume(polished: Sequence[int]) -> float:
        found = [*places.values(), *((places[n][0], places[n][1] - np.log10(2.6)) for n in polished)]
        return hypervolume(*np.array(found).T)

    most_precise = min(front, key=places.__getitem__)
    order = [*chosen, *({most_precise} - set(chosen))]
    while left := [number for number in front if number not in order]:
        best = max(left, key=lambda number: volume([*order, number]))
        if volume([*order, best]) < volume(order) + 1e-12:  # sums of other terms are rounded otherwise
            break
        order.append(best)
    return order[len(chosen) :]


def test_there_is_a_round_every_twenty_trials_and_one_at_the_end() -> None:
    assert rounds(7, all_ended=False) == []
    assert rounds(7, all_ended=True) == [7]
    assert rounds(45, all_ended=False) == [20, 40]
    assert rounds(45, all_ended=True) == [20, 40, 45]
    assert rounds(40, all_ended=True) == [20, 40]


def test_the_most_precise_and_those_of_most_expected_gain_in_the_share_of_the_epochs(
    whole: list[TrialRecord],
) -> None:
    target = make_setup().target
    for n_epochs, most in ((15, 0), (16, 1), (47.5, 2), (48, 3), (2 * N, 5)):  # 16 for each
        chosen = to_polish(whole, target, n_epochs / (2 * N))
        assert [record.number for record, _ in chosen] == most_promising(whole)[:most]


def test_the_most_precise_comes_first_where_a_cheap_one_would_gain_more(whole: list[TrialRecord]) -> None:
    target = make_setup().target

    def with_error(trial: TrialRecord, error: float) -> TrialRecord:
        points = (replace(p, merits=replace(p.merits, log10_error=error)) for p in trial.outcome.points)
        return replace(trial, outcome=replace(trial.outcome, points=tuple(points)), polished=None)

    trained = [trial for trial in whole if trial.primary(target) is not None]
    by_cost = sorted(trained, key=lambda trial: trial.of_networks(target)[0].mapped.figures.share(target))
    cheap, dear = with_error(by_cost[0], -1.0), with_error(by_cost[-1], -1.001)
    for share, expected in ((4, [dear.number]), (8, [dear.number, cheap.number])):  # of 4 epochs; polishing takes 16
        assert [record.number for record, _ in to_polish([cheap, dear], target, share)] == expected


def test_what_was_chosen_before_is_expected_to_be_there(whole: list[TrialRecord]) -> None:
    at_first = most_promising(whole)
    share = 16 * (1 + len(at_first)) / (2 * N)
    for before in at_first:
        chosen = to_polish(whole, make_setup().target, share, [before])
        assert [record.number for record, _ in chosen] == most_promising(whole, [before])


def test_every_round_chooses_from_what_was_trained_by_then(whole: list[TrialRecord]) -> None:
    expected: list[int] = []
    for end in (20, 40, N):
        n_left = 2 * end // 16 - len(expected)  # 16 epochs for each, of two a trial
        expected += most_promising(whole[:end], expected)[:n_left]
    assert {trial.number for trial in whole if trial.polished} == set(expected)
    assert len(expected) == 5


def test_one_network_of_a_trial_is_polished_and_counts(whole: list[TrialRecord]) -> None:
    """The other of a trial, which would have gained more than any, is not expected to cost less after that."""
    target = make_setup().target

    def network(trial: TrialRecord, number: int, error: float, luts: float) -> Point:
        point = trial.of_networks(target)[0]
        figures = replace(point.mapped.figures, lut=replace(point.mapped.figures.lut, value=luts, low=luts, high=luts))
        merits, mapped = replace(point.merits, log10_error=error), replace(point.mapped, figures=figures)
        return replace(point, network=number, merits=merits, mapped=mapped)

    def made_of(trial: TrialRecord, *networks: tuple[float, float]) -> TrialRecord:
        points = tuple(network(trial, i, *place) for i, place in enumerate(networks))
        return replace(trial, outcome=replace(trial.outcome, points=points), polished=None)

    first, beside_it, cheap = [trial for trial in whole if trial.primary(target) is not None][:3]
    trials = [made_of(first, (-1.2, 5000), (-0.9, 500)), made_of(beside_it, (-0.87, 495)), made_of(cheap, (-0.3, 15))]
    chosen = [(record.number, point.network) for record, point in to_polish(trials, target, 100.0)]
    assert chosen == [(first.number, 0), (beside_it.number, 0), (cheap.number, 0)]


def test_where_nothing_is_feasible_nothing_is_chosen(whole: list[TrialRecord]) -> None:
    impossible = make_setup(hardware=HardwareTarget(max_luts=1)).target
    assert to_polish(whole, impossible, 1.0) == []
    failed = [replace(trial, state="failed", outcome=Outcome(cause="it was to")) for trial in whole]
    assert to_polish(failed, impossible, 1.0) == []


def test_a_lost_checkpoint_costs_its_own_polish_only(folder: Path, whole: list[TrialRecord]) -> None:
    first, *others = [trial.number for trial in whole if trial.polished]
    search(folder, make_setup(epochs=5), N)
    (folder / "trials" / f"{first:05d}" / "network_0.npz").unlink()
    trials, _, reporter = search(folder, polishing(), N)
    assert "network_0.npz is gone" in trials[first].polished.cause
    assert [trials[number].polished for number in others] == [whole[number].polished for number in others]
    assert any(text.startswith(f"polishing trial {first} (") for text in reporter.messages)


def test_polishing_adds_points_and_leaves_trials_as_they_were(tmp_path: Path, whole: list[TrialRecord]) -> None:
    without, _, _ = search(tmp_path / "without", make_setup(epochs=5), N)
    assert [replace(trial, polished=None) for trial in whole] == without
    for trial in (trial for trial in whole if trial.polished):
        own, added = trial.outcome.points, trial.polished.points
        assert [point.index for point in own + added] == list(range(len(own + added)))
        assert {point.network for point in own} == {0}
        networks = sorted({point.network for point in added})
        assert networks == [1, 2, 3][: len(networks)]  # those whose output never changes are left out
        assert all(point.polished and point.trial == trial.number for point in added)
        assert trial.name_of(added[0]).endswith(" polished")
        assert trial.primary(make_setup().target) in own


def test_order_of_results_interruption_and_going_on_change_nothing(tmp_path: Path, whole: list[TrialRecord]) -> None:
    assert search(tmp_path / "reversed", polishing(), N, 5, pick=lambda n: n - 1)[0] == whole
    folder = tmp_path / "stopped"
    with pytest.raises(SearchInterruptedError, match=f"44 of {N} trials are saved, 2 of 4 networks polished"):
        search(folder, polishing(), N, stop_after=N + 1)
    again, workers, _ = search(folder, polishing(), N)
    assert again == whole
    assert workers._n_ended == 4  # a trial, and three of five networks
    _, workers, reporter = search(folder, polishing(), N)
    assert workers._n_ended == 0
    assert reporter.messages == []
    # a search that goes on proposes what it would have without, and polishes that and what it had polished
    longer = search(folder, polishing(), N + 8)[0]
    at_once = search(tmp_path / "at once", polishing(), N + 8)[0]
    assert [t.candidate for t in longer] == [t.candidate for t in at_once]
    assert [t.outcome for t in longer] == [t.outcome for t in at_once]
    assert all(a.polished == b.polished for a, b in zip(longer, at_once, strict=True) if b.polished)


def test_too_few_epochs_are_said(folder: Path) -> None:
    trials, _, reporter = search(folder, make_setup(polish=0.5), 10)
    assert not any(trial.polished for trial in trials)
    assert reporter.messages == [
        "Nothing is polished: --polish 0.5 of the 20 epochs trained are fewer than the 160 that a network takes"
    ]


def test_a_failure_is_kept_with_its_cause(folder: Path, whole: list[TrialRecord]) -> None:
    first = next(trial.number for trial in whole if trial.polished)
    search(folder, make_setup(epochs=5), N)  # no trial itself may fail
    trials, _, reporter = search(folder, polishing(), N, failing=[first])
    assert trials[first].polished.cause == "it was to fail"
    assert trials[first].points == trials[first].outcome.points
    assert any(text.startswith(f"polishing trial {first} (") for text in reporter.messages)
    assert [t.polished for t in trials if t.number != first] == [t.polished for t in whole if t.number != first]


def test_progress_counts_what_is_polished(folder: Path) -> None:
    _, _, reporter = search(folder, polishing(), N)
    counts = [(progress.n_ended, progress.n_polished, progress.n_to_polish) for progress, _ in reporter.updates]
    assert counts[:21] == [(k, 0, 0) for k in range(20)] + [(20, 0, 2)]
    assert counts[-1] == (N, 5, 5)
    assert all(before <= after for before, after in itertools.pairwise(counts))
    assert all((n_ended, n_polished) != (N, n_to_polish) for n_ended, n_polished, n_to_polish in counts[:-1])
    assert reporter.updates[-1][0].remaining_s == 0
    volumes = [progress.hypervolume for progress, _ in reporter.updates]
    assert all(after > before - 1e-12 for before, after in itertools.pairwise(volumes))


def test_nothing_is_polished_on_tensorflow(folder: Path) -> None:
    trials, _, reporter = search(folder, polishing(backend="tensorflow"), N)
    assert not any(trial.polished for trial in trials)
    assert reporter.messages == ["Nothing is polished: bits are learned on JAX, not tensorflow"]


def test_polished_points_are_on_the_front_and_mapped_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = polishing()
    search(folder, setup, N)
    with StudyStorage(folder) as storage:
        storage.open(write=False)
        outcome = summarise(setup, storage, storage.trials())
    polished = [row for row in outcome.front if row.point.polished]
    assert polished  # half of their weights are 0, so they are cheap
    record = outcome.record(polished[0])
    assert (record["polished"], record["weight_bits"]) == (True, None)
    assert [outcome.record(row)["polished"] for row in outcome.front if row not in polished] == [False] * (
        len(outcome.front) - len(polished)
    )
    monkeypatch.setattr(run_module, "load_data", lambda source, folder: setup.dataset)
    with StudyStorage(folder) as storage:
        definition = storage.open(write=False)
        monkeypatch.setattr(
            StudyStorage,
            "open",
            lambda self, write, of=StudyStorage.open: replace(
                of(self, write=write), data=replace(definition.data, fingerprint=setup.dataset.fingerprint())
            ),
        )
    again = read_outcome(folder)
    assert [(row.point.name, row.point.polished) for row in again.front] == [
        (row.point.name, row.point.polished) for row in outcome.front
    ]
    # where a checkpoint is lost, the names of all other points stay
    number = polished[0].trial.number
    names = {point.name: (point.network, point.mapped.mapping) for trial in again.trials for point in trial.points}
    gone = {name for name in names if name.startswith(f"{number}.") and names[name][0] == 0}
    (folder / "trials" / f"{number:05d}" / "network_0.npz").unlink()
    poorer = read_outcome(folder)
    left = {point.name: (point.network, point.mapped.mapping) for trial in poorer.trials for point in trial.points}
    assert set(poorer.lost) == gone
    assert left == {name: what for name, what in names.items() if name not in gone}
    dearer = read_outcome(folder, hardware={"clock_ns": 2.0})
    assert any(row.point.polished for row in dearer.front)
