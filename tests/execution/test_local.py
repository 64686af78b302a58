"""Real worker processes with a small trainer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from nas_fpga._interrupt import noted_interrupt
from nas_fpga.errors import NasFpgaError
from nas_fpga.execution import LocalWorkers
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.training import LearningCurve, Trainer, TrainingFailure, TrainingJob, TrainingResult


class Arithmetic(Trainer):
    """Needs a second for candidates of 100 neurons and more; tells what it runs on in its curve."""

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        for job in jobs:
            neurons = job.candidate.n_neurons
            if neurons == 13:
                yield TrainingFailure(job, "thirteen", 0.0)
                continue
            if neurons == 66:
                raise ArithmeticError("nothing can be trained")
            if neurons == 77:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(30 if neurons == 999 else 0.0)
            backend = {"jax": 1.0, "tensorflow": 2.0}[os.environ["KERAS_BACKEND"]]
            threads = float(os.environ["OMP_NUM_THREADS"])
            cores = float(len(os.sched_getaffinity(0)))
            yield TrainingResult(job, (), LearningCurve((backend, threads, cores), (float(neurons),), os.getpid()), 0.1)
            if neurons == 88:
                os._exit(9)


@dataclass(frozen=True)
class Factory:
    error: str = ""

    def __call__(self) -> Trainer:
        if self.error == "die":
            os._exit(7)
        if self.error:
            raise ValueError(self.error)
        return Arithmetic()


def job(number: int, neurons: int) -> TrainingJob:
    return TrainingJob(number, Candidate((neurons,), BitWidths(6, 6)), seed=number)


def collect(workers: LocalWorkers, n: int, seconds: float = 60) -> dict[int, TrainingResult | TrainingFailure]:
    found: dict[int, TrainingResult | TrainingFailure] = {}
    end = time.monotonic() + seconds
    while len(found) < n:
        assert time.monotonic() < end, "waited in vain"
        for result in workers.results(0.1):
            found[result.job.number] = result
    return found


def test_packs_in_several_processes() -> None:
    with LocalWorkers(Factory(), 2, "tensorflow") as workers:
        assert (workers.n_idle, workers.n_busy) == (2, 0)
        workers.submit([job(0, 3), job(1, 13), job(2, 4)])
        workers.submit([job(3, 5)])
        assert (workers.n_idle, workers.n_busy) == (0, 2)
        found = collect(workers, 4)
        assert workers.n_idle == 2
        assert list(workers.results(0.0)) == []
    assert found[1] == TrainingFailure(job(1, 13), "thirteen", 0.0)
    pids = set()
    for number, neurons in ((0, 3), (2, 4), (3, 5)):
        result = found[number]
        assert isinstance(result, TrainingResult)
        assert result.curve.validation_loss == (neurons,)
        assert result.curve.train_loss == (2.0, 1.0, 1.0)  # TensorFlow, one thread, one core
        pids.add(result.curve.best_epoch)
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_workers_start_when_there_is_something_to_train() -> None:
    with LocalWorkers(Factory(), 100, "jax") as workers:
        assert (workers.n_idle, workers.n_busy, len(workers._workers)) == (100, 0, 0)
        for number in range(4):  # one after the other: the first trains them all
            workers.submit([job(number, 3)])
            collect(workers, 1)
        assert (workers.n_idle, len(workers._workers)) == (100, 1)
        workers.submit([job(4, 3)])
        workers.submit([job(5, 4)])
        assert (workers.n_idle, workers.n_busy, len(workers._workers)) == (98, 2, 2)
        assert set(collect(workers, 2)) == {4, 5}


def pid_of(result: TrainingResult | TrainingFailure) -> int:
    assert isinstance(result, TrainingResult)
    return result.curve.best_epoch


def test_a_job_that_kills_its_worker_fails_and_its_pack_does_not() -> None:
    """What becomes of a job does not depend on what it is packed with, first or last."""
    with LocalWorkers(Factory(), 2, "jax") as workers:
        for _ in range(2):
            workers.submit([job(0, 77), job(1, 3), job(2, 4)])
            workers.submit([job(3, 5), job(4, 77)])
            assert workers.n_idle == 0
            found = collect(workers, 5)
            assert workers.n_idle == 2
            for number in (0, 4):
                failure = found[number]
                assert isinstance(failure, TrainingFailure)
                assert failure.cause == "the worker process died with SIGKILL (out of memory is the usual reason)"
            for number in (1, 2, 3):
                assert isinstance(found[number], TrainingResult)


def test_jobs_that_kill_all_workers_at_once_fail_alone() -> None:
    """Workers that had made their trainer can run: it is the jobs that cannot."""
    with LocalWorkers(Factory(), 4, "jax") as workers:
        for number in range(4):
            workers.submit([job(number, 77)])
        found = collect(workers, 4)
        assert all(isinstance(failure, TrainingFailure) for failure in found.values())
        workers.submit([job(4, 3)])
        assert isinstance(collect(workers, 1)[4], TrainingResult)


def test_killed_worker_fails_its_job_and_the_others_go_on() -> None:
    with LocalWorkers(Factory(), 2, "jax") as workers:
        workers.submit([job(0, 3), job(1, 999)])
        first = collect(workers, 1)[0]
        workers.submit([job(3, 5)])
        other = collect(workers, 1)[3]
        os.kill(pid_of(first), signal.SIGKILL)
        lost = collect(workers, 1)
        assert set(lost) == {1}  # what had ended stays ended
        for failure in lost.values():
            assert isinstance(failure, TrainingFailure)
            assert failure.cause == "the worker process died with SIGKILL (out of memory is the usual reason)"
            assert 0 < failure.duration_s < 60
        workers.submit([job(4, 6)])
        workers.submit([job(5, 7)])
        after = collect(workers, 2)
        assert len({pid_of(result) for result in after.values()} | {pid_of(first)}) == 3
        assert pid_of(other) in {pid_of(result) for result in after.values()}


def test_worker_that_dies_idle_costs_no_trial() -> None:
    with LocalWorkers(Factory(), 1, "jax") as workers:
        workers.submit([job(0, 3)])
        pid = pid_of(collect(workers, 1)[0])
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        workers.submit([job(1, 4)])
        assert pid_of(collect(workers, 1)[1]) != pid


def test_worker_that_dies_just_after_it_answered_costs_no_trial() -> None:
    with LocalWorkers(Factory(), 1, "jax") as workers:
        workers.submit([job(0, 77), job(1, 88), job(2, 4)])  # which kill their worker, and are trained one by one
        assert isinstance(collect(workers, 1)[0], TrainingFailure)
        workers._workers[0].process.join(60)  # it has answered and died before its answer is read
        found = collect(workers, 2)
        assert workers.n_idle == 1
    assert pid_of(found[1]) != pid_of(found[2])


def test_trainer_that_raises_fails_the_job_that_it_raises_for() -> None:
    with LocalWorkers(Factory(), 1, "jax") as workers:
        workers.submit([job(0, 3), job(1, 66), job(2, 4)])
        found = collect(workers, 3)
        assert all(isinstance(found[number], TrainingResult) for number in (0, 2))
        assert getattr(found[1], "cause", None) == "the worker process died with exit code 1"


def test_trainer_that_cannot_be_made_is_one_line() -> None:
    with LocalWorkers(Factory("no such\ndata"), 1, "jax") as workers:
        workers.submit([job(0, 3)])
        with pytest.raises(NasFpgaError) as raised:
            collect(workers, 1)
    assert str(raised.value) == "a worker could not start: ValueError: no such data"


def test_workers_that_die_before_they_can_train_end_the_search() -> None:
    with LocalWorkers(Factory("die"), 1, "jax") as workers:
        workers.submit([job(0, 3), job(1, 4)])
        with pytest.raises(NasFpgaError, match=r"workers cannot run: .*exit code 7"):
            collect(workers, 2)


def test_leaving_ends_a_training_at_once() -> None:
    start = time.monotonic()
    with LocalWorkers(Factory(), 1, "jax") as workers:
        workers.submit([job(0, 3), job(1, 999)])
        pid = pid_of(collect(workers, 1)[0])
        os.kill(pid, 0)  # it lives
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert time.monotonic() - start < 30  # the sleep of candidate 999


_PARENT = """
import time
from tests.execution.test_local import Factory, LocalWorkers, collect, job, pid_of

