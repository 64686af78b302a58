"""What mattered among the candidates of a table: here of one that is made up, more neurons being better."""

import json
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from benchmarks.search import explain_table
from nas_fpga.space import MLPSpace


@pytest.fixture
def table(tmp_path):
    space = MLPSpace(13, 1, 200)
    rng = np.random.default_rng(0)
    rows = [
        {
            "candidate": str(candidate),
            "state": "complete",
            "validation_error": 0.9 if i < 5 else 0.1,
            "validation_log10_error": -np.log10(candidate.n_neurons) + 0.02 * rng.normal(),
            "share": 1e-5 * candidate.n_neurons,
        }
        for i, candidate in enumerate(space.candidates(space.sample(rng, 60)))
    ]
    rows.append({"candidate": "4-4 w6a6", "state": "failed"})
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "made.parquet")
    return tmp_path / "made.parquet"


def test_writes_figures_with_where_they_come_from(table, tmp_path, monkeypatch, capsys):
    arguments = ["hgcal", "--table", str(table), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["explain_table", *arguments])
    explain_table.main()
    record = json.loads((tmp_path / "out" / "explain_table_hgcal.json").read_text())
    assert {"commit", "versions", "seed"} <= record.keys()
    for which, n in (("all", 60), ("learned", 55)):  # the failed training is left out
        error = record[which]["explanations"][0]
        assert error["target"] == "log10 pion efficiency at 95 % electron"
        assert error["quality"]["trainings"] == n
        assert error["importances"][0]["group"] == "total neurons"
    assert (tmp_path / "out" / "explain_table_hgcal.png").exists()
    assert (tmp_path / "out" / "explain_table_hgcal.csv").read_text().startswith("target,")
    assert "log10 pion efficiency at 95 % electron: R2 0." in capsys.readouterr().out


def test_a_table_that_is_not_there_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["explain_table", "jets", "--table", str(tmp_path / "none.parquet")])
    with pytest.raises(SystemExit):
        explain_table.main()
    assert "none.parquet is not there" in capsys.readouterr().err
