"""Studies to report: two real searches with the command line, a scripted one, and a browser to look with."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from nas_fpga.study import Search, SearchInterruptedError, StudyOutcome, StudyStorage, read_outcome, summarise
from tests.cli.conftest import run, spawn, write_table
from tests.cli.studies import members, n_ended, wait_until
from tests.comparison.conftest import card, compare, reporter, swept
from tests.study.conftest import ScriptedWorkers, Silent, make_setup

__all__ = ["card", "compare", "reporter", "swept"]  # fixtures of comparisons, for the tests here too

NASTY_CLASSES = ("<b>bold</b>", "\"quoted\" & %{x} '$1' </script><script>alert(1)</script>", "@blue")
NASTY_COLUMN = "<img src=x onerror=alert(1)>"
_TINY = ["search", "--target", "label", "--budget", "30", "--seed", "1"]


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of two classes in which a worker was killed, so that a trial failed."""
    folder = tmp_path_factory.mktemp("two")
    write_table(folder / "data.csv")
    arguments = ["--data", "data.csv", "--trials", "5", "--workers", "1", "--epochs", "25"]
    process = spawn(folder, *_TINY, *arguments, "--study", "failing")
    study = folder / "runs" / "failing"
    wait_until(lambda: n_ended(study) >= 1)
    os.kill(members(process.pid, "spawn_main")[0], signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert f"Report: {Path('runs/failing/report.html')}" in out
    return study


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of three classes whose names, like those of the columns, would break a careless page."""
    folder = tmp_path_factory.mktemp("three")
    with write_table(folder / "plain.csv", n=450, classes=3).open() as file:
        _, *rows = csv.reader(file)
    with (folder / "<i>three & more.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([NASTY_COLUMN, "b, 'c'", "c", "label"])
        writer.writerows([*row[:3], NASTY_CLASSES[int(row[3])]] for row in rows)
    arguments = ["--data", "<i>three & more.csv", "--trials", "4", "--workers", "1", "--epochs", "3"]
    ended = run(folder, *_TINY, *arguments, "--study", "<u>three")
    assert ended.code == 0, ended.err
    return folder / "runs" / "<u>three"


@pytest.fixture(scope="session")
def two_outcome(two_classes: Path) -> StudyOutcome:
    return read_outcome(two_classes)


def scripted(
    folder: Path, n_trials: int, failing: Sequence[int] = (), stop_after: int | None = None, **definition: object
) -> StudyOutcome:
    """Return the outcome of a search without training; see `tests.study.conftest`."""
    setup = make_setup(**definition)
    workers = ScriptedWorkers(setup, 1, lambda n: 0, failing)
    workers.stop_after = stop_after
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        storage.set_n_trials(n_trials)
        try:
            Search(setup, storage, n_trials, Silent()).run(workers)  # type: ignore[arg-type]
        except SearchInterruptedError:
            assert stop_after is not None
        return summarise(setup, storage, storage.trials())


@dataclass
class Opened:
    """A page in the browser with all that went wrong, or that it asked the network for."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def points(self, figure: str) -> int:
        """Count the marks that a plot shows."""
        return self.page.locator(f"#plot-{figure} .scatterlayer .points path.point").count()

    def background(self, figure: str) -> str:
        """Return the colour behind a plot."""
        script = "element => getComputedStyle(element).fill || element.style.background"
        return str(
            self.page.locator(f"#plot-{figure} .bglayer rect, #plot-{figure} .main-svg rect.bg").first.evaluate(script)
        )


@pytest.fixture
def look(browser: Browser) -> Iterator[object]:
    """Open a report; whatever it complains of fails the test in the end."""
    opened: list[Opened] = []

    def open_(path: Path, width: int = 1280, **more: object) -> Opened:
        page = browser.new_context(viewport={"width": width, "height": 900}, **more).new_page()  # type: ignore[arg-type]
        it = Opened(page)
        page.on("console", lambda message: it.troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: it.troubles.append(str(error)))
        page.on("dialog", lambda dialog: (it.troubles.append(dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda request: request.url.startswith(("file:", "data:")) or it.troubles.append(request.url)
        )
        page.goto(path.absolute().as_uri())
        opened.append(it)
        return it

    yield open_
    for it in opened:
        it.page.context.close()
        assert it.troubles == []
