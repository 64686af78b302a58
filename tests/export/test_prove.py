"""Fronts are proven point by point; which points logic synthesis puts in another order."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nas_fpga._process import ToolFailedError
from nas_fpga.errors import InputError
from nas_fpga.export import _prove, reversals
from nas_fpga.export._prove import PointProof, _keep, _kept
from nas_fpga.hardware import CellCounts, Figure, Mapping, estimate, make_target
from nas_fpga.space import BitWidths
from tests.export.designs import make_design, silent
from tests.export.networks import random_network


def proof(name: str, estimated: float, synthesised: float | None) -> PointProof:
    def figure(value: float) -> Figure:
        return Figure(value, "LUT", "place-and-route", value, value)

    return PointProof(
        point=name,
        network="4 w3a3",
        mapping="da",
        error=0.1,
        estimated=figure(estimated),
        synthesised=None if synthesised is None else figure(synthesised),
        cells=None,
        events=0,
        outputs=0,
        differing=None,
        wall_time_s=0.0,
        cause="" if synthesised is not None else "too large",
    )


def test_pairs_in_another_order_are_named_cheaper_by_estimate_first():
    proofs = [proof("a", 100, 120), proof("b", 110, 115), proof("c", 200, 118), proof("d", 300, None)]
    assert reversals(proofs) == (("a", "b"), ("a", "c"))
    assert reversals(proofs[::-1]) == (("a", "b"), ("a", "c"))


def test_equal_costs_are_in_no_order():
    assert reversals([proof("a", 100, 120), proof("b", 100, 110), proof("c", 130, 120)]) == ()
    assert reversals([]) == ()


@pytest.fixture
def front_with_a_dead_network(tmp_path, monkeypatch):
    """Two points of which the first is constant, the cheapest there is."""
    alive = random_network(4, 5, (3,), BitWidths(4, 6), 3)
    dead = replace(alive, layers=tuple(replace(layer, weights=0 * layer.weights) for layer in alive.layers))
    networks, target = {"0.0": dead, "1.0": alive}, make_target()
    mapping = Mapping("distributed_arithmetic", (1, 1))
    monkeypatch.setattr(_prove, "design_of_point", lambda _, name: make_design(networks[name], mapping))
    rows = []
    for name, network in networks.items():
        mapped = SimpleNamespace(mapping=mapping, figures=estimate(network, mapping, target))
        point = SimpleNamespace(name=name, mapped=mapped, error=0.8)
        rows.append(SimpleNamespace(point=point, trial=SimpleNamespace(name_of=lambda _: "3 w4a6")))
    return SimpleNamespace(folder=tmp_path, front=rows, setup=SimpleNamespace(target=target))


def test_a_constant_network_is_not_proven_and_the_others_go_on(front_with_a_dead_network, monkeypatch):
    def verify(folder, **_):
        raise ToolFailedError(f"{folder.name} stopped")

    monkeypatch.setattr(_prove, "verify", verify)
    found = _prove.prove(front_with_a_dead_network, message=silent)
    assert [proof.cause for proof in found] == [
        "RTL: the outputs do not depend on the features; there is nothing to build",
        "1.0 stopped",
    ]


def test_without_a_simulator_nothing_is_proven(front_with_a_dead_network, monkeypatch):
    def verify(folder, **_):
        raise InputError("no simulator")

    monkeypatch.setattr(_prove, "verify", verify)
    with pytest.raises(InputError, match="no simulator"):
        _prove.prove(front_with_a_dead_network, message=silent)


def outcome(*mappings: tuple[str, str], clock_ns: float = 5.0, folder: Path | None = None) -> Any:
    rows = [SimpleNamespace(point=SimpleNamespace(name=n, mapped=SimpleNamespace(mapping=m))) for n, m in mappings]
    return SimpleNamespace(setup=SimpleNamespace(target=make_target(clock_ns=clock_ns)), front=rows, folder=folder)


def test_what_was_proven_is_read_again_where_it_is_the_same(tmp_path: Path) -> None:
    target, path = make_target(), tmp_path / "proof.json"
    original = Figure(100.0, "LUT", "place-and-route", 90.0, 110.0, "Yosys", (104.0, "logic-synthesis"))
    done = replace(proof("1.0", 100, 100), synthesised=original, cells=CellCounts(104, 50, 20, 0, 0), differing=0)
    failed = proof("2.0", 200, None)
    points = [asdict(done), asdict(failed)]
    path.write_text(json.dumps({"part": target.part.name, "clock_ns": target.clock_ns, "points": points}))
    assert _kept(path, outcome(("1.0", "da"), ("2.0", "da"))) == {"1.0": done}
    assert _kept(path, outcome(("1.0", "latency"))) == {}
    assert _kept(path, outcome(("1.0", "da"), clock_ns=4.0)) == {}
    path.write_text(path.read_text()[:100])
    assert _kept(path, outcome(("1.0", "da"))) == {}
    assert _kept(tmp_path / "none.json", outcome(("1.0", "da"))) == {}


def test_proofs_of_other_points_and_clocks_are_kept(tmp_path: Path) -> None:
    fronts = [(("7.0", "da"), ("3.0", "da")), (("4.0", "da"),)]
    seen = []
    for front, clock_ns in ((fronts[0], 5.0), (fronts[1], 5.0), (fronts[0], 4.0)):
        of = outcome(*front, clock_ns=clock_ns, folder=tmp_path)
        proofs = [replace(proof(name, 100, 100), differing=0, wall_time_s=clock_ns) for name, _ in front]
        for n in range(1, len(proofs) + 1):  # as they come
            _keep(of, proofs[:n])
        seen.append((of, {each.point: each for each in proofs}))
    for of, proofs_of in seen:
        assert _kept(tmp_path / "proof.json", of) == proofs_of
    (of, _), *_ = seen
    _keep(of, [replace(proof("7.0", 100, 100), differing=0, wall_time_s=9.0)])
    assert {name: each.wall_time_s for name, each in _kept(tmp_path / "proof.json", of).items()} == {"7.0": 9, "3.0": 5}
