"""How far clock period, latency and LUTs are from placed designs: ``python -m benchmarks.estimators.period``.

The designs are the 20 of JEDI-linear, adder graphs like those of distributed arithmetic, placed and routed on a VU13P
and asked for 2 ns. The period is a line in the square root of the LUTs, fitted by least squares; LUTs are one ratio
times da4ml's cost, fitted on logarithms. Each is fitted anew without what it is then judged on: a design, or a pair of
designs for the same particles and features (one plain, one of `perminv`). Latency in ns is the cycles as reported times
the period at LUTs from da4ml's cost: all that is not known before a design is placed. The half-width of the 90 %
interval of a logarithm comes from residuals of left-out pairs, and its coverage is that of pairs which neither
constants nor half-width have seen. Writes ``period.csv``, a row for each law and what was left out, and ``period.json``
with the bars, the constants and the half-widths: a second.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._provenance import provenance
from benchmarks.estimators.hls_reports import REPORTS, Array, Law, half_width, read, unseen
from benchmarks.training._machine import write_json

HERE = Path(__file__).parent


class Period(Law):
    """A line in the square root of the LUTs."""

    def fit(self, rows: NDArray[np.bool_]) -> Array:
        """Return the constants of least squares."""
        constants: Array = np.linalg.lstsq(self.terms[rows], self.reported[rows])[0]
        return constants


class Ratio(Law):
    """A law of one term."""

    def fit(self, rows: NDArray[np.bool_]) -> Array:
        """Return the constant `(1,)` of least squares of logarithms."""
        constants: Array = np.exp(np.log(self.reported[rows, None] / self.terms[rows]).mean(axis=0))
        return constants


@dataclass(frozen=True, kw_only=True)
class Latency(Law):
    """Cycles times a period at LUTs from da4ml's cost.

    Attributes:
        period: Its law.
        lut: That of its LUTs.
    """

    period: Period
    lut: Ratio

    def fit(self, rows: NDArray[np.bool_]) -> Array:
        """Return the constants of the period, the second of them for da4ml's cost in place of LUTs."""
        return self.period.fit(rows) * [1, np.sqrt(self.lut.fit(rows)[0])]


def laws(rows: dict[str, NDArray[Any]], groups: NDArray[Any]) -> Iterator[Law]:
    """Yield the laws of period, latency and LUTs.

    Args:
        rows: Columns of the designs, `(n,)` each.
        groups: `(n, ...)` equal rows are left out together.
    """
    stage, one = "place-and-route", np.ones(len(groups))
    period_ns, cycles, cost = rows["actual_period_ns"], rows["latency_cycles"], rows["da4ml_cost"]
    period = Period(stage, "period_ns", groups, period_ns, np.column_stack([one, np.sqrt(rows["lut"])]))
    lut = Ratio(stage, "lut", groups, rows["lut"], cost[:, None])
    terms = np.column_stack([cycles, cycles * np.sqrt(cost)])
    yield from (period, lut, Latency(stage, "latency_ns", groups, period_ns * cycles, terms, period=period, lut=lut))


def coverage(law: Law) -> float:
    """Return the share of designs within intervals of fits and half-widths without their group."""
    held = np.zeros(len(law.reported), np.bool_)
    for group in np.unique(law.groups):
        out = law.groups == group
        held[out] = law.distance(law.terms[out] @ law.fit(~out), out) <= half_width(law, ~out)
    return float(held.mean())


def judge(law: Law, left_out: str) -> dict[str, Any]:
    """Return the row of the table of one law."""
    everything = np.ones(len(law.reported), np.bool_)
    error = np.abs(unseen(law, everything) / law.reported - 1)
    return {
        "quantity": law.quantity,
        "left_out": left_out,
        "designs": len(error),
        "groups": len(np.unique(law.groups)),
        "median": float(np.median(error)),
        "p90": float(np.quantile(error, 0.9)),
        "worst": float(error.max()),
        "half_width": half_width(law, everything),
        "coverage": coverage(law),
    }


def bars(table: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every bar with what was reached, whatever was left out."""
    wanted: dict[str, dict[str, tuple[float, float]]] = {
        "period_ns": {"median": (0, 0.07), "worst": (0, 0.25), "coverage": (0.85, 1)},
        "latency_ns": {"median": (0, 0.08)},
        "lut": {"median": (0, 0.05), "p90": (0, 0.15)},
    }
    for row in table:
        for measure, (least, most) in wanted[row["quantity"]].items():
            reached = row[measure]
            name = {key: row[key] for key in ("quantity", "left_out")}
            met = least <= reached <= most
            yield name | {"measure": measure, "least": least, "most": most, "reached": reached, "met": met}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    options = parser.parse_args(arguments)
    rows = read(REPORTS / "jedi_linear.csv")
    alone = np.arange(len(rows["lut"]))[:, None]
    pairs = np.array([[model.removesuffix("-perminv")] for model in rows["model"].tolist()])
    table = [
        judge(law, left_out) for left_out, groups in (("design", alone), ("pair", pairs)) for law in laws(rows, groups)
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "period.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        for row in table:
            writer.writerow({key: f"{x:.4g}" if isinstance(x, float) else x for key, x in row.items()})
    constants = {law.quantity: law.fit(np.ones(len(alone), np.bool_)).tolist() for law in laws(rows, pairs)}
    half_widths = {row["quantity"]: row["half_width"] for row in table if row["left_out"] == "pair"}
    judged = list(bars(table))
    results = {"bars": judged, "constants": constants, "half_widths": half_widths}
    write_json(options.out / "period.json", provenance() | results)
    for row in table:
        errors = ", ".join(f"{name} {row[name]:.1%}" for name in ("median", "p90", "worst"))
        print(f"{row['quantity']} without the {row['left_out']}: {errors}; the interval holds {row['coverage']:.0%}")
    for bar in judged:
        print(f"{'met   ' if bar['met'] else 'MISSED'} {bar['quantity']} without {bar['left_out']}:", end=" ")
        print(f"{bar['measure']} {bar['reached']:.4g} in {bar['least']:g} to {bar['most']:g}")


if __name__ == "__main__":
    main()
