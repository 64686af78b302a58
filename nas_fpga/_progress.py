"""Shows a search while it runs: a live line on a terminal, one that changes in a notebook, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from nas_fpga.study import Progress, TrialRecord

_PLAIN_EVERY_S = 10.0
_WIDE = 120  # columns that a bar beside the text needs


class Display:
    """Tells what happens on standard error, so that standard output holds the result alone."""

    def message(self, text: str) -> None:
        """Say something once."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        """Note progress; overridden."""

    @contextlib.contextmanager
    def live(self) -> Iterator[None]:
        """Show while the block runs."""
        yield


class QuietDisplay(Display):
    """Shows nothing."""

    def message(self, text: str) -> None:
        """Say nothing."""


class PlainDisplay(Display):
    """A line now and then, and one for every failed trial."""

    def __init__(self) -> None:
        """Start with the first update."""
        self._last = -_PLAIN_EVERY_S

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        """Write a line if the last one is long ago."""
        if ended is not None and ended.state == "failed":
            self.message(f"trial {ended.number} ({ended.candidate}) failed: {ended.outcome.cause}")
        finished = progress.n_ended == progress.n_trials and progress.n_polished == progress.n_to_polish
        if time.monotonic() - self._last >= _PLAIN_EVERY_S or finished:
            self._last = time.monotonic()
            self.message(describe(progress))


class LiveDisplay(Display):
    """A progress bar that stays on one place of the terminal."""

    def __init__(self) -> None:
        """Make the bar; shown by :meth:`live`."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = _console()
        self._wide = console.width >= _WIDE
        bar = (TextColumn("trials"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
        text = TextColumn("{task.description}")
        self._bar: RichProgress = (
            Progress(*bar, text, console=console) if self._wide else Progress(text, console=console)
        )
        self._task: TaskID | None = None

    def message(self, text: str) -> None:
        """Say something above the bar."""
        self._bar.console.print(text, highlight=False, markup=False)

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        """Move the bar."""
        if ended is not None and ended.state == "failed":
            self.message(f"trial {ended.number} ({ended.candidate}) failed: {ended.outcome.cause}")
        if self._task is None:
            self._task = self._bar.add_task("")
        self._bar.update(
            self._task,
            total=progress.n_trials,  # which changes: a space may have fewer, a comparison trains winners again
            completed=progress.n_ended,
            description=describe(progress, counts=not self._wide),
        )

    @contextlib.contextmanager
    def live(self) -> Iterator[None]:
        """Show the bar while the block runs."""
        with self._bar:
            yield


class NotebookDisplay(Display):
    """One output of a notebook's cell, rewritten in place; what was said once stays above the line that changes."""

    def __init__(self) -> None:
        """Start with nothing said; shown by :meth:`live`."""
        self._said: list[str] = []
        self._line = ""
        self._handle: Any = None

    def message(self, text: str) -> None:
        """Say something above the line."""
        self._said.append(text)
        self._show()

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        """Rewrite the line."""
        if ended is not None and ended.state == "failed":
            self._said.append(f"trial {ended.number} ({ended.candidate}) failed: {ended.outcome.cause}")
        self._line = describe(progress)
        self._show()

    def _show(self) -> None:
        from IPython.display import display

        content = {"text/plain": "\n".join(filter(None, [*self._said, self._line]))}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(content, raw=True)


def describe(progress: Progress, *, counts: bool = True) -> str:
    """Return one line: trials, best, hypervolume, rate, time left."""
    parts = [f"{progress.n_ended}/{progress.n_trials} trials"] if counts else []
    if progress.n_failed:
        parts.append(f"{progress.n_failed} failed")
    if progress.n_to_polish:
        parts.append(f"{progress.n_polished}/{progress.n_to_polish} polished")
    if progress.best is not None:
        parts.append(f"lowest {progress.best.error:.4f} ({progress.best.name})")
        parts.append(f"hypervolume {max(0.0, progress.hypervolume):.4f}")
    at_last_polishing = progress.n_ended == progress.n_trials and progress.n_to_polish > 0
    if progress.candidates_per_hour is not None and not at_last_polishing:
        parts.append(f"{progress.candidates_per_hour:,.0f} candidates/h")
    if progress.remaining_s is not None:
        minutes, seconds = divmod(int(progress.remaining_s), 60)
        parts.append(f"{minutes}:{seconds:02d} left")
    return ", ".join(parts) or "workers are starting"


def make_reporter() -> Display:
    """Return the display that fits where this process is looked at."""
    if _in_notebook():
        return NotebookDisplay()
    return LiveDisplay() if sys.stderr.isatty() else PlainDisplay()


def _in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this process; a terminal's IPython has none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True)
