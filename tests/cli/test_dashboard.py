"""Optuna's page of a study, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from nas_fpga.study import Outcome, Setup, StudyStorage, TrialRecord
from nas_fpga.study._definition import HardwareTarget
from tests.cli.conftest import run, spawn
from tests.study.conftest import make_setup
from tests.study.records import complete, failed, waiting


@pytest.fixture(scope="module")
def setup() -> Setup:
    return make_setup(hardware=HardwareTarget(max_luts=200.0))


@pytest.fixture(scope="module")
def records(setup: Setup) -> list[TrialRecord]:
    """Two complete trials, one within the limits and one not; one that failed, one that waits."""
    small = complete(replace(waiting(0), candidate=replace(waiting(0).candidate, topology=(1,))), setup)
    return [small, complete(waiting(1), setup), failed(waiting(2)), waiting(3)]


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, setup: Setup, records: list[TrialRecord]
) -> Iterator[tuple[StudyStorage, str, subprocess.Popen[str]]]:
    """A study that is being searched, with its page: the open study, the page's address and its process."""
    folder = tmp_path_factory.mktemp("dashboard")
    with StudyStorage(folder / "runs" / "shown") as storage:
        storage.create(setup.definition, (setup.merit_name, setup.resource_name))
        storage.add([replace(record, state="waiting", outcome=Outcome()) for record in records])
        for record in records[:3]:
            storage.end(record, setup.target)
        process = spawn(folder, "dashboard", "--study", "shown", "--port", "0")
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"^Study shown: (http://127\.0\.0\.1:\d+)/dashboard/studies/1 ", line)
        assert found, line
        yield storage, found[1], process
        if process.poll() is None:
            process.kill()
        process.communicate()


def trial_pages(browser: Browser, address: str, numbers: list[int]) -> list[str]:
    """Return the text of the pages of trials, as a browser shows it; the console must hold no error."""
    errors: list[str] = []
    texts = []
    with browser.new_page() as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        for number in numbers:
            page.goto(f"{address}/dashboard/studies/1/trials?numbers={number}")
            page.get_by_text(f"Trial {number} (trial_id=").wait_for(timeout=30_000)
            page.get_by_text("User Attributes").first.wait_for(timeout=30_000)
            texts.append(page.inner_text("body"))
    assert errors == []
    return texts


def test_browser_shows_trials_with_their_figures(
    browser: Browser, running, records: list[TrialRecord], setup: Setup
) -> None:
    storage, address, _ = running
    inside, outside, broken = trial_pages(browser, address, [0, 1, 2])
    assert "4 Trials" in inside
    figures = records[0].primary(setup.target)
    assert figures is not None
    lines = inside.splitlines()
    for line in (
        "topology 1",
        "bit widths w4a6",
        "mapping da",
        "copies 1",
        "limits kept",
        f"LUT {round(figures.mapped.figures.lut.value)}",
        f"latency ns {figures.mapped.figures.latency_ns.value}",
        f"validation background efficiency at 95 % signal {round(figures.error, 5)}",
        "duration s 1.25",
    ):
        assert line in lines, (line, inside)
    assert "Best Trial" in inside
    assert inside.count("Best Trial") == outside.count("Best Trial") + 1 == 2  # in the list, and on the page of its own
    assert re.search(r"^limits [\d,]+ LUT, limit 200$", outside, re.MULTILINE)
    assert "cause the loss became nan" in broken.splitlines()
    for text in (inside, outside, broken):
        assert "{" not in text  # what only nas-fpga reads is not in the way
    storage.end(complete(waiting(3), setup), setup.target)  # the search goes on meanwhile


def api(address: str, path: str, method: str = "GET") -> dict[str, object]:
    with urllib.request.urlopen(urllib.request.Request(f"{address}/api{path}", method=method), timeout=30) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def test_page_names_the_objectives_and_knows_what_is_infeasible(running) -> None:
    study = api(running[1], "/studies/1")
    assert study["objective_names"] == ["background efficiency at 95 % signal", "largest share of the limits"]
    trials = study["trials"]
    assert isinstance(trials, list)
    (inside,), (outside,) = trials[0]["constraints"], trials[1]["constraints"]
    assert inside <= 0 < outside


def test_page_cannot_change_the_study(running) -> None:
    storage, address, _ = running
    with pytest.raises(urllib.error.HTTPError, match="403"):
        api(address, "/studies/1", method="DELETE")
    assert len(storage.trials()) == 4


def test_taken_port_and_unknown_study_are_one_line(running) -> None:
    storage, address, _ = running
    folder = storage.folder.parents[1]
    port = address.rpartition(":")[2]
    taken = run(folder, "dashboard", "--study", "shown", "--port", port)
    assert (taken.code, taken.out) == (2, "")
    assert taken.err.startswith(f"error: --port {port} of --host 127.0.0.1 cannot be listened on")
    assert taken.err.count("\n") == 1
    unknown = run(folder, "dashboard", "--study", "mine")
    assert unknown.code == 2
    assert unknown.err == "error: study 'mine' is not in runs; name another with --study NAME\n"
    nowhere = run(folder, "dashboard", "--host", "no.such.host.invalid")
    assert nowhere.code == 2
    assert "--host no.such.host.invalid" in nowhere.err


def test_a_copy_under_another_name_is_shown(running, tmp_path: Path) -> None:
    storage, _, _ = running
    shutil.copytree(storage.folder, tmp_path / "runs" / "it's a copy")
    process = spawn(tmp_path, "dashboard", "--port", "0")
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line.startswith("Study it's a copy: http://127.0.0.1:")
        address = line.split()[4].partition("/dashboard")[0]
        trials = api(address, "/studies/1")["trials"]
        assert isinstance(trials, list)
        assert len(trials) == 4
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it(running) -> None:
    _, address, process = running
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))),
    ):
        pass
