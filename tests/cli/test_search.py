"""Searches from beginning to end, with tiny settings; also interrupted, killed and starved."""

from __future__ import annotations

import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pytest

from tests.cli.conftest import Ended, command, environment, run, spawn, write_table
from tests.cli.studies import essence, members, n_ended, n_running, rows_of, trials, wait_until

N_TRIALS = 6
TINY = ["search", "--data", "data.csv", "--target", "label", "--budget", "30", "--epochs", "3", "--seed", "1"]
WHOLE = [*TINY, "--trials", str(N_TRIALS)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searches")
    write_table(folder / "data.csv")
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
    named = "All figures: runs/whole/front.csv\n"
    assert named in nas_fpga(["front", "--study", "whole"]).out
    assert named not in nas_fpga(["front", "--study", "whole", "--max-luts", str(int(most) - 1)]).out
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
    for kill, longest in ((os.killpg, 0.0), (os.kill, 1.5), (os.killpg, 1.5)):
        process = spawn(folder, *arguments)
        before = n_ended(study)
        wait_until(lambda: (study / "study.db").exists())
        if rng.random() < 0.7:  # else before the workers are ready
            wait_until(lambda b=before, p=process: n_ended(study) > b or p.poll() is not None)
        delay = rng.uniform(0, longest)
        moments.append((before, delay))
        time.sleep(delay)
        if process.poll() is None:  # a fast machine may have ended by then, but not the first time
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
    # Each trial in a pack of its own, and so long that the worker still has the second in its hands when it is killed.
    alone = ["--workers", "1", "--generation", "1", "--epochs", "2000", "--patience", "2000"]
    process = spawn(folder, *TINY, *alone, "--trials", "4", "--study", "died")
    study = folder / "runs" / "died"
    wait_until(lambda: n_ended(study) == 1 and n_running(study) == 1)
    os.kill(members(process.pid, "spawn_main")[0], signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    states = [trial.state for trial in trials(study)]
    assert states == ["complete", "failed", "complete", "complete"]
    failed = trials(study)[1]
    assert failed.outcome.cause is not None
    assert "died with SIGKILL" in failed.outcome.cause
    assert failed.outcome.points == ()
    assert f"trial {failed.number} ({failed.candidate}) failed: the worker process died with SIGKILL" in err
    assert "1 of 4 trials failed" in out
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
