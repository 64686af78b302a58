"""Every command of the README runs: searches shortened, everything else as it stands."""

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search.own_table import read_table

ROOT = Path(__file__).parents[1]


BENCHMARKS = ROOT / "benchmarks" / "search"
HALVED = ("both", "half", "all")  # all tables, each halved, judged by all trainings of a row
PEERS = (
    "gp", "optuna-gp", "bayesian-optimization", "ambs", "optuna-tpe-conditional",
    "local-search", "regularized-evolution", "cmaes", "optuna-tpe", "smac-forbidden",
    "deephyper-sampled", "smac", "optuna-nsga2-constrained", "random",
)  # fmt: skip

SHORT = {
    "compare": ["--seeds", "1", "--trials", "2", "--epochs", "2"],
    "sweep": ["--budgets", "5,10", "--trials", "2", "--epochs", "2"],
}
ONE = ["--workers", "1"]  # another one only takes longer to start
CARD = ["--max-width", "2", "--noise-points", "2", "--retrain", "2"]


def commands():
    """Return all console commands of the README, in order, those joined by && apart."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    return [part.strip() for block in blocks for line in block.splitlines() for part in line.split("&&")]


def shortened(command):
    words = [word for word in shlex.split(command) if word != "--prove"]  # minutes; tests/cli/test_prove.py does it
    if words[1] in SHORT:
        return words + ONE + SHORT[words[1]] + CARD * ("--preset" in words)  # the last of an option counts
    if words[:2] != ["nas-fpga", "search"]:
        return words
    if "--resume" in words:
        return [*words, *ONE, "--trials", "4"]
    small = ["--budget", "20"] if "learned" in words else []  # pruned by 2 epochs it is not, and compiles for long
    return [*words, *ONE, "--trials", "3", "--epochs", "2", *small]


def python_blocks():
    """Return the Python of the README: of a study, of a sampler, and of its test."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)


def write_files(folder):
    """Write the files of the README, whose names are their first lines, and return those."""
    files = {named[1]: code for code in python_blocks() if (named := re.match(r"# (\S+\.py)\n", code))}
    for name, code in files.items():
        (folder / name).write_text(code)
    return list(files)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the README's reader has: the showers, and a table of their own."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("reader")
    (folder / "datasets").symlink_to(ROOT / "datasets")
    write_files(folder)
    digits = load_digits()
    header = ",".join([*(f"pixel_{k}" for k in range(64)), "label"])
    rows = [",".join(f"{value:g}" for value in (*x, y)) for x, y in zip(digits.data, digits.target, strict=True)]
    (folder / "digits.csv").write_text("\n".join([header, *rows]) + "\n")
    train_elsewhere(digits.data, digits.target, folder / "model.keras")
    stages = [
        f"{k},resource,csynth,{9000 * k},{3000 * k}\n{k},resource,place-and-route,{5000 * k},\n" for k in range(1, 5)
    ]
    (folder / "designs.csv").write_text("design,strategy,stage,lut,ff\n" + "".join(stages))
    yield folder
    shutil.rmtree(folder)


