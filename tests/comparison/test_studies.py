"""Several studies one after the other, without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas_fpga.comparison import PlannedStudy, StudyRunner
from nas_fpga.comparison import _studies as studies
from nas_fpga.comparison._studies import _Overall
from nas_fpga.errors import StudyError
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.study import Progress, SearchInterruptedError, StudyStorage, TrialRecord
from tests.study.conftest import Silent, make_setup


def planned(name: str, seed: int, n_trials: int = 4) -> PlannedStudy:
    return PlannedStudy(name, replace(make_setup().definition, seed=seed, split_seed=0), n_trials)


def test_workers_are_started_once_for_all_and_not_for_what_has_ended(tmp_path: Path, scripted: dict[str, Any]) -> None:
    of = [planned("a", 1), planned("b", 2)]
    for n_started in (1, 1):
        reporter = Silent()
        with StudyRunner(tmp_path, make_setup().dataset, 1, reporter) as runner:
            runner.expect(of)
            ended = [runner.run(study) for study in of]
        assert [len(study.trials) for study in ended] == [4, 4]
        assert (scripted["started"], scripted["ended"]) == (n_started, n_started)
        assert [text for text in reporter.messages if "trials" in text] == ["a: 4 trials", "b: 4 trials"]


def test_progress_is_of_all_studies(tmp_path: Path, scripted: dict[str, Any]) -> None:
    reporter = Silent()
    with StudyRunner(tmp_path, make_setup().dataset, 1, reporter) as runner:
        runner.expect(of := [planned("a", 1), planned("b", 2, 3)])
        for study in of:
            runner.run(study)
    counts = [progress.n_ended for progress, _ in reporter.updates]
    assert counts == [0, 1, 2, 3, 4, 4, 5, 6, 7]
    assert {progress.n_trials for progress, _ in reporter.updates} == {7}
    assert reporter.updates[-1][0].remaining_s == 0


class TestTimeLeft:
    """Of two studies, and of one trial more, on a clock that is set by hand."""

    def setup_method(self) -> None:
        self.now, self.reporter = 0.0, Silent()
        self.overall = _Overall(self.reporter, lambda: self.now)
        self.a, self.b = planned("a", 1, 2), replace(planned("b", 2, 3), trial_time=4.0)
        self.overall.expect([self.a, self.b], 1)
        self.overall.begin(self.a)

    def at(self, now: float, n_ended: int, n_trials: int, left_s: float | None, *, ends: bool = True) -> Progress:
        """Return what is told of all when a study tells this of itself."""
        self.now = now
        trial = TrialRecord(0, Candidate((4,), BitWidths(6, 6)), 0, 0, "sampler") if ends else None
        self.overall.update(Progress(n_trials, n_ended, 0, 0, 0, None, 0.0, None, left_s), trial)
        return self.reporter.updates[-1][0]

    def test_is_that_of_the_study_and_of_those_to_come_at_the_pace_so_far(self) -> None:
        assert self.at(3, 0, 2, None, ends=False).remaining_s is None
        first = self.at(10, 1, 2, 8.0)  # 10 s for a trial of one unit: 13 units are to come
        assert (first.n_ended, first.n_trials, first.remaining_s) == (1, 6, 8 + 13 * 10)
        assert self.at(20, 2, 2, 0.0).remaining_s == 13 * 10
        polishing = self.at(30, 2, 2, 12.0, ends=False)  # which has taken 10 s so far, as it may in those to come
        assert polishing.remaining_s == 12 + 13 * 15

    def test_before_a_study_says_anything_of_itself_it_is_as_those_before(self) -> None:
        self.at(20, 2, 2, 0.0)
        self.overall.end(2, 0)
        self.overall.begin(self.b)
        second = self.at(30, 1, 3, None, ends=False)
        assert (second.n_ended, second.n_trials) == (3, 6)
        assert second.remaining_s == (2 * 4 + 1) * 30  # a trial of one unit has ended in 30 s


def test_a_search_in_which_all_fails_ends_itself_alone(tmp_path: Path, scripted: dict[str, Any]) -> None:
    scripted["failing"] = (0, 1, 2)
    reporter = Silent()
    with StudyRunner(tmp_path, make_setup().dataset, 1, reporter) as runner:
        runner.expect(of := [planned("a", 1, 3), planned("b", 2, 4)])
        failed, outcome = runner.run_and_summarise(of[0])
        other, of_other = runner.run_and_summarise(of[1])
    assert [trial.state for trial in failed.trials] == ["failed"] * 3
    assert outcome is None
    assert any(text.startswith("a: all 3 trials failed") for text in reporter.messages)
    assert [trial.state for trial in other.trials] == ["failed"] * 3 + ["complete"]
    assert of_other is not None
    assert (reporter.updates[-1][0].n_ended, reporter.updates[-1][0].n_failed) == (7, 6)


def test_interrupted_says_how_much_of_all_is_saved(tmp_path: Path, scripted: dict[str, Any]) -> None:
    scripted["stop_after"] = 6
    with StudyRunner(tmp_path, make_setup().dataset, 1, Silent()) as runner:
        runner.expect(of := [planned("a", 1), planned("b", 2)])
        runner.run(of[0])
        with pytest.raises(SearchInterruptedError, match="stopped in b; 6 of 8 trials are saved"):
            runner.run(of[1])


@pytest.mark.parametrize("at", ["known_before", "Setup"])
def test_interrupted_between_studies_says_so_too(
    tmp_path: Path, scripted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with StudyRunner(tmp_path, make_setup().dataset, 1, Silent()) as runner:
        runner.expect(of := [planned("a", 1), planned("b", 2)])
        runner.run(of[0])
        monkeypatch.setattr(studies, at, stop)
        with pytest.raises(SearchInterruptedError, match="stopped in b; 4 of 8 trials are saved"):
            runner.run(of[1])


def test_a_study_that_runs_elsewhere_is_no_study_to_rename(tmp_path: Path, scripted: dict[str, Any]) -> None:
    with StudyStorage(tmp_path / "a") as other, StudyRunner(tmp_path, make_setup().dataset, 1, Silent()) as runner:
        other.create(planned("a", 1).definition)
        runner.expect([planned("a", 1)])
        with pytest.raises(
            StudyError, match=r"study 'a' is running in process \d+; wait for it or give another --name$"
        ):
            runner.run(planned("a", 1))


def test_a_study_of_another_definition_is_refused(tmp_path: Path, scripted: dict[str, Any]) -> None:
    with StudyRunner(tmp_path, make_setup().dataset, 1, Silent()) as runner:
        runner.expect([planned("a", 1)])
        runner.run(planned("a", 1))
        with pytest.raises(StudyError, match=r"study 'a' in .* was started with seed 1 \(now 2\); give another --name"):
            runner.run(planned("a", 2))


def test_a_lost_checkpoint_is_said_and_left_out(tmp_path: Path, scripted: dict[str, Any]) -> None:
    said: list[list[str]] = []
    for _ in range(2):
        reporter = Silent()
        with StudyRunner(tmp_path, make_setup().dataset, 1, reporter) as runner:
            runner.expect([one := planned("a", 1)])
            _, outcome = runner.run_and_summarise(one)
        assert outcome is not None
        said.append([text for text in reporter.messages if "left out" in text])
        lost = outcome.front[0].point
        (tmp_path / "a" / "trials" / f"{lost.trial:05d}" / "network_0.npz").unlink()
        names = [row.point.name for row in outcome.front]
    before, (after,) = said
    assert before == []
    assert after.startswith("a: left out: point ")
    assert "network_0.npz is gone; bring it back" in after
    assert set(outcome.lost)
    assert not set(outcome.lost) & set(names)
