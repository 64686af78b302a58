"""A picture of how a design divides over its layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nas_fpga.errors import InputError
from nas_fpga.hardware import RESOURCES

if TYPE_CHECKING:
    from nas_fpga.estimation._estimate import Estimate

# Okabe and Ito's colours, which people who see few colours can tell apart.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_AROUND = "#BBBBBB"
_LEAST_LABELLED = 0.06  # of a bar


def plot_layers(estimate: Estimate, path: Path) -> None:
    """Draw the share of every layer in each resource that the design uses into a PNG file.

    Raises:
        InputError: The file is no PNG.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"--plot {path} must end in .png")
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figures, layers = estimate.cost.figures, estimate.cost.layers
    used = [name for name in RESOURCES if getattr(figures, name).value > 0]
    figure, axis = plt.subplots(figsize=(7.5, 1.4 + 0.55 * len(used)), layout="constrained")
    for row, name in enumerate(used):
        total, left = getattr(figures, name).value, 0.0
        for k, layer in enumerate(layers):
            share = getattr(layer, name).value / total
            colour = _AROUND if k == len(layers) - 1 else _COLOURS[k % len(_COLOURS)]
            axis.barh(row, share, left=left, color=colour, edgecolor="white", label=layer.name if row == 0 else None)
            if share >= _LEAST_LABELLED:
                axis.text(left + share / 2, row, f"{100 * share:.0f} %", ha="center", va="center", fontsize=8)
            left += share
    axis.set_yticks(range(len(used)), [f"{getattr(figures, name).value:,.0f} {name.upper()}" for name in used])
    axis.set(xlim=(0, 1), xlabel="share of the design")
    axis.invert_yaxis()
    axis.spines[["top", "right"]].set_visible(False)
    title = f"{estimate.title}, mapping {estimate.cost.mapping}"
    axis.set_title(title, fontsize=10, loc="left", parse_math=False)  # a file may have $ in its name
    figure.legend(fontsize=8, ncols=min(len(layers), 8), loc="outside lower center", frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
