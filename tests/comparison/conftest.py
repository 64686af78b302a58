"""Comparisons and sweeps without training: networks are drawn from the seed of their trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nas_fpga.comparison import Comparison, ComparisonDefinition, ComparisonRun, Sweep, SweepDefinition, SweepRun
from nas_fpga.comparison import _studies as studies
from nas_fpga.comparison._definition import with_card
from nas_fpga.study import apply_options
from tests.study.conftest import ScriptedWorkers, Silent, make_setup

Compare = Callable[..., Comparison]
"""Takes samplers and other fields of :class:`ComparisonDefinition`, and ``repairs`` of the rows."""

NOTHING_SEEN = {"started": 0, "ended": 0, "failing": (), "stop_after": None}
BASE = replace(make_setup().definition, split_seed=0)


class Workers(ScriptedWorkers):
    """Stand where :class:`nas_fpga.execution.LocalWorkers` does; note how often they start and end."""

    def __init__(self, _: object, n: int, backend: str, seen: dict[str, Any] | None = None) -> None:
        self.seen = dict(NOTHING_SEEN) if seen is None else seen
        super().__init__(make_setup(), n, lambda n: 0, self.seen["failing"])
        self.stop_after = self.seen["stop_after"]
        self.seen["started"] += 1

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.seen["ended"] += 1


def run(folder: Path, reporter: Silent, *samplers: str, repairs: tuple[str, ...] = (), **fields: Any) -> Comparison:
    definition = ComparisonDefinition(**{"base": BASE, "samplers": samplers} | fields)
    dataset = replace(make_setup().dataset, repairs=repairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies, "LocalWorkers", Workers)
        return ComparisonRun(folder, definition, dataset).execute(1, reporter)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """How many workers were started and ended, and what they are to do."""
    seen = dict(NOTHING_SEEN)
    monkeypatch.setattr(studies, "LocalWorkers", partial(Workers, seen=seen))
    return seen


@pytest.fixture
def reporter() -> Silent:
    return Silent()


@pytest.fixture
def compare(tmp_path: Path, reporter: Silent) -> Compare:
    return partial(run, tmp_path / "comparison", reporter)


@pytest.fixture
def swept(tmp_path: Path, reporter: Silent) -> Sweep:
    """Budgets that hold one point of the grid, then all four; two rows were repaired."""
    definition = SweepDefinition(replace(BASE, sampler="grid", grid="4,16x4,16"), (8, 40), 3)
    dataset = replace(make_setup().dataset, repairs=("dropped 2 of 242 rows",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies, "LocalWorkers", Workers)
        return SweepRun(tmp_path / "sweep", definition, dataset).execute(1, reporter)


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The card of the reference work on the eight points of one or two neurons a layer."""
    base = apply_options(BASE, with_card({"max_width": 2}))
    of_card = {"base": base, "whole_grid": True, "retrain": 2, "noise_points": 3}
    return run(tmp_path_factory.mktemp("card"), Silent(), "grid", "random", n_seeds=2, n_trials=3, **of_card)
