"""Every command of the README runs: searches shortened, everything else as it stands."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def commands():
    """Return all console commands of the README, in order, those joined by && apart."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    return [part.strip() for block in blocks for line in block.splitlines() for part in line.split("&&")]


def shortened(command):
    words = shlex.split(command)
    if words[:2] != ["nas-fpga", "search"]:
        return words
    n = "8" if "--resume" in words else "6"
    for option in ("--trials",):
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
    return [*words, "--trials", n] + ([] if "--resume" in words else ["--epochs", "2"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the README's reader has: the showers, and a table of their own."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("reader")
    (folder / "datasets").symlink_to(ROOT / "datasets")
    digits = load_digits()
    header = ",".join([*(f"pixel_{k}" for k in range(64)), "label"])
    rows = [",".join(f"{value:g}" for value in (*x, y)) for x, y in zip(digits.data, digits.target, strict=True)]
    (folder / "digits.csv").write_text("\n".join([header, *rows]) + "\n")
    yield folder
    shutil.rmtree(folder)


def test_the_two_first_commands_install_and_test():
    first, second, third, fourth = commands()[:4]
    assert (first, second) == ("pip install .", "nas-fpga search --budget 2000")
    assert (third, fourth) == ("pip install '.[test]'", "pytest")
    ci = (ROOT / ".ci" / "run").read_text()
    assert "pip install --quiet '.[test]'" in ci  # the continuous integration runs just these two
    assert re.search(r"^pytest\b", ci, flags=re.MULTILINE)


@pytest.mark.slow
def test_every_command_runs(folder):
    ran = [shortened(command) for command in commands() if command.startswith("nas-fpga")]
    assert len(ran) >= 8
    for words in ran:
        done = subprocess.run(
            [sys.executable, "-m", "nas_fpga", *words[1:]],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr[-2000:]}"
        if words[1] in ("search", "front") and "--json" not in words:
            assert "Pareto front of" in done.stdout
            assert "best:" in done.stdout


@pytest.mark.slow
def test_the_python_of_the_readme_runs(folder):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    trials = sorted((folder / "runs" / "first-look" / "trials").iterdir())  # left by the commands above
    code = code.replace("trials/00020", f"trials/{trials[-1].name}")
    check = "import numpy as np\nx = nas_fpga.load_hgcal().features[:500]\n"
    check += "assert np.array_equal(model(x), network.logits(x))"
    done = subprocess.run(
        [sys.executable, "-c", code + check],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
