"""`nas-fpga compare`: several methods on the same work."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._search_options import search_values, takes_search_options

_COMPARISON = "Comparison"


class Preset(StrEnum):
    """Comparisons that others made."""

    grid_vs_bo = "grid-vs-bo"


@takes_search_options(without=("sampler", "trials", "seed", "after", "polish", "verbose"))
def compare(
    ctx: typer.Context,
    samplers: Annotated[
        str | None,
        typer.Option(
            help="The methods, such as gp,random,ambs; see --sampler of nas-fpga search.  [default: gp,random; of the "
            "preset grid,bayesian-optimization,random]",
            rich_help_panel=_COMPARISON,
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Searches of each method, one for each seed.  [default: 3]",
            rich_help_panel=_COMPARISON,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help="Candidates that each search trains.  [default: 40; of the preset 100, and the whole grid]",
            rich_help_panel=_COMPARISON,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The first seed; others follow it.", rich_help_panel=_COMPARISON)] = 0,
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="grid-vs-bo, the card of Magniette, Hakimi and Sauvan: three hidden layers of up to --max-width "
            "(2000), a grid of 294 points, trained once, against 100 points of Bayesian optimisation (20 random, 80 "
            "fitted), 6 bits, budget 3 x --max-width, no hardware limits, for precision alone.",
            rich_help_panel=_COMPARISON,
        ),
    ] = None,
    retrain: Annotated[
        int | None,
        typer.Option(
            help="Train the winner of each search so often again, with other seeds.  [default: 0; of the preset 3]",
            rich_help_panel=_COMPARISON,
        ),
    ] = None,
    noise_points: Annotated[
        int | None,
        typer.Option(
            help="Points of the grid that are trained a second time: first it is said whether they differ by more than "
            "noise.  [default: 0; of the preset 30]",
            rich_help_panel=_COMPARISON,
        ),
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Of the comparison.", rich_help_panel="Study")] = None,
    runs: options.Runs = "runs",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue a comparison (the latest, or --name NAME). Only --samplers, --seeds, --trials, --workers "
            "and the display may change.",
            rich_help_panel="Study",
        ),
    ] = False,
    json: options.Json = False,
    debug: options.Debug = False,
    **given: Any,
) -> None:
    """Compare methods on the same data, space, limits and seeds.

    Every method searches once for each seed, each search a study in runs/NAME/METHOD-SEED. All share the split of the
    rows, and trials of one number and seed the seed of their training. Nothing is polished. Leaves comparison.csv,
    comparison.png and report.html in runs/NAME. Ctrl-C saves; --resume continues.
    """
    del debug  # read from the command line by main
    values = search_values(ctx)
    values |= {key: ctx.params[key] for key in ("trials", "seed") if key in options.given(ctx)}

    from nas_fpga._progress import make_reporter
    from nas_fpga.cli._comparison import print_comparison
    from nas_fpga.cli._resumable import resumable
    from nas_fpga.comparison import ComparisonRun, existing, new
    from nas_fpga.report import write_comparison

    reporter = make_reporter()
    if resume:
        folder = existing(Path(runs), name, "comparison.json")
    else:
        folder = new(Path(runs), name, "compare", given["data"])
    run = ComparisonRun.prepare(
        folder,
        values,
        samplers=None if samplers is None else [each.strip() for each in samplers.split(",")],
        seeds=seeds,
        preset=options.plain(preset),
        retrain=retrain,
        noise_points=noise_points,
        resume=resume,
    )
    with resumable("compare", folder):
        with reporter.live():
            comparison = run.execute(given["workers"], reporter)
        write_comparison(comparison, folder / "report.html")
    print_comparison(comparison, as_json=json)
