"""`search` and `open_study`: from data to a study, and back to one later."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from nas_fpga._progress import QuietDisplay, make_reporter
from nas_fpga.api._errors import said_in_python
from nas_fpga.api._study import Study
from nas_fpga.data import Dataset, read_dataset
from nas_fpga.errors import InputError
from nas_fpga.study import (
    SearchDefinition,
    SearchInterruptedError,
    SearchOptions,
    SearchRun,
    StudyStorage,
    absolute_name,
    existing_study,
    new_study,
    read_outcome,
    refuse_unknown,
)

_OF_A_TABLE = ("target", "group", "weight", "signal")
_OF_HGCAL = ("features", "pileup", "tables")
_RUN_KEYWORDS = ("data", "name", "runs", "storage", "resume", "workers", "progress")


def search(
    data: str | Path | Dataset | Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    runs: str | Path = "runs",
    storage: str | None = None,
    resume: bool = False,
    workers: int | None = None,
    progress: bool = True,
    **options: Unpack[SearchOptions],
) -> Study:
    """Search networks for a data set under a budget of neurons; blocks until the last one is trained.

    The study's folder then holds the front as a table (``front.csv``) and the report (``report.html``).

    The keywords are the options of `nas-fpga search`, with underscores: ``budget=200``, ``bits="2:8"``,
    ``max_luts=20_000``, ``sampler="random"``; ``help(nas_fpga.SearchOptions)`` lists them all with their defaults. A
    study from Python and one from the command line with the same options are the same.

    Interrupting (the notebook's stop button, Ctrl-C) saves all that ended; ``resume=True`` goes on. Scripts need no
    ``if __name__ == "__main__"``.

    Args:
        data: ``"hgcal"`` (the default), a file, a :class:`nas_fpga.Dataset`, a pandas data frame, or arrays by name,
            such as ``{"x": X, "y": y}``. Files, frames and arrays need ``target``, the column of the class. Rows that
            lie in no file are written into the study's folder.
        name: Of the study; by default made from data and budget, with ``resume`` the latest.
        runs: Folder that holds the studies.
        storage: Optuna storage URL in place of the study's own file.
        resume: Continue the study ``name`` if it is there, else start it: a cell with it can be run again. Only
            ``trials``, ``workers`` and ``progress`` may differ from what the study was started with.
        workers: Training processes, the cores by default; results do not depend on it.
        progress: Show what happens: a bar on a terminal, a line that changes in a notebook.
        **options: See :class:`nas_fpga.SearchOptions`.

    Raises:
        TypeError: An unknown keyword.
        InputError: A value cannot be used.
        StudyError: The study exists, cannot be continued as asked, or cannot be written.
        SearchFailedError: No trial gave a network within the limits.
        SearchInterruptedError: It was interrupted; the text says how to go on.
    """
    if workers is not None and not isinstance(workers, int):
        raise TypeError(f"workers={workers!r} must be an integer")
    refuse_unknown("search", options, [*_RUN_KEYWORDS, *SearchOptions.__annotations__])
    given: dict[str, Any] = dict(options)
    reporter = make_reporter() if progress else QuietDisplay()
    with said_in_python():
        dataset = _in_memory(data, given)
        if data is not None and dataset is None:
            given["data"] = str(data)
        if name is None and not resume:
            called = dataset.name if dataset is not None else str(data or "hgcal")
            folder = new_study(Path(runs), called, given.get("budget", SearchDefinition().budget))
        else:
            folder = existing_study(Path(runs), name, stored_elsewhere=storage is not None)
        with StudyStorage(folder, storage) as there:
            resume = resume and there.exists()
        run = SearchRun.prepare(folder, given, dataset=dataset, storage_url=storage, resume=resume)
        try:
            with reporter.live():
                study = Study(run.execute(n_workers=workers, reporter=reporter))
        except SearchInterruptedError as error:
            where = "" if Path(runs) == Path("runs") else f", runs='{runs}'"
            where += "" if storage is None else f", storage='{storage}'"
            again = f"nas_fpga.search(name='{folder.name}', resume=True{where})"
            raise SearchInterruptedError(f"{error}. Continue with: {again}") from None
        study.report()
        return study


def open_study(folder: str | Path, *, storage: str | None = None, data: str | Path | None = None) -> Study:
    """Open a study that was searched before, by Python or by the command line. Nothing is trained.

    Args:
        folder: ``runs/NAME``.
        storage: Optuna storage URL, where it was searched with one.
        data: Where the study's data file lies now, if it was moved.

    Raises:
        StudyError: There is no study, or it or a checkpoint cannot be read.
        InputError: The data are not where they were.
        SearchFailedError: No trained network fits the limits.
    """
    folder = Path(folder)
    if folder.name in ("", ".."):  # a study is called like its folder
        folder = folder.resolve()
    with said_in_python():
        outcome = read_outcome(folder, storage, data=None if data is None else absolute_name(str(data)))
    return Study(outcome)


def _in_memory(data: Any, options: dict[str, Any]) -> Dataset | None:
    """Return rows that lie in no file as a data set; takes the names of their columns out of the options."""
    if data is None or isinstance(data, (str, Path)):
        return None
    if not (isinstance(data, (Dataset, Mapping)) or hasattr(data, "columns")):
        raise InputError(
            f"data is a {type(data).__name__}; give 'hgcal', a file, a Dataset, a data frame, or arrays by name, such "
            "as {'x': X, 'y': y} with target='y'"
        )
    what, its_own = ("a Dataset", _OF_HGCAL + _OF_A_TABLE) if isinstance(data, Dataset) else ("a table", _OF_HGCAL)
    wrong = [name for name in its_own if options.get(name) is not None]
    if wrong:
        raise InputError(f"{wrong[0]}={options[wrong[0]]!r} is not for {what}, which has its own; leave it out")
    if isinstance(data, Dataset):
        return data
    given = {name: value for name in _OF_A_TABLE if (value := options.pop(name, None)) is not None}
    if "target" not in given:
        raise InputError("data in memory needs target='COLUMN': the column that holds the class")
    return read_dataset(data, **given)