with LocalWorkers(Factory(), 1, "jax") as workers:
    workers.submit([job(0, 3), job(1, 999)])
    print(pid_of(collect(workers, 1)[0]), flush=True)
    time.sleep(60)
"""


def test_workers_end_in_the_middle_of_a_training_when_their_parent_is_killed() -> None:
    path = os.pathsep.join(map(str, [Path(__file__).parents[2], *filter(None, [os.environ.get("PYTHONPATH")])]))
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)  # it lives
    parent.kill()
    start = time.monotonic()
    parent.stdout.read()  # ends when the worker, which holds the pipe, has ended
    assert time.monotonic() - start < 15  # half the sleep of candidate 999
    parent.wait()


def test_ctrl_c_is_the_parents(capfd: pytest.CaptureFixture[str]) -> None:
    """Also in the first moments of a worker, before it has run a line of ours."""
    with LocalWorkers(Factory(), 1, "jax") as workers:
        workers.submit([job(0, 3)])
        worker = workers._workers[0].process
        assert worker.pid is not None
        for _ in range(20):
            os.kill(worker.pid, signal.SIGINT)
            time.sleep(0.02)
        assert pid_of(collect(workers, 1)[0]) == worker.pid
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("noted", [False, True])
def test_ctrl_c_while_a_worker_starts_waits_until_it_is_whole(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], noted: bool
) -> None:
    """Another thread may take the signal that the main one blocks; the handler then runs in the middle of a start."""
    workers = LocalWorkers(Factory(), 1, "jax")
    started = []
    start = workers._context.Process.start

    def interrupted(process: BaseProcess) -> None:
        other = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))
        other.start()
        other.join()
        started.append(process)
        start(process)

    monkeypatch.setattr(workers._context.Process, "start", interrupted)
    if noted:
        with noted_interrupt() as interrupt, workers:
            workers.submit([job(0, 3)])
            assert interrupt.is_set()
            monkeypatch.undo()
            assert collect(workers, 1)
    else:
        with workers, pytest.raises(KeyboardInterrupt):
            workers.submit([job(0, 3)])
        assert len(started) == 1
        assert not started[0].is_alive()
    assert capfd.readouterr().err == ""