def train_elsewhere(x, y, path):
    """A float Keras model, as one that was trained without this package."""
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(16, "relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(x, y, epochs=5, batch_size=128, verbose=0)
    model.save(path)


def look_at_the_dashboard(words, folder):
    """Start the page, ask it for its studies, and end it with Ctrl-C."""
    with subprocess.Popen(
        [sys.executable, "-m", "nas_fpga", *words[1:], "--port", "0"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            address = re.search(r"http://[\d.]+:\d+", process.stdout.readline())[0]
            with urllib.request.urlopen(f"{address}/api/studies") as answer:
                assert "first-look" in answer.read().decode()
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_the_two_first_commands_install_and_test():
    first, second, third, fourth = commands()[:4]
    assert (first, second) == ("pip install .", "nas-fpga search --budget 2000")
    assert (third, fourth) == ("pip install '.[test]'", "pytest")
    ci = (ROOT / ".ci" / "run").read_text()
    assert "pip install --quiet '.[test]'" in ci  # the continuous integration runs just these two
    assert re.search(r"^pytest\b", ci, flags=re.MULTILINE)


def table_after(words):
    """Return the cells of the first table after these words, without its heading."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(words, 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def short(figure, digits=3):
    return f"{float(figure):.{digits}f}".lstrip("0" if digits == 3 else "")


def test_the_samplers_on_trained_networks_are_those_of_the_benchmark():
    found = json.loads((BENCHMARKS / "own_table_samplers.json").read_text())["methods"]
    rows = table_after("How good they are on the 2,000 trained networks")
    assert len(rows) >= 7
    for label, *figures in rows:
        name = re.search(r"`(.+?)`", label)[1]
        of = found[name]
        expected = [of[n]["hypervolume"][0] for n in ("25", "50", "100")] + [of["100"]["test_hypervolume"][0]]
        assert figures == list(map(short, expected)), name


def test_what_trainings_of_one_network_differ_by_is_that_of_the_table():
    by_network = {}
    for row in read_table(BENCHMARKS / "hgcal.parquet"):
        by_network.setdefault(row["candidate"], []).append((row["validation_error"], row["validation_log10_error"]))
    trained = np.array([of for of in by_network.values() if len(of) == 3])  # (networks, seeds, 2)
    learned = (trained[:, :, 0] < 0.5).all(axis=1)
    errors = trained[learned, :, 1]
    within = errors.var(axis=1, ddof=1).mean()
    between = errors.mean(axis=1).var(ddof=1) - within / 3
    said = (
        f"of the {len(trained)} networks that were trained with three seeds {(~learned).sum()} learned next to nothing",
        f"among the {learned.sum()} others networks vary {between / within:.1f} times as much",
    )
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert all(words in text for words in said), said


def test_the_peers_are_those_of_the_benchmark():
    with (BENCHMARKS / "tables_ranks.csv").open(newline="") as file:
        of = {
            row["method"]: row
            for row in csv.DictReader(file)
            if (row["set"], row["budget"], row["judged_by"]) == HALVED
        }
    rows = table_after("Beside other libraries, on the tables")
    assert len(rows) == len(PEERS)
    for (label, *figures), name in zip(rows, PEERS, strict=True):
        row = of[name]
        assert name in label or "`" not in label
        assert figures == [
            " / ".join(short(row[f"rank_{n}"], 1) for n in (25, 50, 100)),
            " / ".join(short(row[f"regret_{n}"]) for n in (25, 50, 100)),
            f"{(ms := 1000 * float(row['cpu_s'])):.{int(ms < 10)}f}",
            f"{float(row['refused_%']):.0f}",
            f"{float(row['repeated_%']):.0f}",
        ], name


@pytest.mark.slow
def test_every_command_runs(folder):
    ran = [shortened(command) for command in commands() if command.startswith("nas-fpga")]
    assert len(ran) >= 8
    for words in ran:
        if words[1] == "dashboard":
            look_at_the_dashboard(words, folder)
            continue
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
        if words[1] == "verify":
            assert " 0 differing" in done.stdout


@pytest.mark.slow
def test_the_python_of_the_readme_runs(folder):
    """On the study that the commands above left."""
    code, *_ = python_blocks()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert " 0 differing" in done.stdout
    assert (folder / "front.html").stat().st_size > 1e6


def test_the_sampler_of_the_readme_keeps_the_contract(tmp_path):
    _, test, how_good = write_files(tmp_path)
    assert (test, how_good) == ("test_mine.py", "how_good.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 40
    done = subprocess.run(
        [sys.executable, how_good],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert 0.16 < float(re.search(r"hypervolume (\S+)", done.stdout)[1]) < 0.19  # 30 random searches: .166 to .185
