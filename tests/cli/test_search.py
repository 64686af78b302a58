"""Searches from beginning to end, with tiny settings; also interrupted, killed and starved."""

from __future__ import annotations

import csv
import json
import os
import resource
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest

from nas_fpga.study import SearchDefinition, StudyStorage, TrialRecord
from tests.cli.conftest import Ended, command, environment, run, spawn, write_table

N_TRIALS = 6
TINY = ["search", "--data", "data.csv", "--target", "label", "--budget", "30", "--epochs", "3", "--seed", "1"]
WHOLE = [*TINY, "--trials", str(N_TRIALS)]


def trials(study: Path) -> list[TrialRecord]:
    with StudyStorage(study) as storage:
        storage.open(write=False)
        return storage.trials()


def definition(study: Path) -> SearchDefinition:
    with StudyStorage(study) as storage:
        return storage.open(write=False)


def essence(study: Path) -> list[tuple[object, ...]]:
    """What must not depend on how a search went: all of its trials but how long they took."""
    return [
        (t.number, t.candidate, t.seed, t.generation, t.proposed_by, t.state, t.outcome.curve, t.outcome.points)
        for t in trials(study)
    ]


def n_ended(study: Path) -> int:
    """Count ended trials while another process writes them."""
    if not (study / "study.db").exists():
        return 0
    database = sqlite3.connect(f"file:{study / 'study.db'}?mode=ro", uri=True, timeout=30)
    try:
        return int(database.execute("select count(*) from trials where state in ('COMPLETE', 'FAIL')").fetchone()[0])
    finally:
        database.close()


