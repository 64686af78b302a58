"""Tables of comparisons on terminals of any width."""

from __future__ import annotations

import re

import pytest

from nas_fpga.cli._comparison import print_table

METHODS = ("grid", "bayesian-optimization", "random", "gp", "ambs", "tpe")
ROWS = [
    {
        "method": name,
        "trials": f"{100 + i}",
        "error [quartiles]": f"0.071{i} [0.0700, 0.0725]",
        "hypervolume [quartiles]": f"0.251{i} [0.2500, 0.2525]",
        "training": f"12{i} min",
    }
    for i, name in enumerate(METHODS)
]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Print a table on a terminal of some columns, None for a file; return its lines."""

    def call(rows: list[dict[str, str]], columns: int | None, text: tuple[str, ...] = ("method",)) -> list[str]:
        if columns is not None:
            monkeypatch.setenv("FORCE_COLOR", "1")
            monkeypatch.setenv("COLUMNS", str(columns))
        print_table(rows, text)
        return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()

    return call


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
def test_no_number_is_cut(printed, columns: int) -> None:
    lines = printed(ROWS, columns)
    assert max(map(len, lines)) <= columns
    assert "…" not in "".join(lines)
    for row in ROWS:
        mine = [line for line in lines if line.split()[:1] == [row["method"]]]
        for text in row.values():
            assert any(text in line for line in mine), text


def test_parts_repeat_the_first_column_and_nothing_else(printed) -> None:
    heads = [line.split() for line in printed(ROWS, 60) if line.strip().startswith("method")]
    assert heads == [
        ["method", "trials", "error", "[quartiles]"],
        ["method", "hypervolume", "[quartiles]", "training"],
    ]


def test_the_default_comparison_is_one_table_at_80_columns(printed) -> None:
    heads = [line for line in printed(ROWS[3:4], 80) if line.strip().startswith("method")]
    assert len(heads) == 1


def test_in_a_file_nothing_is_parted(printed) -> None:
    lines = printed([{"reaches": "gp"} | {f"method-{i}": "100" for i in range(40)}], None, ("reaches",))
    assert sum("reaches" in line for line in lines) == 1
    assert max(map(len, lines)) > 200


def test_long_networks_fold(printed) -> None:
    rows = [{"budget": "2,000", "network": "217-12-" * 8 + "7", "neurons used": "1,840", "found at": "2,000"}]
    lines = printed(rows, 80, ("network",))
    assert max(map(len, lines)) <= 80
    assert any("1,840" in line and "2,000" in line for line in lines)
    folded = "".join(line.split()[1 if line.split()[0] == "2,000" else 0] for line in lines[3:] if line.strip())
    assert folded == rows[0]["network"]
