"""The tutorial runs from top to bottom, and what is stored of it is a clean run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"
CELLS_WITHOUT_OUTPUT = 1  # the import


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(cell: Any) -> str:
    """Return all text that a cell has put out."""
    parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(parts)


def data_of(cell: Any, kind: str) -> Any:
    return next(output.data[kind] for output in cell.outputs if kind in output.get("data", {}))


def check(notebook: Any) -> None:
    """Assert on what a run of the tutorial has put out."""
    cells = {re.split(r"[\s(]", cell.source)[0]: cell for cell in code_cells(notebook)}
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert sum(not cell.outputs for cell in code_cells(notebook)) == CELLS_WITHOUT_OUTPUT
    by_source = {cell.source: cell for cell in code_cells(notebook)}
    searched, proven, compared = (
        next(text_of(cell) for source, cell in by_source.items() if word in source)
        for word in ("nas_fpga.search(", "verify()", "hgq_model(")
    )
    assert "8/8 trials, 1/1 polished, lowest 0." in searched
    n_points = int(re.search(r"(\d+) points? on the front", text_of(cells["study"]))[1])  # type: ignore[index]
    assert n_points >= 2
    table = data_of(cells["study"], "text/html")
    assert table.count("w") >= n_points
    assert len(re.findall(r"<tr><td[^>]*>(?:<b>)?\d+\.\d+\*?(?:</b>)?</td>", table)) == n_points  # first of their rows
    figure = data_of(cells["nas_fpga.plot_front"], "application/vnd.plotly.v1+json")
    assert max(len(trace.get("x", ())) for trace in figure["data"]) >= n_points
    assert "0 of 2,000 outputs differ" in compared
    assert re.search(r"^0 of 5,\d{3} outputs differ \(g\+\+", proven, re.MULTILINE)
    under_other_limits = text_of(cells["small"])
    assert under_other_limits.splitlines()[0].split()[:3] == ["point", "network", "mapping"]
    assert len(under_other_limits.splitlines()) >= 2


def test_what_is_stored_is_a_clean_run() -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    assert len(text) < 300_000
    assert not re.search(r"/(home|root|tmp|usr|work|Users)/", text)
    notebook = nbformat.read(TUTORIAL, 4)
    nbformat.validate(notebook)
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    check(notebook)


@pytest.mark.slow
def test_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    monkeypatch.setenv("PYTHONPATH", str(TUTORIAL.parents[1]))
    monkeypatch.delenv("KERAS_BACKEND")  # as a reader has it
    notebook = nbformat.read(TUTORIAL, 4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    check(notebook)
    assert (tmp_path / "runs" / "tutorial" / "front.csv").exists()
    assert (tmp_path / "designs" / "best" / "README.md").exists()
