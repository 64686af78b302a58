"""Help, and how soon it is there."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import time

import pytest

from nas_fpga import __version__
from nas_fpga.cli.compare import compare
from nas_fpga.cli.dashboard import dashboard
from nas_fpga.cli.explain import explain
from nas_fpga.cli.front import front
from nas_fpga.cli.report import report
from nas_fpga.cli.search import search
from nas_fpga.cli.sweep import sweep
from nas_fpga.space import TRAINING_PRESETS
from tests.cli.conftest import environment, run

HEAVY = {
    "numpy",
    "scipy",
    "keras",
    "jax",
    "tensorflow",
    "optuna",
    "sqlalchemy",
    "sklearn",
    "pandas",
    "pyarrow",
    "rich",
    "plotly",
    "matplotlib",
}


def test_lists_the_commands(nas_fpga) -> None:
    ended = nas_fpga(["--help"])
    assert ended.code == 0
    assert ended.err == ""
    assert re.findall(r"^  (\w+)  +\S", ended.out.partition("Commands:")[2], re.MULTILINE) == [
        "search",
        "front",
        "compare",
        "sweep",
        "explain",
        "estimate",
        "calibrate",
        "export",
        "verify",
        "report",
        "dashboard",
        "data",
    ]
    assert "nas-fpga search --budget 2000" in ended.out


def test_no_arguments_is_help(nas_fpga) -> None:
    ended = nas_fpga([])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: nas-fpga")
    assert "  search " in ended.err


def test_version(nas_fpga) -> None:
    assert nas_fpga(["--version"]).out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("search", search),
        ("front", front),
        ("explain", explain),
        ("dashboard", dashboard),
        ("report", report),
        ("compare", compare),
        ("sweep", sweep),
    ],
)
def test_every_option_is_explained(nas_fpga, monkeypatch, name, function) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = nas_fpga([name, "--help"]).out
    options = re.split(r"^  (?=-)", text.partition("Options:")[2], flags=re.MULTILINE)[1:]
    explained = {}
    for option in options:
        words = " ".join(option.split())
        head, _, rest = words.partition(" ")
        explained[head.rstrip(",")] = re.sub(r"<\S+>|\[default.*", "", rest)
    expected = {f"--{p.replace('_', '-')}" for p in inspect.signature(function).parameters if p != "ctx"}
    assert expected <= set(explained)
    for option in expected:
        assert len(explained[option].split()) >= 2, option


def _seconds_of_import(statement: str) -> float:
    lines = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    ).stderr.splitlines()
    # the cumulative microseconds of what is imported at the top level, the interpreter's own start included
    return sum(int(line.split("|")[1]) for line in lines[1:] if not line.split("|")[2].startswith("  ")) / 1e6


def test_import_takes_less_than_a_third_of_a_second() -> None:
    assert min(_seconds_of_import("import nas_fpga") for _ in range(3)) < 0.3


def test_help_takes_less_than_0_7_seconds(tmp_path) -> None:
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        assert run(tmp_path, "--help").code == 0
        durations.append(time.perf_counter() - start)
    assert min(durations) < 0.7


@pytest.mark.parametrize("statement", ["import nas_fpga", "import nas_fpga.cli"])
def test_nothing_heavy_is_imported(statement) -> None:
    program = f"import sys; {statement}; print(*sorted({HEAVY} & set(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=True
    )
    assert ended.stdout.split() == []


def test_nothing_heavy_is_imported_for_help() -> None:
    program = (
        "import sys; sys.argv = ['nas-fpga', 'search', '--help']\nfrom nas_fpga.cli import main\n"
        f"try:\n    main()\nfinally:\n    print(*sorted({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment())
    assert ended.returncode == 0
    assert ended.stderr.split() == []


def test_estimate_of_a_topology_needs_numpy_and_rich_alone() -> None:
    slow = (HEAVY | {"da4ml", "h5py", "hgq", "hls4ml", "pyosys", "wsgiref"}) - {"numpy", "rich"}
    program = (
        "import sys; sys.argv = ['nas-fpga', 'estimate', '16-64-32-32-5', '--bits', '6']\n"
        "from nas_fpga.cli import main\n"
        f"try:\n    main()\nfinally:\n    print(*sorted({slow} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment())
    assert ended.returncode == 0
    assert ended.stderr.split() == []


def test_presets_of_training_settings_are_named_with_their_sources(nas_fpga, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    text = " ".join(nas_fpga(["search", "--help"]).out.split())
    for preset in TRAINING_PRESETS:
        assert preset in text.partition("Presets:")[2].partition("--input-bits")[0]
    for source in ("L. Hennig, 'Automatic hyperparameter optimization for Graph", "C. Ouyang and D. McBride, 'Neural"):
        assert source in text