def members(group: int, word: str = "") -> list[int]:
    """Return the living processes of a group whose command line holds a word."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, of_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(of_group) == group and state != "Z" and word in (entry / "cmdline").read_text():
                    found.append(int(entry.name))
            except OSError:  # ended meanwhile
                continue
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searches")
    write_table(folder / "data.csv")
    write_table(folder / "three.csv", n=450, classes=3)
    write_table(folder / "weighted.csv", weighted=True)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> tuple[Path, Ended]:
    """A search that nothing disturbed, with two workers and JSON."""
    ended = run(folder, *WHOLE, "--workers", "2", "--json", "--study", "whole")
    assert ended.code == 0, ended.err
    return folder / "runs" / "whole", ended


def test_json_is_all_that_standard_output_holds(whole: tuple[Path, Ended]) -> None:
    study, ended = whole
    result = json.loads(ended.out)
    assert result["study"] == "whole"
    assert result["trials"] == {"complete": N_TRIALS, "failed": 0}
    assert result["best"] in [row["point"] for row in result["front"]]
    assert [row["best"] for row in result["front"]].count(True) == 1
    rows = rows_of((study / "front.csv").read_text())
    assert [row["point"] for row in rows] == [row["point"] for row in result["front"]]
    assert [float(row["share"]) for row in rows] == [row["share"] for row in result["front"]]


def test_front_is_a_front_of_what_was_asked(whole: tuple[Path, Ended]) -> None:
    rows = rows_of((whole[0] / "front.csv").read_text())
    shares = [float(row["share"]) for row in rows]
    errors = [float(row["validation_background_efficiency"]) for row in rows]
    assert shares == sorted(shares)
    assert errors == sorted(errors, reverse=True)
    assert all(sum(map(int, row["topology"].split("-"))) <= 30 for row in rows)
    assert all(float(row["validation_background_efficiency_low"]) <= e for row, e in zip(rows, errors, strict=True))


def test_progress_goes_to_standard_error(whole: tuple[Path, Ended]) -> None:
    err = whole[1].err
    assert "240 / 80 / 80 rows to train, validate and test" in err
    assert f"{N_TRIALS} trials, 2 workers" in err
    assert f"{N_TRIALS}/{N_TRIALS} trials, lowest 0." in err
    assert "candidates/h" in err


@pytest.fixture(scope="module")
def one_worker(folder: Path, whole: tuple[Path, Ended]) -> tuple[Path, Ended]:
    """The same with one worker, without a name for the study."""
    ended = run(folder, *WHOLE, "--workers", "1")
    assert ended.code == 0, ended.err
    return folder / "runs" / "data-30-1", ended


def test_workers_change_nothing(whole: tuple[Path, Ended], one_worker: tuple[Path, Ended]) -> None:
    assert essence(one_worker[0]) == essence(whole[0])
    assert (one_worker[0] / "front.csv").read_bytes() == (whole[0] / "front.csv").read_bytes()


def test_table_is_printed(one_worker: tuple[Path, Ended]) -> None:
    study, ended = one_worker
    assert "Pareto front of data on xcvu13p-flga2577-2-e, 5 ns" in ended.out
    for row in rows_of((study / "front.csv").read_text()):
        widths = f"{row['topology']} w{row['weight_bits']}a{row['activation_bits']}"
        assert any(row["point"] in line and widths in line for line in ended.out.splitlines())
    assert "runs/data-30-1/front.csv" in ended.out
    assert "trials" not in ended.out


def test_shorter_search_resumed_is_the_longer_one(
    folder: Path, whole: tuple[Path, Ended], one_worker: tuple[Path, Ended]
) -> None:
    short = run(folder, *TINY, "--trials", "3", "--workers", "2")  # 3 is within a generation of 4
    assert short.code == 0, short.err
    study = folder / "runs" / "data-30-2"  # numbered after the one that is there
    assert essence(study) == essence(whole[0])[:3]
    resumed = run(folder, "search", "--resume", "--trials", str(N_TRIALS), "--workers", "1")  # the latest
    assert resumed.code == 0, resumed.err
    assert essence(study) == essence(whole[0])
    assert (study / "front.csv").read_bytes() == (whole[0] / "front.csv").read_bytes()


# -- front -------------------------------------------------------------------------------------------------------------


def test_front_again_without_training(folder: Path, whole: tuple[Path, Ended]) -> None:
    study = whole[0]
    before = (study / "study.db").read_bytes()
    program = (
        "import sys; from nas_fpga.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(sorted({'keras', 'jax', 'tensorflow'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "front", "--study", "whole", "--csv", "again.csv"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "[]\n"
    assert (folder / "again.csv").read_bytes() == (study / "front.csv").read_bytes()
    assert (study / "study.db").read_bytes() == before


def test_front_under_other_limits(folder: Path, whole: tuple[Path, Ended], monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    own = json.loads(nas_fpga(["front", "--study", "whole", "--json"]).out)["front"]
    most = max(row["lut"] * row["copies"] for row in own)
    fewer = nas_fpga(["front", "--study", "whole", "--json", "--max-luts", str(int(most) - 1)])
    assert fewer.code == 0, fewer.err
    front = json.loads(fewer.out)["front"]
    assert front
    assert all(row["lut"] * row["copies"] < most for row in front)
    slower = json.loads(nas_fpga(["front", "--study", "whole", "--json", "--part", "xcku15p", "--clock-ns", "10"]).out)
    assert {(row["part"], row["clock_ns"]) for row in slower["front"]} == {("xcku15p-ffva1760-2-e", 10.0)}
    none = nas_fpga(["front", "--study", "whole", "--max-latency-ns", "1"])
    assert none.code == 1
    assert "no trained network fits the limits" in none.err
    assert "loosen the limits" in none.err


def test_a_study_is_found_from_any_folder_and_its_data_may_move(
    folder: Path, whole: tuple[Path, Ended], tmp_path: Path, monkeypatch, nas_fpga
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(whole[0], tmp_path / "moved" / "whole")
    runs = ["--runs", "moved", "--study", "whole"]
    here = nas_fpga(["front", *runs, "--json"])
    assert here.code == 0, here.err
    (folder / "data.csv").rename(tmp_path / "elsewhere.csv")
    try:
        gone = nas_fpga(["front", *runs])
        assert gone.code == 2
        assert str(folder / "data.csv") in gone.err
        found = nas_fpga(["front", *runs, "--data", "elsewhere.csv", "--json"])
        assert found.out == here.out
        resumed = nas_fpga(["search", "--resume", *runs, "--data", "elsewhere.csv", "--json"])
        assert resumed.code == 0, resumed.err
    finally:
        (tmp_path / "elsewhere.csv").rename(folder / "data.csv")


def test_front_takes_the_latest_study(folder: Path, whole: tuple[Path, Ended], monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    locks = list((folder / "runs").glob("*/lock"))
    os.utime(whole[0] / "lock", (time.time() + 60,) * 2)
    assert len(locks) >= 1
    (folder / "runs" / "begun").mkdir()  # a start that failed: no study in it
    (folder / "runs" / "begun" / "lock").touch()
    os.utime(folder / "runs" / "begun" / "lock", (time.time() + 90,) * 2)
    assert json.loads(nas_fpga(["front", "--json"]).out)["study"] == "whole"


def test_full_device_for_the_csv(folder: Path, whole: tuple[Path, Ended], monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["front", "--study", "whole", "--csv", "/dev/full"])
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "No space left on device; make room" in ended.err


def test_reader_that_goes_away(folder: Path, whole: tuple[Path, Ended]) -> None:
    process = spawn(folder, "front", "--study", "whole")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 1


def test_lost_checkpoint(folder: Path, one_worker: tuple[Path, Ended], monkeypatch, nas_fpga) -> None:
    """The network is left out and named; the others still have their front."""
    monkeypatch.chdir(folder)
    points = [row["point"] for row in rows_of((one_worker[0] / "front.csv").read_text())]
    file = one_worker[0] / "trials" / f"{int(points[0].split('.')[0]):05d}" / "network_0.npz"
    kept = file.read_bytes()
    for content, words in ((kept[:100], "cannot be read"), (None, "is gone")):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        ended = nas_fpga(["front", "--study", "data-30-1", "--csv", "without.csv"])
        assert ended.code == 0
        (line,) = (line for line in ended.out.splitlines() if line.startswith("left out: "))
        assert line.startswith(f"left out: point {points[0]}")
        assert words in line
        assert str(file.relative_to(folder)) in line
        left = [row["point"] for row in rows_of(Path("without.csv").read_text())]
        assert points[0] not in left
        assert set(points[1:]) <= set(left)
    file.write_bytes(kept)


# -- interrupted, killed, starved --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_three_times(folder: Path, whole: tuple[Path, Ended]) -> None:
    """Twice the whole group at once, once the parent alone: its workers must end by themselves."""
    study, rng = folder / "runs" / "killed", np.random.default_rng()
    seen: list[tuple[object, ...]] = []
    arguments = [*WHOLE, "--workers", "2", "--study", "killed"]
    moments = []
    for kill in (os.killpg, os.kill, os.killpg):
        process = spawn(folder, *arguments)
        before = n_ended(study)
        wait_until(lambda: (study / "study.db").exists())
        if rng.random() < 0.7:  # else before the workers are ready
            wait_until(lambda b=before, p=process: n_ended(study) > b or p.poll() is not None)
        delay = rng.uniform(0, 1.5)
        moments.append((before, delay))
        time.sleep(delay)
        kill(process.pid, signal.SIGKILL)
        process.communicate()  # ends when the workers, which hold the pipes, have ended too
        wait_until(lambda p=process: not members(p.pid), 20)
        now = [trial for trial in essence(study) if trial[5] in ("complete", "failed")]
        assert [trial for trial in seen if trial not in now] == [], moments  # no ended trial is lost
        seen = now
        arguments = ["search", "--study", "killed", "--resume", "--workers", "2"]
    ended = run(folder, *arguments)
    assert ended.code == 0, (moments, ended.err)
    assert essence(study) == essence(whole[0]), moments
    assert (study / "front.csv").read_bytes() == (whole[0] / "front.csv").read_bytes()


def test_ctrl_c(folder: Path, whole: tuple[Path, Ended]) -> None:
    process = spawn(folder, *WHOLE, "--workers", "2", "--runs", "my runs", "--study", "stopped")
    study = folder / "my runs" / "stopped"
    wait_until(lambda: n_ended(study) >= 1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the group
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("stopped; ")
    assert {trial.state for trial in trials(study)} <= {"complete", "waiting"}
    resume = shlex.split(last.partition("Continue with: ")[2])
    assert resume[0] == "nas-fpga"
    ended = run(folder, *resume[1:])
    assert ended.code == 0, ended.err
    assert essence(study) == essence(whole[0])


def test_ctrl_c_before_the_first_trial_ended(folder: Path) -> None:
    process = spawn(folder, *TINY, "--workers", "2", "--study", "early")
    wait_until(lambda: bool(members(process.pid, "spawn_main")))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Continue with: nas-fpga search --study early --resume" in err.splitlines()[-1]


def test_disk_that_fills_up_in_the_middle(folder: Path, whole: tuple[Path, Ended]) -> None:
    room = (whole[0] / "study.db").stat().st_size - 12_000
    ended = subprocess.run(
        command(*WHOLE, "--study", "full", "--workers", "2"),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "has room" in ended.stderr.splitlines()[-1]
    study = folder / "runs" / "full"
    assert n_ended(study) < N_TRIALS
    again = run(folder, "search", "--resume", "--study", "full")
    assert again.code == 0, again.err
    assert essence(study) == essence(whole[0])


def test_worker_that_dies_fails_its_trial_and_no_other(folder: Path) -> None:
    arguments = [*TINY, "--trials", "6", "--workers", "2", "--study", "died", "--epochs", "60", "--patience", "60"]
    process = spawn(folder, *arguments)
    study = folder / "runs" / "died"
    wait_until(lambda: n_ended(study) >= 1)
    os.kill(members(process.pid, "spawn_main")[0], signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    states = [trial.state for trial in trials(study)]
    assert sorted(states) == ["complete"] * 5 + ["failed"]
    failed = trials(study)[states.index("failed")]
    assert failed.outcome.cause is not None
    assert "died with SIGKILL" in failed.outcome.cause
    assert failed.outcome.points == ()
    assert f"trial {failed.number} ({failed.candidate}) failed: the worker process died with SIGKILL" in err
    assert "1 of 6 trials failed" in out
    stored = optuna.load_study(study_name="died", storage=f"sqlite:///{study / 'study.db'}").trials[failed.number]
    assert stored.state == optuna.trial.TrialState.FAIL
    assert stored.values is None
    assert "SIGKILL" in stored.user_attrs["cause"]
    again = run(folder, "search", "--resume", "--study", "died")  # a failed trial counts: nothing is left to do
    assert again.code == 0
    assert [trial.state for trial in trials(study)] == states


def test_all_trials_fail(folder: Path) -> None:
    process = spawn(folder, *TINY, "--trials", "2", "--workers", "1", "--study", "hopeless")
    study = folder / "runs" / "hopeless"
    wait_until((study / "study.db").exists)
    while process.poll() is None:
        for pid in members(process.pid, "spawn_main"):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    assert "all 2 trials failed; the first cause: the worker process died with SIGKILL" in err.splitlines()[-1]
    assert not (study / "front.csv").exists()
    assert [trial.state for trial in trials(study)] == ["failed", "failed"]


# -- the space, the samplers, the backends, the data -------------------------------------------------------------------


def test_exhausted_space_says_so_and_ends(folder: Path) -> None:
    arguments = ["search", "--data", "data.csv", "--target", "label", "--budget", "2", "--bits", "4", "--epochs", "2"]
    ended = run(folder, *arguments, "--trials", "9", "--study", "small")
    assert ended.code == 0, ended.err
    assert "space is exhausted: no more than 3 candidates" in ended.err
    assert sorted(str(trial.candidate) for trial in trials(folder / "runs" / "small")) == [
        "1 w4a4",
        "1-1 w4a4",
        "2 w4a4",
    ]
    again = run(folder, "search", "--resume", "--study", "small")
    assert again.code == 0, again.err
    assert len(trials(folder / "runs" / "small")) == 3


def test_included_first_and_weights_and_groups_enter(folder: Path) -> None:
    arguments = ["search", "--data", "weighted.csv", "--target", "label", "--weight", "w", "--group", "event"]
    arguments += ["--include", "7-3,5 w4a7", "--sampler", "random", "--budget", "30", "--epochs", "2", "--trials", "3"]
    ended = run(folder, *arguments, "--study", "mine", KERAS_BACKEND="tensorflow")
    assert ended.code == 0, ended.err
    assert "3 features" in ended.err  # weight and group are none
    assert definition(folder / "runs" / "mine").backend == "tensorflow"
    first, second, third = trials(folder / "runs" / "mine")
    assert [str(first.candidate), str(second.candidate)] == ["7-3 w6a6", "5 w4a7"]
    assert [t.proposed_by for t in (first, second, third)] == ["included", "included", "sampler"]
    plain = ["--include", "7-3,5 w4a7", "--sampler", "random", "--budget", "30", "--epochs", "2", "--trials", "3"]
    # without weights the same rows give another figure
    cut = folder / "unweighted.csv"
    lines = (folder / "weighted.csv").read_text().splitlines()
    cut.write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
    other = run(
        folder,
        *["search", "--data", "unweighted.csv", "--target", "label", "--group", "event", *plain],
        *["--study", "plain", "--backend", "tensorflow"],
        KERAS_BACKEND="jax",
    )
    assert other.code == 0, other.err
    assert definition(folder / "runs" / "plain").backend == "tensorflow"  # the option beats the environment
    curves = [[t.outcome.curve for t in trials(folder / "runs" / name)] for name in ("mine", "plain")]
    assert curves[0] != curves[1]


def test_several_classes_from_a_grid(folder: Path) -> None:
    arguments = ["search", "--data", "three.csv", "--target", "label", "--sampler", "grid", "--grid", "4,16x8,99"]
    ended = run(
        folder, *arguments, "--budget", "30", "--bits", "6", "--epochs", "3", "--trials", "8", "--study", "three"
    )
    assert ended.code == 0, ended.err
    assert "2 of 4 points" in ended.err
    assert "2 dropped" in ended.err
    rows = rows_of((folder / "runs" / "three" / "front.csv").read_text())
    assert {trial.candidate.topology for trial in trials(folder / "runs" / "three")} == {(4, 8), (16, 8)}
    for row in rows:
        assert 0 <= float(row["validation_error_rate"]) < 2 / 3
        assert float(row["test_accuracy"]) == pytest.approx(1 - float(row["test_error_rate"]))
        assert all(0.5 < float(row[f"test_auc {name}"]) <= 1 for name in "012")
    assert "error rate" in ended.out


def test_bayesian_optimization_proposes_after_random_starts(folder: Path) -> None:
    arguments = ["search", "--data", "data.csv", "--target", "label", "--sampler", "bayesian-optimization"]
    arguments += ["--acquisition", "ei", "--budget", "10", "--max-layers", "2", "--bits", "3:6"]
    ended = run(folder, *arguments, "--epochs", "1", "--trials", "21", "--study", "classic")
    assert ended.code == 0, ended.err
    proposed = [trial.proposed_by for trial in trials(folder / "runs" / "classic")]
    assert proposed == ["random start"] * 20 + ["sampler"]
