"""What a point is called does not depend on the target that a study is mapped for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.study import HardwareTarget, Outcome, Point, Setup, StudyStorage, TrialRecord
from nas_fpga.study._run import _mapped_anew
from nas_fpga.training import TrainingJob
from tests.study.conftest import make_setup, network_of
from tests.study.records import waiting

Named = dict[str, tuple[int, object]]


@pytest.fixture
def ended(folder: Path):
    """A trial of four wide networks, of each all mappings that are kept, and the storage that has them."""
    setup = make_setup(budget=200)
    record = replace(waiting(), candidate=replace(waiting().candidate, topology=(48, 10)))
    points: list[Point] = []
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        for k in range(4):
            network = network_of(setup, TrainingJob(0, record.candidate, k))
            logits = network.logits(setup.dataset.features[setup.split.validation])
            merits = setup.evaluate(logits, "validation")
            storage.save_networks(0, [network], [logits], first=k)
            for mapped in setup.estimator.points(network, setup.target):
                points.append(Point(0, len(points), k, mapped, merits, network.topology))
        yield replace(record, state="complete", outcome=Outcome(tuple(points))), storage, setup


def named(record: TrialRecord, storage: StudyStorage, setup: Setup, hardware: Mapping[str, float]) -> Named:
    of = Setup(replace(setup.definition, hardware=HardwareTarget(**hardware)), setup.dataset)
    points = _mapped_anew(record, storage, of, {}).points
    names = {point.name: (point.network, point.mapped.mapping) for point in points}
    assert len(names) == len(points)
    return names


def test_a_name_is_of_one_network_and_mapping_under_every_target(ended) -> None:
    record, storage, setup = ended
    own = named(*ended, {})
    assert own == {point.name: (point.network, point.mapped.mapping) for point in record.points}
    seen: Named = dict(own)
    targets = [{"clock_ns": clock} for clock in (2.0, 2.5, 3.125, 10.0)] + [
        {"max_latency_ns": 100.0},
        {"rate_mhz": 1.0},
    ]
    for hardware in targets:
        names = named(record, storage, setup, hardware)
        assert {name: what for name, what in names.items() if seen.setdefault(name, what) != what} == {}
        assert {network for network, _ in names.values()} == {0, 1, 2, 3}
    others = {int(name.partition(".")[2]) for name in seen if name not in own}
    assert others  # some target keeps what the study's own does not
    assert min(others) >= 1000
    assert len(set(seen.values())) == len(seen)  # nor has a point two names


def test_polishing_changes_no_name_of_any_target(ended) -> None:
    """What only another target keeps is not counted after what the study has, which may yet get more."""
    record, storage, setup = ended
    before = named(*ended, {"clock_ns": 2.0})
    assert any(int(name.partition(".")[2]) >= 1000 for name in before)
    first = len(record.points)
    polished = [replace(p, index=first + k, network=4, polished=True) for k, p in enumerate(record.points[:2])]
    network = storage.load_network(record, 0)
    storage.save_networks(0, [network], [np.zeros((1, 1))], first=4)
    after = named(replace(record, polished=Outcome(tuple(polished))), storage, setup, {"clock_ns": 2.0})
    assert {name: after[name] for name in before} == before
    assert len(after) > len(before)
