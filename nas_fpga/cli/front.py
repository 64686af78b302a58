"""`nas-fpga front`: the front of a study, under its own limits or others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import tell


def front(
    ctx: typer.Context,
    study: options.Study = None,
    part: options.Part = None,
    clock_ns: options.ClockNs = None,
    rate_mhz: options.RateMhz = None,
    region: options.Region = None,
    max_luts: options.MaxLuts = None,
    max_ffs: options.MaxFfs = None,
    max_dsps: options.MaxDsps = None,
    max_brams: options.MaxBrams = None,
    max_latency_ns: options.MaxLatencyNs = None,
    beside: options.Beside = None,
    fill: options.Fill = "80%",
    objective: options.ObjectiveOption = None,
    rank_stage: options.RankStageOption = None,
    calibration: options.CalibrationOption = None,
    data: Annotated[str | None, typer.Option(help="Where the study's data file lies now, if it was moved.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the front to this CSV file.")] = None,
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    prove: options.Prove = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Print the Pareto front of a study, mapped anew under the limits given. Nothing is trained.

    Limits that are not given are those of the study. Without --study the latest one is meant.
    """
    del debug, fill  # read from the context
    from nas_fpga.cli._output import print_outcome
    from nas_fpga.cli._proof import print_proofs, proven
    from nas_fpga.study import StudyStorage, read_outcome

    folder = options.existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    of_study = {}
    if beside is not None:
        with StudyStorage(folder, storage) as stored:
            of_study = vars(stored.open(write=False).hardware)
    values = options.hardware(ctx, of_study)
    outcome = read_outcome(folder, storage, values, data=data and options.absolute(data), message=tell)
    print_outcome(outcome, as_json=json, proofs=proven(outcome) if prove and json else ())
    if csv is not None:
        csv.write_text(outcome.csv(), encoding="utf-8")
    if prove and not json:
        print_proofs(proven(outcome))
