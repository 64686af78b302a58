"""The front is judged by adder graphs, and so is what may be on it, in the same order whatever was computed before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.hardware import (
    HardwareFigures,
    StaticEstimator,
    Target,
    cost_by_adder_graph,
    expected_graph_s,
    make_target,
    rung_of,
)
from nas_fpga.study import Outcome, Point, StudyStorage, TrialRecord, summarise
from nas_fpga.study import _refine as module
from nas_fpga.study._refine import GRAPH_SHARE, Refined, graph_budget_s, refine
from nas_fpga.training import ExpectedTime, Merits, QuantizedNetwork
from tests.study.conftest import make_setup
from tests.study.test_search import search

NETWORKS = sorted((Path(__file__).parents[2] / "benchmarks" / "estimators" / "networks").glob("*.npz"))
MOST_LUTS = 8000  # by law, of the networks that are taken: more of them would take long
TARGET = make_target()
ANY_TIME_S = 1e9


def silent(_text: str) -> None:
    return


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TrialRecord]]:
    """Trained networks of three data sets as if they were one study's.

    They are the more precise the dearer they are by their adder graphs, with some luck, so that many are near the front
    and laws cannot tell which are on it.
    """
    folder, estimator = tmp_path_factory.mktemp("ladder") / "study", StaticEstimator()
    networks = {path: QuantizedNetwork.load(path) for path in NETWORKS}
    points = {path: estimator.points(network, TARGET) for path, network in networks.items()}
    adders = {path: found[0] for path, found in points.items() if str(found[0].mapping) == "da"}
    taken = [path for path, point in adders.items() if 100 < point.figures.lut.value <= MOST_LUTS]
    taken.sort(key=lambda path: cost_by_adder_graph(networks[path], TARGET).figures.lut.value)
    rng = np.random.default_rng(4)
    luck, numbers = rng.normal(0, 1, len(taken)), rng.permutation(len(taken)).tolist()
    storage, trials = StudyStorage(folder), []
    for rank, path in enumerate(taken):
        number, network = numbers[rank], networks[path]
        storage.save_networks(number, [network], [np.zeros((1, 1))])
        merits = Merits(0.9, 0.9, 0.9, -1.0, background_efficiency=float(0.5 * 0.95 ** (rank + luck[rank])))
        of_trial = tuple(Point(number, k, 0, mapped, merits) for k, mapped in enumerate(points[path]))
        trials.append(TrialRecord(number, network.candidate, 0, 0, "sampler", "complete", Outcome(of_trial)))
    return folder, sorted(trials, key=lambda trial: trial.number)


@pytest.fixture
def storage(study: tuple[Path, list[TrialRecord]]) -> StudyStorage:
    return StudyStorage(study[0])


@pytest.fixture
def trials(study: tuple[Path, list[TrialRecord]]) -> list[TrialRecord]:
    return study[1]


def adders(trial: TrialRecord) -> Point:
    (point,) = (p for p in trial.points if str(p.mapped.mapping) == "da")
    return point


def lut_of(point: Point) -> float:
    return point.mapped.figures.lut.value


def share_of(figures: HardwareFigures, target: Target) -> float:
    return figures.share(target) if figures.is_feasible(target) else np.inf


def front_of(
    trials: list[TrialRecord] | tuple[TrialRecord, ...], target: Target = TARGET, at_best: str = ""
) -> set[str]:
    """Return the names of the points that nothing beats; the one named is taken at the lower end of its interval."""
    networks = []
    for trial in trials:
        shares = {
            point.name: share_of(
                point.mapped.figures.at_best() if point.name == at_best else point.mapped.figures, target
            )
            for point in trial.points
        }
        own = adders(trial).name
        name = min(shares, key=lambda name: (shares[name], name != own))  # of equals the adders
        networks.append((trial.points[0].error, shares[name], name))
    return {
        name
        for error, share, name in networks
        if share < np.inf and not any(e <= error and s <= share and (e, s) != (error, share) for e, s, _ in networks)
    }


def adders_on_front(trials: list[TrialRecord] | tuple[TrialRecord, ...]) -> set[str]:
    """Return those of the front in distributed arithmetic; Latency may cost less where it takes a DSP."""
    return front_of(trials) & {adders(trial).name for trial in trials}


def by_graph(refined: Refined) -> set[str]:
    points = [point for trial in refined.trials for point in trial.points]
    return {point.name for point in points if rung_of(point.mapped.figures.lut) == "adder-graph"}


def contenders(trials: list[TrialRecord] | tuple[TrialRecord, ...], target: Target = TARGET) -> set[str]:
    """Return the names of points by law that are off the front, and on it at the lower end of their intervals."""
    names = {adders(trial).name for trial in trials if rung_of(adders(trial).mapped.figures.lut) == "estimate"}
    return {name for name in names - front_of(trials, target) if name in front_of(trials, target, at_best=name)}


def test_the_front_and_all_that_may_be_on_it_stand_by_their_adder_graphs(
    storage: StudyStorage, trials: list[TrialRecord]
) -> None:
    refined = refine(trials, storage, TARGET, ANY_TIME_S, message=silent)
    assert refined.by_law == ()
    assert contenders(refined.trials) == set()
    assert adders_on_front(refined.trials) <= by_graph(refined)
    assert adders_on_front(trials) <= by_graph(refined)
    assert contenders(trials) & by_graph(refined)
    assert front_of(refined.trials) - front_of(trials)  # contenders that made it
    assert len(by_graph(refined)) < len(trials)
    for trial, before in zip(refined.trials, trials, strict=True):
        point, law = adders(trial), adders(before)
        network = storage.load_network(trial, point.network)
        if point.name in by_graph(refined):
            assert point.mapped.figures == cost_by_adder_graph(network, TARGET).figures
        else:
            assert point == law
        others = [(p, b) for p, b in zip(trial.points, before.points, strict=True) if p.name != point.name]
        assert all(p == b for p, b in others if p.mapped.mapping.strategy == "resource")
        assert [(p.name, p.mapped.mapping) for p in trial.points] == [(p.name, p.mapped.mapping) for p in before.points]


def test_latency_takes_no_fewer_luts_than_the_adders_but_for_dsps(
    storage: StudyStorage, trials: list[TrialRecord]
) -> None:
    """A law that is a per cent off takes no network from its adder graph."""

    def made_cheap(point: Point) -> Point:
        figures, cheap = point.mapped.figures, 0.99 * lut_of(adders(trials[point.trial]))
        if point.mapped.mapping.strategy != "latency":
            return point
        figures = replace(figures, lut=replace(figures.lut, value=cheap, low=cheap, high=cheap))
        return replace(point, mapped=replace(point.mapped, figures=figures))

    cheap = [trial.with_points([made_cheap(point) for point in trial.points]) for trial in trials]
    dear = refine(cheap, storage, TARGET, 1e9, message=silent)
    raised = 0
    for trial, before in zip(dear.trials, cheap, strict=True):
        graph = adders(trial)
        for point, was in zip(trial.points, before.points, strict=True):
            if point.mapped.mapping.strategy != "latency":
                continue
            saved = 55 * round(was.mapped.figures.dsp.value)
            floor = lut_of(graph) - saved if graph.name in by_graph(dear) else 0.0
            assert lut_of(point) == max(lut_of(was), floor)
            assert rung_of(point.mapped.figures.lut) == "estimate"
            assert replace(point.mapped.figures, lut=was.mapped.figures.lut) == was.mapped.figures
            raised += lut_of(point) > lut_of(was)
    assert raised


def test_without_time_the_front_alone_has_graphs_and_the_rest_is_named(
    storage: StudyStorage, trials: list[TrialRecord]
) -> None:
    refined = refine(trials, storage, TARGET, 0.0, message=silent)
    assert adders_on_front(refined.trials) <= by_graph(refined)
    assert set(refined.by_law) == contenders(refined.trials) != set()
    whole = refine(trials, storage, TARGET, ANY_TIME_S, message=silent)
    assert by_graph(refined) < by_graph(whole)


def test_time_goes_to_those_that_would_be_the_furthest_inside(storage: StudyStorage, trials: list[TrialRecord]) -> None:
    first = refine(trials, storage, TARGET, 0.0, message=silent)
    points = {adders(trial).name: adders(trial) for trial in trials}
    spent_s = sum(expected_graph_s(lut_of(points[name])) for name in by_graph(first))
    front = [points_of(first)[name] for name in front_of(first.trials)]

    def inside(name: str) -> float:
        to_beat = min(p.mapped.figures.share(TARGET) for p in front if p.error <= points[name].error)
        return to_beat / points[name].mapped.figures.at_best().share(TARGET)

    assert list(first.by_law) == sorted(first.by_law, key=inside, reverse=True)
    furthest, second, *_ = first.by_law
    own_s = expected_graph_s(lut_of(points[furthest]))
    assert by_graph(refine(trials, storage, TARGET, spent_s + 0.999 * own_s, message=silent)).isdisjoint({furthest})
    assert furthest in by_graph(refine(trials, storage, TARGET, spent_s + 1.001 * own_s, message=silent))
    larger_s = max(expected_graph_s(lut_of(points[name])) for name in (furthest, second))
    assert not {furthest, second} <= by_graph(
        refine(trials, storage, TARGET, spent_s + 1.001 * larger_s, message=silent)
    )


def points_of(refined: Refined) -> dict[str, Point]:
    return {point.name: point for trial in refined.trials for point in trial.points}


def test_what_only_its_graph_fits_into_the_limits_is_on_the_front(
    storage: StudyStorage, trials: list[TrialRecord]
) -> None:
    """And what fits by law only is not."""
    whole = refine(trials, storage, TARGET, ANY_TIME_S, message=silent)
    stay = by_graph(whole) & front_of(whole.trials)
    fewer = max(stay, key=lambda name: lut_of(by_law(trials)[name]) / lut_of(points_of(whole)[name]))
    law, graph = by_law(trials)[fewer], points_of(whole)[fewer]
    small = make_target(max_luts=(lut_of(law) + lut_of(graph)) / 2)
    assert not law.mapped.figures.is_feasible(small)
    assert law.mapped.figures.at_best().is_feasible(small)
    assert fewer in front_of(refine(trials, storage, small, ANY_TIME_S, message=silent).trials, small)

    def ns(point: Point) -> float:
        return point.mapped.figures.latency_ns.value

    later = max(front_of(trials), key=lambda name: ns(points_of(whole)[name]) - ns(by_law(trials)[name]))
    fast = make_target(max_latency_ns=ns(by_law(trials)[later]))
    assert ns(points_of(whole)[later]) > fast.limits.latency_ns
    assert later in front_of(trials, fast)
    assert later not in front_of(refine(trials, storage, fast, ANY_TIME_S, message=silent).trials, fast)


def by_law(trials: list[TrialRecord]) -> dict[str, Point]:
    return {adders(trial).name: adders(trial) for trial in trials}


def test_graphs_that_would_take_minutes_are_left_and_named(
    storage: StudyStorage, trials: list[TrialRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_GRAPH_LUTS", sorted(lut_of(adders(trial)) for trial in trials)[len(trials) // 2])
    refined = refine(trials, storage, TARGET, ANY_TIME_S, message=silent)
    assert (
        max(lut_of(adders(trials[int(name.partition(".")[0])])) for name in by_graph(refined)) <= module.MOST_GRAPH_LUTS
    )
    on_front = adders_on_front(refined.trials) - by_graph(refined)
    assert on_front
    assert set(refined.by_law) == on_front | contenders(refined.trials)
    for_dsps = make_target(objective="dsp")  # all have none: only the most precise counts
    (most_precise,) = front_of(trials, for_dsps)
    assert refine(trials, storage, for_dsps, ANY_TIME_S, message=silent).by_law == (most_precise,)


def test_a_lost_checkpoint_stands_by_law(storage: StudyStorage, trials: list[TrialRecord]) -> None:
    name = min(by_law(trials).values(), key=lambda point: point.error).name  # on the front whatever others cost
    number = int(name.partition(".")[0])
    checkpoint = storage.folder / "trials" / f"{number:05d}" / "network_0.npz"
    kept = checkpoint.read_bytes()
    checkpoint.unlink()
    try:
        refined = refine(trials, storage, TARGET, ANY_TIME_S, message=silent)
    finally:
        checkpoint.write_bytes(kept)
    assert name not in by_graph(refined)
    assert name in front_of(refined.trials)
    assert refined.by_law == (name,)


def test_nothing_feasible_is_nothing_to_do(storage: StudyStorage, trials: list[TrialRecord]) -> None:
    refined = refine(trials, storage, make_target(max_luts=1), ANY_TIME_S, message=silent)
    assert refined == Refined(tuple(trials), ())


def test_a_cache_changes_time_only(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setup = make_setup()
    found, _, _ = search(folder, setup, 12)

    def front() -> str:
        with StudyStorage(folder) as storage:
            storage.open(write=False)
            return summarise(setup, storage, found).csv()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "one"))
    first = front()
    assert front() == first
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert front() == first
    entries = list((tmp_path / "other" / "nas-fpga" / "adder-graphs").iterdir())
    assert entries
    for entry in entries:
        entry.write_text("{")
    assert front() == first
    for entry in entries:
        if "-" not in entry.stem:
            entry.write_text(json.dumps({"luts": 1000.0, "parts": [400.0, 600.0], "levels": 9}))
    assert front() != first


def test_the_time_is_a_share_of_what_trainings_are_expected_to_take(folder: Path) -> None:
    setup = make_setup(epochs=5)
    trials, _, _ = search(folder, setup, 5)
    rows = setup.space.rows([trial.candidate for trial in trials])
    epochs = np.array([len(trial.outcome.curve.train_loss) for trial in trials])
    expected = ExpectedTime(3, 1, len(setup.split.train))(rows, epochs)
    assert graph_budget_s(setup, trials) == pytest.approx(GRAPH_SHARE * expected.sum())
    failed = replace(trials[0], state="failed", outcome=replace(trials[0].outcome, curve=None))
    assert graph_budget_s(setup, [failed, *trials[1:]]) == pytest.approx(GRAPH_SHARE * expected[1:].sum())
    assert graph_budget_s(setup, [failed]) == 0


def test_it_says_how_far_it_is(
    storage: StudyStorage, trials: list[TrialRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, "_TELL_EVERY_S", 0.0)
    n = len(by_graph(refine(trials, storage, TARGET, ANY_TIME_S, message=said.append)))
    assert len(said) == n
    assert said[0].startswith("Adder graphs of the front's networks: 0 done, ")
    assert said[-1] == f"Adder graphs of the front's networks: {n - 1} done, 1 to come"
    said.clear()
    monkeypatch.setattr(module, "_TELL_EVERY_S", 1e9)
    refine(trials, storage, TARGET, ANY_TIME_S, message=said.append)
    assert said == []
