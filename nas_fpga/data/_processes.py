"""Work in parallel, every task in a new process: what dies or is interrupted takes nothing else with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

Task = TypeVar("Task")

_KILLED_WITHIN_S = 10.0
"""How long a process that was killed may take to end before it is left to itself."""


def in_processes(work: Callable[[Task], None], tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, str]]:
    """Run ``work(task)`` for every task and yield each as it ends, with how it failed, or an empty text.

    Leaving the loop, whatever the reason, ends all processes at once; so does the end of this process.

    Args:
        work: A function of a module; it and the tasks are pickled.
        tasks: In the order in which they start.
        workers: Processes at the same time.
    """
    waiting, running = list(tasks), dict[int, tuple[BaseProcess, Task]]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                task = waiting.pop(0)
                process = _start(work, task)
                running[process.sentinel] = (process, task)
            for sentinel in wait(list(running)):
                process, task = running.pop(sentinel)  # type: ignore[arg-type]
                process.join()
                yield task, _failure(process.exitcode or 0)
    finally:
        for process, _ in running.values():
            process.kill()
        for process, _ in running.values():
            process.join(_KILLED_WITHIN_S)


def _start(work: Callable[[Task], None], task: Task) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(work, task), daemon=True)
    # Blocked signals stay so in the child from its first moment on, so that Ctrl-C reaches the parent alone; starting
    # the resource tracker unblocks them, so that is done before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _run(work: Callable[[Task], None], task: Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work(task)


def _end_with_parent() -> None:
    """End this process soon after its parent ended, however that was: a run that is started again needs the cores."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _failure(exit_code: int) -> str:
    if exit_code == -signal.SIGKILL:
        return "died with SIGKILL (out of memory is the usual reason)"
    if exit_code < 0:
        return f"died with {signal.Signals(-exit_code).name}"
    return f"ended with code {exit_code}" if exit_code else ""
