"""Writes the report's files, and the front as an interactive figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nas_fpga._files import in_one_step, write_whole
from nas_fpga.report._explain_png import save_png as save_findings
from nas_fpga.report._front_data import gather_front
from nas_fpga.report._front_figures import front_figure
from nas_fpga.report._gather import gather
from nas_fpga.report._page import page
from nas_fpga.report._png import save_png
from nas_fpga.report._theme import LIGHT, resolve

if TYPE_CHECKING:
    import plotly.graph_objects

    from nas_fpga.explanation import Findings
    from nas_fpga.study import StudyOutcome


def write(outcome: StudyOutcome, path: Path) -> None:
    """See :func:`nas_fpga.report.write_report`."""
    data = gather(outcome)
    text = page(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    in_one_step(path.with_name("front.png"), lambda file: save_png(data.front, file))
    is_poorer = outcome.lost and path.parent.resolve() == outcome.folder.resolve()
    if not is_poorer:  # the study's own front.csv still has the points whose checkpoints are lost
        write_whole(path.with_name("front.csv"), data.csv)
    write_whole(path, text)


def write_findings(findings: Findings, folder: Path) -> tuple[Path, ...]:
    """See :func:`nas_fpga.report.write_findings`."""
    folder.mkdir(parents=True, exist_ok=True)
    picture, table = folder / "explain.png", folder / "explain.csv"
    if any(of.importances for of in findings.explanations):
        in_one_step(picture, lambda file: save_findings(findings, file))
    else:
        picture.unlink(missing_ok=True)  # of fewer trials: it would contradict what is said now
    write_whole(table, findings.csv())
    return tuple(path for path in (picture, table) if path.exists())


def interactive_front(outcome: StudyOutcome) -> plotly.graph_objects.Figure:
    """See :func:`nas_fpga.report.plot_front`."""
    import plotly.graph_objects as go

    figure = front_figure(gather_front(outcome))
    data, layout = figure.shown()
    buttons = [
        {
            "label": view.label,
            "method": "update",
            "args": [
                {key: [trace[key] for trace in view.traces] for key in ("x", "visible")},
                resolve(dict(view.layout), LIGHT),
            ],
        }
        for view in figure.views
    ]
    menu = {"type": "buttons", "direction": "right", "buttons": buttons, "x": 1, "xanchor": "right", "y": 1.02,
            "yanchor": "bottom", "showactive": True}  # fmt: skip
    layout["margin"] = {"l": 8, "r": 12, "t": 70, "b": 8}
    layout["legend"] = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}
    return go.Figure(resolve(data, LIGHT), resolve({**layout, "updatemenus": [menu]}, LIGHT))
