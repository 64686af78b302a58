"""Every benchmark can still be imported and says how it is run."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "benchmarks").rglob("*.py")
    if not path.stem.startswith("_")
)


def run_as_command(module, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [module, *arguments])
        runpy.run_module(module, run_name="__main__")


def test_all_are_found():
    assert {"benchmarks.data.baselines", "benchmarks.search.main_job"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
def test_command_prints_its_usage(module, capsys):
    with pytest.raises(SystemExit) as exit_:
        run_as_command(module, "--help")
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("usage:")


@pytest.mark.parametrize("module", ["benchmarks.search.main_job", "benchmarks.search.own_table"])
@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
def test_missing_argument_is_refused_with_the_usage(module, capsys):
    with pytest.raises(SystemExit) as exit_:
        run_as_command(module)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage:")


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
def test_a_study_that_is_not_there_ends_in_one_line(tmp_path):
    with pytest.raises(SystemExit) as exit_:
        run_as_command("benchmarks.search.main_job", str(tmp_path / "nothing"))
    assert "'nothing' is not in" in str(exit_.value.code)
