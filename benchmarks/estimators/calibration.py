"""Whether `calibrate` on half of some designs helps the other half: ``python -m benchmarks.estimators.calibration``.

The designs are the 20 of JEDI-linear, placed and routed on a VU13P at 2 ns: LUTs are known at `adder-graph` (da4ml's
cost) and `place-and-route`, flip-flops at the latter. Each of 200 splits calibrates on ten of them with the function
that the command calls, and judges LUTs and flip-flops of the other ten: mean absolute relative error before and after,
and the share of them in their 90 % intervals.

What is shipped knows these designs, so it cannot be what they are judged against: the ratio of LUTs is 1.05 because of
them. *Without them* it is what Yosys and the assumptions on placement say, 1.0 within 20 %: .95 of da4ml's cost in the
networks of ``networks.csv``, times 1.04 from logic synthesis to placement. The shipped ratio is there beside it.
Flip-flops are those of the law on da4ml's cost, 1.20 LUT / (levels of adders between registers), which was fitted to
other networks; two levels, as everywhere for these designs, are an assumption. Words of the input are not in the table.

How much the shipped scatter weighs in an interval, as half a network, was chosen here; that drawn networks are held
too is what ``tests/hardware/test_learned_ratios.py`` shows. Splits differ by which half has the extremes, and one of
the ten designs that are judged is 10 %.

Writes ``calibration.csv``, a row for each resource and what was known before, and ``calibration.json`` with the bars;
two seconds of one core.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._provenance import provenance
from benchmarks.estimators.hls_reports import REPORTS
from benchmarks.training._machine import write_json
from nas_fpga.hardware import (
    SHIPPED,
    Calibration,
    Resource,
    Stage,
    StageCounts,
    StageRatio,
    Target,
    learn,
    make_target,
)
from nas_fpga.hardware._adder_law import _FF_PER_LUT_AND_CUT
from nas_fpga.hardware._period import LEVELS_SEEN
from nas_fpga.hardware._rank_stage import carried_count

HERE = Path(__file__).parent
DA = "distributed_arithmetic"
STAGE: dict[Resource, Stage] = {"lut": "adder-graph", "ff": "estimate"}
SEED = 0
WITHOUT = StageRatio("adder-graph", DA, "lut", 1.0, 0.2, 0)
PRIORS = {"without them": (WITHOUT, *SHIPPED), "shipped": SHIPPED}

Array = NDArray[np.float64]


def designs(path: Path) -> list[tuple[StageCounts, ...]]:
    """Return what is known of each design, stage by stage."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        cost = float(row["da4ml_cost"])
        ff = _FF_PER_LUT_AND_CUT * cost / LEVELS_SEEN
        stages: dict[Stage, dict[Resource, float]] = {
            "adder-graph": {"lut": cost},
            "estimate": {"ff": ff},
            "place-and-route": {"lut": float(row["lut"]), "ff": float(row["ff"])},
        }
        name = row["model"]
        found.append(tuple(StageCounts(name, name, DA, stage, counts) for stage, counts in stages.items()))
    return found


def judged(tested: Sequence[tuple[StageCounts, ...]], resource: Resource, target: Target) -> tuple[Array, Array]:
    """Return absolute relative errors, and whether the intervals hold the placed figure; each `(n,)`."""
    errors, held = [], []
    for stages in tested:
        counts = {one.stage: one.counts for one in stages}
        value, low, high = carried_count(counts[STAGE[resource]][resource], STAGE[resource], DA, resource, target)
        placed = counts["place-and-route"][resource]
        errors.append(abs(value - placed) / placed)
        held.append(low <= placed <= high)
    return np.array(errors), np.array(held)


def judge(known: Sequence[tuple[StageCounts, ...]], n_splits: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table."""
    for name, shipped in PRIORS.items():
        before = replace(make_target(), calibration=Calibration(tuple(shipped)))
        rng = np.random.default_rng(SEED)
        columns: dict[Resource, list[tuple[float, ...]]] = {resource: [] for resource in STAGE}
        for _ in range(n_splits):
            order = rng.permutation(len(known))
            half = len(known) // 2
            learned = learn([one for k in order[:half] for one in known[k]], shipped)
            after = replace(make_target(), calibration=learned.calibration)
            tested = [known[k] for k in order[half:]]
            for resource in STAGE:
                old, new = judged(tested, resource, before), judged(tested, resource, after)
                ratio = learned.calibration.ratio(STAGE[resource], DA, resource)
                assert ratio is not None
                columns[resource].append(
                    (old[0].mean(), new[0].mean(), old[1].mean(), new[1].mean(), ratio.ratio, ratio.spread)
                )
        for resource, rows in columns.items():
            error_before, error_after, held_before, held_after, ratio, spread = np.array(rows).T
            yield {
                "before": name,
                "resource": resource,
                "splits": n_splits,
                "error_before": error_before.mean(),
                "error_after": error_after.mean(),
                "splits_with_less_error": (error_after < error_before).mean(),
                "coverage_before": held_before.mean(),
                "coverage_after": held_after.mean(),
                "least_coverage_after": held_after.min(),
                "ratio": ratio.mean(),
                "half_width": spread.mean(),
            }


def bars(table: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every bar with what was reached; what is shipped knows the designs, so against it there is none."""
    for row in table:
        if row["before"] == "without them":
            wanted = {"error_after": (0.0, row["error_before"]), "coverage_after": (0.85, 0.97)}
            for measure, (least, most) in wanted.items():
                reached = float(row[measure])
                bar = {"resource": row["resource"], "measure": measure, "least": least, "most": float(most)}
                yield bar | {"reached": reached, "met": bool(least <= reached <= most)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    parser.add_argument("--splits", type=int, default=200, help="of the designs in halves; default: %(default)s")
    options = parser.parse_args(arguments)
    table = list(judge(designs(REPORTS / "jedi_linear.csv"), options.splits))
    judged_bars = list(bars(table))
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "calibration.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        for row in table:
            writer.writerow({key: f"{x:.4g}" if isinstance(x, float) else x for key, x in row.items()})
    write_json(options.out / "calibration.json", provenance() | {"seed": SEED, "bars": judged_bars})
    for row in table:
        print(
            f"{row['resource'].upper()}, {row['before']}: mean error {row['error_before']:.1%} -> "
            f"{row['error_after']:.1%}, less in {row['splits_with_less_error']:.0%} of splits; coverage "
            f"{row['coverage_before']:.1%} -> {row['coverage_after']:.1%}, at least {row['least_coverage_after']:.0%}; "
            f"x {row['ratio']:.3f}, half-width {row['half_width']:.3f}"
        )
    for bar in judged_bars:
        print(
            f"{'met   ' if bar['met'] else 'MISSED'} {bar['resource']} {bar['measure']} {bar['reached']:.4g} in "
            f"{bar['least']:.4g} to {bar['most']:.4g}"
        )


if __name__ == "__main__":
    main()
