"""Worker processes on this machine, one core and one thread each."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Protocol

from threadpoolctl import threadpool_limits

from nas_fpga._interrupt import noted_interrupt
from nas_fpga.errors import NasFpgaError
from nas_fpga.training import Trainer, TrainingFailure, TrainingJob, TrainingResult

_MAX_STARTS_IN_VAIN = 3  # in a row, of workers that never say a word: the fourth will not do better

# One thread a worker: results then do not depend on how many workers or cores there are, and two pinned processes train
# faster than one with two threads.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}


class TrainerFactory(Protocol):
    """Makes the trainer inside a worker.

    Is pickled, so it should be small, hold no framework objects, and be of a module that workers can import.
    """

    def __call__(self) -> Trainer:
        """Return the trainer."""


@dataclass
class _Worker:
    """A process, and what it was given.

    Attributes:
        process: Which trains.
        connection: To it.
        pending: Jobs in its hands.
        alone: Jobs that it gets one by one when it has none in its hands: their pack died with another worker.
        since: When it was given the pack or last answered.
        has_spoken: Whether it has said anything: that it has made its trainer, then what it trained.
    """

    process: BaseProcess
    connection: Connection
    pending: tuple[TrainingJob, ...] = ()
    alone: tuple[TrainingJob, ...] = ()
    since: float = 0.0
    has_spoken: bool = False

    def give(self, pack: Sequence[TrainingJob]) -> None:
        """Put a pack into its hands.

        Raises:
            OSError: It is dead.
        """
        self.connection.send(tuple(pack))
        self.pending, self.since = tuple(pack), time.perf_counter()


class LocalWorkers:
    """Trains packs of jobs in worker processes; a worker that dies is replaced.

    Which job of a pack killed its worker cannot be known: the jobs that had not ended are trained again one by one, and
    the one that kills its worker alone has failed. So what becomes of a job does not depend on its pack.

    Use as a context manager; leaving it ends the workers. Each starts when there is a pack that no other can take: of
    many cores a search of few trials at once needs but some.

    Args:
        factory: Makes the trainer in each worker.
        n_workers: How many processes at most. Results do not depend on it.
        backend: The Keras backend of the workers, ``jax`` or ``tensorflow``.
    """

    def __init__(self, factory: TrainerFactory, n_workers: int, backend: str) -> None:
        """See the class."""
        self._factory, self._n_workers, self._backend = factory, n_workers, backend
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._starts_in_vain = 0

    def __enter__(self) -> LocalWorkers:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers at once; what they had in hand is not finished."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers.clear()

    @property
    def n_idle(self) -> int:
        """Workers without a pack, those among them that have not been started."""
        return self._n_workers - self.n_busy

    @property
    def n_busy(self) -> int:
        """Workers with a pack."""
        return sum(bool(worker.pending) for worker in self._workers)

    def submit(self, pack: Sequence[TrainingJob]) -> None:
        """Hand a pack to an idle worker. There must be one."""
        assert self.n_idle > 0
        index = next((i for i, worker in enumerate(self._workers) if not worker.pending), len(self._workers))
        if index == len(self._workers):
            self._workers.append(self._start(index))
        try:
            self._workers[index].give(pack)
        except OSError:  # it died while it was idle: no fault of this pack
            self._workers[index] = self._replace(self._workers[index], index)
            self._workers[index].give(pack)

    def results(self, timeout_s: float) -> Iterator[TrainingResult | TrainingFailure]:
        """Yield what has ended, waiting at most ``timeout_s`` for the first; nothing if nothing ended.

        Raises:
            NasFpgaError: Workers cannot start at all (a trainer that cannot be made, say).
        """
        busy = {worker.connection: i for i, worker in enumerate(self._workers) if worker.pending}
        for connection in wait(list(busy), timeout_s):
            index = busy[connection]  # type: ignore[index]
            worker = self._workers[index]
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                yield from self._bury(worker, index)
                continue
            if isinstance(message, str):
                raise NasFpgaError(message)
            self._starts_in_vain, worker.has_spoken = 0, True
            if message is None:  # it has made its trainer
                continue
            worker.since = time.perf_counter()
            worker.pending = tuple(job for job in worker.pending if job.number != message.job.number)
            try:
                self._give_next(worker)
            except OSError:  # it died just after it answered, with nothing in its hands: nothing fails
                self._bury(worker, index)
            yield message

    def _give_next(self, worker: _Worker) -> None:
        """Give a worker that has nothing in its hands the next of the jobs that are trained alone.

        Raises:
            OSError: It is dead; the job is still to be given.
        """
        if worker.alone and not worker.pending:
            job, *rest = worker.alone
            worker.give([job])
            worker.alone = tuple(rest)

    def _bury(self, worker: _Worker, index: int) -> list[TrainingFailure]:
        """Start another worker for a dead one; return the failure of its job if it had but one in its hands."""
        worker.process.join()
        code = worker.process.exitcode or 0
        cause = f"the worker process died with {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"
        if code == -signal.SIGKILL:
            cause += " (out of memory is the usual reason)"
        self._starts_in_vain += not worker.has_spoken
        if self._starts_in_vain >= _MAX_STARTS_IN_VAIN:
            raise NasFpgaError(f"workers cannot run: {cause}")
        failed = worker.pending if len(worker.pending) == 1 else ()
        again = worker.alone if failed else worker.pending + worker.alone
        failures = [TrainingFailure(job, cause, time.perf_counter() - worker.since) for job in failed]
        heir = self._workers[index] = self._replace(worker, index)
        heir.alone = again
        try:
            self._give_next(heir)
        except OSError:  # dead already; there are but so many starts in vain
            failures += self._bury(heir, index)
        return failures

    def _replace(self, worker: _Worker, index: int) -> _Worker:
        worker.connection.close()
        return self._start(index)

    def _start(self, index: int) -> _Worker:
        ours, theirs = self._context.Pipe()
        environment = {**_ONE_THREAD, "KERAS_BACKEND": self._backend}
        if "XLA_FLAGS" in os.environ:
            environment["XLA_FLAGS"] += " " + os.environ["XLA_FLAGS"]
        process = self._context.Process(target=_work, args=(theirs, self._factory, index, environment), daemon=True)
        # Ctrl-C is the parent's to handle. A signal that is blocked stays so in the child, from its first moment on;
        # starting the resource tracker unblocks it, so that is done before. Another thread of ours may get it all the
        # same: it is noted, as a child that is started half complains, and comes when it is started.
        resource_tracker.ensure_running()
        with noted_interrupt() as interrupt:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                with _nothing_to_import_again():
                    process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        if interrupt.is_set():
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                process.kill()
                process.join()
                ours.close()
                raise
        return _Worker(process, ours)


@contextlib.contextmanager
def _nothing_to_import_again() -> Iterator[None]:
    """Start processes that do not run the caller's script again, whether or not it guards its main part.

    A spawned process imports what its parent ran as ``__main__``, for the sake of classes defined there. Workers need
    none of it, and a script that searches without ``if __name__ == "__main__"`` would search again in each of them.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _end_with_parent() -> None:
    """End this process, in the middle of a training too, as soon as its parent is gone, however that ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(connection: Connection, factory: TrainerFactory, index: int, environment: dict[str, str]) -> None:
    """Run in the worker process: make the trainer, then train packs until the other side goes away."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        # From an offset of the parent's own, so that two searches of one worker each do not share a core.
        os.sched_setaffinity(0, {cores[(index + os.getppid()) % len(cores)]})
    threadpool_limits(1)  # numpy came with this module, before the environment was set
    try:
        trainer = factory()
    except Exception as error:  # the parent raises it as one line
        traceback.print_exc()
        reason = " ".join(str(error).split())
        connection.send(f"a worker could not start: {type(error).__name__}: {reason}")
        return
    connection.send(None)
    while True:
        try:
            pack = connection.recv()
        except EOFError:
            return
        for result in trainer.train(pack):
            connection.send(result)
