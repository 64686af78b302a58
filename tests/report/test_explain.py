"""The section of what mattered, its picture and its table: of a study in which more neurons are better."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.api import Study
from nas_fpga.errors import InputError
from nas_fpga.explanation import Findings, explain_study, quality
from nas_fpga.report import write_findings, write_report
from nas_fpga.study import StudyOutcome, StudyStorage, TrialRecord
from tests.report.conftest import scripted


def planted(trial: TrialRecord) -> TrialRecord:
    log10 = -0.8 * math.log10(trial.candidate.n_neurons) - 0.3
    points = [replace(point, merits=replace(point.merits, log10_error=log10)) for point in trial.points]
    return trial.with_points(points)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> StudyOutcome:
    found = scripted(tmp_path_factory.mktemp("runs") / "planted", 42, failing=[4], max_layers=3)
    return replace(found, mapped=tuple(map(planted, found.mapped)))


def explained(outcome: StudyOutcome) -> Findings:
    return explain_study(outcome.setup, outcome.mapped)


@pytest.fixture(scope="module")
def page(outcome: StudyOutcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(outcome, path)
    return path


def test_failed_trials_take_no_part_and_polished_points_neither(outcome: StudyOutcome) -> None:
    found = explained(outcome)
    assert found.error.quality is not None
    assert found.error.quality.n_trainings == 41
    assert found.error.importances[0].group == "total neurons"
    assert found.error.importances[0].is_clear
    assert found.names[-2:] == (f"log10 {outcome.merit_name}", "log10 largest share of the limits")
    first = outcome.mapped[0]
    polished = replace(first, polished=replace(first.outcome, points=(replace(first.points[0], polished=True),)))
    again = explain_study(outcome.setup, (polished, *outcome.mapped[1:]))
    assert again.csv() == found.csv()


def test_all_are_costed_alike(outcome: StudyOutcome) -> None:
    def luts(trials: Sequence[TrialRecord]) -> list[float]:
        return [point.mapped.figures.lut.value for trial in trials for point in trial.points]

    with StudyStorage(outcome.folder) as storage:
        storage.open(write=False)
        assert luts(outcome.mapped) == luts(storage.trials())
    assert luts(outcome.mapped) != luts(outcome.trials)  # adder graphs of the front's networks do not cost as laws say


def test_another_seed_has_other_folds(outcome: StudyOutcome) -> None:
    of_study, again, other = (Study(outcome).explain(seed=seed) for seed in (None, 0, 1))
    assert outcome.setup.definition.seed == 0
    assert of_study.csv() == again.csv()
    assert of_study.error.quality.r_squared != other.error.quality.r_squared  # type: ignore[union-attr]
    assert of_study.error.importances[0].group == other.error.importances[0].group
    with pytest.raises(InputError, match=r"^seed -1 must not be negative"):
        Study(outcome).explain(seed=-1)


def test_section_says_quality_first(outcome: StudyOutcome, page: Path, look) -> None:
    opened = look(page)
    found = explained(outcome)
    section = opened.page.locator("section#explain")
    assert opened.page.locator("nav a[href='#explain']").text_content() == "What mattered"
    first = section.locator("li").first.text_content()
    assert first == f"{found.error.target}: {quality(found.error)}."
    groups = len(found.error.importances) + len(found.resources.importances)
    assert opened.points("importance") == groups
    assert opened.page.locator("#plot-importance .errorbar").count() == groups
    labels = opened.page.locator("#plot-importance .ytick text").all_text_contents()
    assert labels[0] == "total neurons"
    assert opened.page.locator("#plot-correlations .heatmaplayer image").count() == 1


def test_every_descriptor_has_its_curve(outcome: StudyOutcome, page: Path, look) -> None:
    opened = look(page)
    found = explained(outcome)
    title = opened.page.locator("#plot-dependence-error .xtitle")
    assert title.text_content() == "hidden neurons"
    buttons = opened.page.locator('.views button[data-figure="dependence-error"]')
    assert buttons.count() == len(found.error.dependences)
    for curve in found.error.dependences:
        opened.page.locator('.views button[data-figure="dependence-error"]', has_text=curve.descriptor.name).click()
        assert title.text_content() == curve.descriptor.label
        assert opened.points("dependence-error") == len(curve.places)
        assert opened.page.locator("#plot-dependence-error .js-fill").count() == 1
    assert opened.page.locator("#plot-dependence-error .ytitle").text_content() == outcome.merit_name


def test_section_on_a_phone(page: Path, look) -> None:
    opened = look(page, 360, is_mobile=True, device_scale_factor=2)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 360


def test_too_few_trials_are_said_to_be_too_few(tmp_path: Path, look) -> None:
    few = scripted(tmp_path / "few", 6)
    write_report(few, tmp_path / "report.html")
    section = look(tmp_path / "report.html").page.locator("section#explain")
    assert section.locator("li").all_text_contents() == [
        f"log10 {name}: no conclusion: 6 trained candidates are too few, it takes 20."
        for name in (few.merit_name, "largest share of the limits")
    ]
    assert section.locator("[id^='plot-']").count() == 0
    written = write_findings(explained(few), tmp_path)
    assert written == (tmp_path / "explain.csv",)


def test_a_page_that_concludes_nothing_says_so(outcome: StudyOutcome, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def noisy(trial: TrialRecord) -> TrialRecord:
        log10 = float(rng.normal())
        points = [replace(point, merits=replace(point.merits, log10_error=log10)) for point in trial.points]
        return trial.with_points(points)

    noise = replace(outcome, mapped=tuple(map(noisy, outcome.mapped)))
    write_report(noise, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "no conclusion: what is known of candidates does not predict log10" in text
    assert 'id="plot-dependence-error"' not in text
    assert 'id="plot-dependence-resources"' in text


def test_picture_and_table(outcome: StudyOutcome, tmp_path: Path) -> None:
    found = Study(outcome).explain()
    picture, table = write_findings(found, tmp_path / "new")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 200_000
    assert table.read_text() == found.csv()
    assert {row["target"] for row in csv.DictReader(table.open())} >= {found.error.target, found.resources.target}
    none = replace(found, **{name: replace(getattr(found, name), importances=()) for name in ("error", "resources")})
    assert write_findings(none, tmp_path / "new") == (table,)  # the picture of before would say otherwise
    assert not picture.exists()
