"""`nas-fpga dashboard`: the study in Optuna's web page."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options


def dashboard(
    study: options.Study = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes one that is free.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is reached from other machines.")] = (
        "127.0.0.1"
    ),
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    debug: options.Debug = False,
) -> None:
    """Show a study in Optuna's dashboard: a web page with all trials, also while the search runs. Ctrl-C ends it.

    The page only reads: what it offers to change or delete is refused.
    """
    del debug
    from nas_fpga.cli._dashboard_server import dashboard_server
    from nas_fpga.study import StudyStorage

    folder = options.existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    with StudyStorage(folder, storage) as found:
        found.open(write=False)
        with dashboard_server(found, host, port) as server, contextlib.suppress(KeyboardInterrupt):
            page = f"http://{host}:{server.server_port}/dashboard/studies/{found.optuna_id}"
            typer.echo(f"Study {folder.name}: {page} (Ctrl-C ends)")
            server.serve_forever()
