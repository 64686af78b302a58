"""Refreshes the measured parts of ``datasets/README.md`` and its plots: ``python -m benchmarks.data.datasheet``.

The tables between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` are written anew from the showers, the tables in
the package and ``baselines.csv``, ``baselines_classes.csv`` and ``baseline_networks.csv`` of ``benchmarks/data``.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.data._size_figures import noise_lines, plot_sizes, read_references, reference_lines, size_lines
from benchmarks.data.baseline_networks import complete_rows
from benchmarks.data.baselines import OUT as BASELINES
from benchmarks.data.baselines import OUT_CLASSES
from nas_fpga.data import SUBSETS, hgcal, jets, load_hgcal, load_jets
from nas_fpga.data.hgcal import Check, HgcalTable, Showers, read_showers, table_path

DATASETS = Path(__file__).parents[2] / "datasets"


def markdown(header: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def checks_table(checks: Sequence[Check]) -> str:
    def figure(value: float) -> str:
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"

    return markdown(
        ("check", "value", "expected", "passes from", "to", "passed"),
        ((c.name, *map(figure, (c.value, c.expected, c.low, c.high)), "yes" if c.passed else "**no**") for c in checks),
    )


def counts_table() -> str:
    def rows() -> Iterator[Sequence[str]]:
        for pileup in (200, 0):
            data = load_hgcal(pileup)
            for number, subset in enumerate(SUBSETS):
                for label in (1, 0):
                    mine = (data.subset == number) & (data.labels == label)
                    candidates = mine & data.counted
                    showers = [len(np.unique(data.groups[chosen])) for chosen in (mine, candidates)]
                    yield (
                        *(str(pileup), subset, data.class_names[label]),
                        *(f"{n:,}" for n in (showers[0], mine.sum(), showers[1], candidates.sum())),
                    )

    return markdown(("pile-up", "subset", "class", "showers", "rows", "showers with a candidate", "candidates"), rows())


def pileup_table() -> str:
    with table_path(200) as path:
        table = HgcalTable.read(path)
    return markdown(
        ("subset", "pile-up particles", "placed", "uses of each"),
        (
            (subset, f"{n:,}", f"{placed:,}", f"{placed / n:,.0f}")
            for subset, n, placed in zip(SUBSETS, table.pileup_particles, table.pileup_placed, strict=True)
        ),
    )


def baselines_table() -> str:
    with BASELINES.open(newline="") as file:
        found = list(csv.DictReader(file))
    cells = {
        (r["pileup"], r["features"], r["method"], r["definition"], r["signal_efficiency"]): (
            f"{float(r['pion_efficiency']):.3f} ({float(r['low']):.3f}-{float(r['high']):.3f})"
        )
        for r in found
    }
    columns = [
        (definition, efficiency) for definition in ("candidates", "all showers") for efficiency in ("0.95", "0.99")
    ]
    keys = dict.fromkeys((r["pileup"], r["features"], r["method"]) for r in found)
    return markdown(
        ("pile-up", "features", "method", *(f"{definition}, {efficiency} e" for definition, efficiency in columns)),
        ((*key, *(cells[*key, *column] for column in columns)) for key in keys),
    )


def bins_table() -> str:
    """Return the candidates at 95 % of the electrons, by transverse momentum of the cluster."""
    with BASELINES.open(newline="") as file:
        found = list(csv.DictReader(file))
    columns = [name for name in found[0] if name.startswith("pion_efficiency ")]
    return markdown(
        ("pile-up", "features", "method", *(name.removeprefix("pion_efficiency ") for name in columns)),
        (
            (r["pileup"], r["features"], r["method"], *(f"{float(r[name]):.3f}" for name in columns))
            for r in found
            if (r["definition"], r["signal_efficiency"]) == ("candidates", "0.95")
        ),
    )


def features_table() -> str:
    return markdown(
        ("feature", "unit", "what", "source"), ((f.name, f.unit, f.formula, f.source) for f in jets.FEATURES)
    )


def classes_table() -> str:
    """Return what the jets of each class are like."""
    data = load_jets()
    columns = dict(zip(data.feature_names, data.features.T, strict=True))

    def rows() -> Iterator[Sequence[str]]:
        for label, name in enumerate(data.class_names):
            mine = data.labels == label
            mass = columns["mass_mmdt"][mine]
            single = columns["c1_b0_mmdt"][mine] == 0  # one groomed object is no pair
            yield (
                *(name, f"{mine.sum():,}", f"{columns['multiplicity'][mine].mean():.1f}"),
                *(f"{np.median(mass):.1f}", f"{np.median(columns['n2_b1_mmdt'][mine]):.3f}", f"{single.mean():.2%}"),
            )

    header = ("class", "jets", "mean multiplicity", "median groomed mass (GeV)", "median n2_b1", "one groomed object")
    return markdown(header, rows())


def plot_profiles(showers: Showers, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    depth = showers.depth[:26:2, 0]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True, sharey=True, layout="constrained")
    for pileup, line in ((200, "-"), (0, "--")):
        data = load_hgcal(pileup)
        for label, colour in ((1, "tab:blue"), (0, "tab:orange")):
            for axis, chosen in zip(axes, (np.ones_like(data.counted), data.counted), strict=True):
                mean = data.features[(data.labels == label) & chosen].mean(axis=0)
                name = f"{data.class_names[label]}s, pile-up {pileup}"
                axis.plot(depth, mean, line, color=colour, marker="o", markersize=3, label=name)
    for axis, title in zip(axes, ("All showers above 41 GeV", "Trigger candidates"), strict=True):
        axis.set(title=title, xlabel="depth (radiation lengths)", ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("mean cluster energy per layer (MIP)")
    axes[1].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    showers = read_showers(DATASETS / "hgcal_showers.npz")
    networks, references = complete_rows(), read_references(BASELINES, OUT_CLASSES)
    plot_profiles(showers, DATASETS / "hgcal_profiles.png")
    plot_sizes(networks, references, DATASETS / "baselines.png")
    readme = DATASETS / "README.md"
    text = readme.read_text()
    for name, table in (
        ("checks", checks_table(hgcal.physics_checks(showers))),
        ("counts", counts_table()),
        ("pile-up", pileup_table()),
        ("baselines", baselines_table()),
        ("bins", bins_table()),
        ("sizes", markdown(*size_lines(networks))),
        ("noise", markdown(*noise_lines(networks))),
        ("jets features", features_table()),
        ("jets checks", checks_table(jets.physics_checks(load_jets()))),
        ("jets classes", classes_table()),
        ("jets baselines", markdown(*reference_lines(references, "jets"))),
        ("digits baselines", markdown(*reference_lines(references, "digits"))),
    ):
        block = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text = block.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text)
    readme.write_text(text)


if __name__ == "__main__":
    main()
