"""The figures of the documents are those of the benchmarks."""

import csv
import json
import re
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks" / "search"
SAMPLER = (ROOT / "docs" / "default-sampler.md").read_text(encoding="utf-8")


def lines(name):
    with (BENCHMARKS / name).open(newline="") as file:
        return list(csv.DictReader(file))


def gain(name, method, trainings):
    """Return how much more hypervolume a method has than `gp`, in .0001, with the error of the paired difference."""
    found = {"gp": {}, method: {}}
    for row in lines(name):
        if row["method"] in found and row["trainings"] == str(trainings):
            found[row["method"]][row["seed"]] = float(row["hypervolume"])
    gains = 1e4 * np.array([found[method][seed] - found["gp"][seed] for seed in found["gp"]])
    return f"{gains.mean():+.0f} ± {gains.std(ddof=1) / np.sqrt(len(gains)):.0f}"


def rows(pattern):
    return [[cell.strip() for cell in row] for row in re.findall(pattern, SAMPLER, flags=re.MULTILINE)]


def short(figure):
    return f"{float(figure):.3f}".lstrip("0")


def test_what_other_parts_of_the_sampler_gain_on_our_table():
    found = rows(r"^\| `([^`]+)`: [^|]+\|([^|]+±[^|]+)\|([^|]+)\|([^|]+)\|$")
    assert len(found) == 18
    for method, *cells in found:
        assert cells == [gain("own_table_samplers.csv", f"gp {method}", n) for n in (25, 50, 100)], method
    said = ", ".join(gain("own_table_samplers_long.csv", "gp trust region", n) for n in (100, 200, 300))
    last = gain("own_table_samplers_long.csv", "gp trust region", 400)
    assert f"{said} and {last} after\n100, 200, 300 and 400" in SAMPLER


def test_what_they_gain_on_tables_of_others():
    of = {
        (row["method"], row["budget"]): row for row in lines("ablation/tables_ranks.csv") if row["judged_by"] == "all"
    }
    found = rows(r"^\| `(gp[^`]*)`: [^|]+\|([^|]+/[^|]+)\|([^|]+)\|$")
    assert len(found) == len(of) / 2  # halved and whole
    for method, *cells in found:
        for cell, budget in zip(cells, ("half", "whole"), strict=True):
            assert cell == " / ".join(short(of[method, budget][f"regret_{n}"]) for n in (25, 50, 100)), method


def test_live_searches_of_before_and_after():
    seeds = json.loads((BENCHMARKS / "engine" / "main_job.json").read_text())["seeds"].values()
    at = {n: [of["hypervolume_at_trials"][str(n)] for of in seeds] for n in (12, 25, 50, 100)}
    after, before = (short(np.mean([of[side] for of in at[12]])) for side in ("after", "before"))
    assert f"`gp` has more ({after}\n  against {before})" in SAMPLER
    for n in (25, 50, 100):
        gains = np.array([of["after"] - of["before"] for of in at[n]])
        signed = f"{gains.mean():+.3f} ± {gains.std(ddof=1) / np.sqrt(len(gains)):.3f}".replace("0.", ".")
        assert signed in SAMPLER, n
