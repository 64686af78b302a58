"""What is read back of studies, those of before too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nas_fpga.study._json import from_json, to_json
from nas_fpga.study._options import apply_options
from nas_fpga.study._stored import as_of_now
from tests.study.conftest import make_setup


@pytest.mark.parametrize(
    ("sampler", "goal", "acquisition"), [("gp", "front", None), ("bayesian-optimization", "precision", "ucb")]
)
def test_studies_from_before_there_were_goals_are_resumed(sampler: str, goal: str, acquisition: str | None) -> None:
    setup = make_setup(sampler=sampler)
    now = to_json(replace(setup.definition, polish=0.0))
    before = {name: value for name, value in now.items() if name not in ("goal", "polish")} | {"acquisition": "ucb"}
    assert as_of_now(before) == now | {"goal": goal, "acquisition": acquisition}
    assert as_of_now(now) == now  # a younger one is as it was stored
    stored = from_json(type(setup.definition), as_of_now(before))
    assert stored.differences(apply_options(stored, {"sampler": sampler})) == []
