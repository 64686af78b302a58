"""The numbers behind the plots."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import nas_fpga
from nas_fpga.api import Study, front_cells
from nas_fpga.cli._output import print_outcome
from nas_fpga.data import SUBSETS
from nas_fpga.report import plot_front, write_report
from nas_fpga.report._course import course
from nas_fpga.report._curves import distributions, roc_line
from nas_fpga.report._front_data import gather_front
from nas_fpga.report._front_figures import front_figure, top_of
from nas_fpga.report._gather import Chosen, _curves, _distributions, gather
from nas_fpga.report._network_figures import curves_figure, scores_figure
from nas_fpga.report._page import _failures, _notices, page
from nas_fpga.report._search_figures import settings_figure
from nas_fpga.report._shell import json_for_html
from nas_fpga.report._tables import front_table, settings_tables
from nas_fpga.report._theme import log_ticks, percent, resolve
from nas_fpga.space import LearnedBits, TrainingSpace
from nas_fpga.study import HardwareTarget, Outcome, StudyOutcome, TrialRecord
from nas_fpga.training import LearningCurve, roc_curve
from tests.report.conftest import scripted

START = datetime(2026, 1, 1, 12)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> StudyOutcome:
    return scripted(tmp_path_factory.mktemp("runs") / "scripted", 12, failing=[4])


def test_times_are_carried_and_compare_nothing(outcome: StudyOutcome) -> None:
    for trial in outcome.trials:
        assert trial.started_at is not None
        assert trial.ended_at is not None
        assert trial.started_at <= trial.ended_at
        assert replace(trial, started_at=None, ended_at=None) == trial


def test_searched_settings_stand_with_their_points(tmp_path: Path, outcome: StudyOutcome, capsys) -> None:
    training = TrainingSpace(learning_rate=(1e-3, 1e-1), batch_size=(16, 64))
    searched = scripted(tmp_path / "searched", 6, search_training=training, dropout=0.1)
    row = searched.front[0]
    settings = row.trial.candidate.settings
    record = searched.record(row)
    assert (record["learning_rate"], record["batch_size"]) == (settings.learning_rate, settings.batch_size)
    assert "dropout" not in record
    assert "learning_rate" not in outcome.record(outcome.front[0])
    short = f"{settings.learning_rate:.3g}"
    assert front_cells(searched, row)["training"] == f"{short}, {settings.batch_size}"
    assert "training" not in front_cells(outcome, outcome.front[0])
    print_outcome(searched, as_json=False)
    printed = capsys.readouterr().out
    assert "\ntraining: learning rate, batch size\n" in printed
    best = searched.best.trial.candidate.settings
    assert f"trained with learning rate {best.learning_rate:.3g}, batch size {best.batch_size}\n" in printed
    print_outcome(outcome, as_json=False)
    assert "training" not in capsys.readouterr().out
    table = front_table(searched)
    assert f'data-value="{settings.learning_rate}">{short}</td>' in table
    assert "learning rate" not in front_table(outcome)
    ranges = settings_tables(gather(searched))
    assert '<th scope="row" class="text">learning rate</th><td class="wrap">0.001 to 0.1</td>' in ranges
    assert '<th scope="row" class="text">dropout</th><td class="wrap">0.1</td>' in ranges
    assert "TrainingSpace" not in ranges
    study = Study(searched)
    assert f'learning rate</th><td style="text-align: left">{short}</td>' in study[row.point.name]._repr_html_()
    assert "training: learning rate, batch size" in study.front._repr_html_()


def test_a_file_is_named_only_where_it_holds_what_is_printed(outcome: StudyOutcome, capsys) -> None:
    file = outcome.folder / "front.csv"
    for text, is_named in ((None, False), ("an older front\n", False), (outcome.csv(), True)):
        if text is not None:
            file.write_text(text)
        print_outcome(outcome, as_json=False)
        assert (f"All figures: {file}\n" in capsys.readouterr().out) is is_named
    file.unlink()


@pytest.fixture(scope="module")
def polished(tmp_path_factory: pytest.TempPathFactory) -> StudyOutcome:
    """A search of learning rates whose front was polished; its curves are others than those of the trials."""
    folder = tmp_path_factory.mktemp("runs") / "polished"
    training = TrainingSpace(learning_rate=(1e-3, 1e-1))
    outcome = scripted(folder, 45, polish=1.0, epochs=5, search_training=training)

    def told_apart(trial: TrialRecord) -> TrialRecord:
        curve = LearningCurve((0.5, 0.4, 0.3), (0.35, 0.25, 0.2), 2)
        return replace(trial, polished=trial.polished and replace(trial.polished, curve=curve))

    trials = tuple(map(told_apart, outcome.trials))
    front = tuple(replace(row, trial=trials[row.trial.number]) for row in outcome.front)
    return replace(outcome, trials=trials, front=front)


def test_polished_points_have_the_settings_of_no_trial(polished: StudyOutcome, capsys) -> None:
    rows = {row.point.polished: row for row in polished.front}
    study = Study(polished)
    for kind, row in rows.items():
        assert (front_cells(polished, row)["training"] == "") is kind
        assert ("learning rate" in study[row.point.name]._repr_html_()) is not kind
        best = replace(polished, front=tuple(replace(r, is_best=r is row) for r in polished.front))
        print_outcome(best, as_json=False)
        assert ("trained with learning rate" in capsys.readouterr().out) is not kind
    n_polished = sum(row.point.polished for row in polished.front)
    assert front_table(polished).count('<td class="screen"></td>') == n_polished
    row = rows[True]
    point = study[row.point.name]
    assert point.candidate == point.network.candidate
    assert point.candidate.bits == LearnedBits()
    assert study[rows[False].point.name].candidate is rows[False].trial.candidate


def test_polished_points_have_their_own_curve_and_keep_their_roles(polished: StudyOutcome) -> None:
    one = next(row for row in polished.front if row.point.polished)
    two = replace(one, point=replace(one.point, index=one.point.index + 1))  # of the same polish
    other = next(row for row in polished.front if not row.point.polished)
    chosen = [Chosen(one, "cheapest", {}), Chosen(two, "best", {}), Chosen(other, "in between", {})]
    curves = _curves(replace(polished, front=(two, *polished.front)), chosen)
    assert len(curves) == len({(row.trial.number, row.point.polished) for row in polished.front})
    by_title = {of.title: of for of in curves}
    both = by_title[f"{chosen[0].title}; {chosen[1].title}"]
    assert both.title.count(" polished, ") == 2
    assert (both.is_chosen, both.curve) == (True, one.trial.polished.curve)
    assert by_title[chosen[2].title].curve == other.trial.outcome.curve
    for of in curves:
        if not of.is_chosen:
            assert of.title.startswith("trial ")
            assert (len(of.curve.train_loss) == 3) is of.title.endswith(" polished")
    data = gather(polished)
    figure = curves_figure(data)
    best = next(chosen for chosen in data.chosen if chosen.row.is_best)
    assert any(best.title in trace["name"] for trace in figure.data)


def test_the_course_says_that_polish_is_not_in_it(polished: StudyOutcome, outcome: StudyOutcome) -> None:
    said = "Before polish, which adds to the front above."
    assert page(gather(polished)).count(said) == 2
    assert said not in page(gather(outcome))


def test_failed_polishes_are_counted_with_their_causes(polished: StudyOutcome, capsys) -> None:
    numbers = [trial.number for trial in polished.trials if trial.polished]
    failed = replace(polished.trials[numbers[0]], polished=Outcome(cause="it <died>", traceback="line 1"))
    trials = tuple(failed if trial.number == failed.number else trial for trial in polished.trials)
    front = tuple(row for row in polished.front if row.trial.number != failed.number or not row.point.polished)
    front = front if any(row.is_best for row in front) else (replace(front[0], is_best=True), *front[1:])
    outcome, n = replace(polished, trials=trials, front=front), len(numbers)
    assert n > 1
    print_outcome(outcome, as_json=False)
    line = f"1 of {n} networks could not be polished; their causes are in the study\n"
    assert line in capsys.readouterr().out
    print_outcome(polished, as_json=False)
    assert "could not be polished" not in capsys.readouterr().out
    print_outcome(outcome, as_json=True)
    assert json.loads(capsys.readouterr().out)["polished"] == {"complete": n - 1, "failed": 1}
    data = gather(outcome)
    assert f"1 of {n} networks could not be polished; their causes stand below." in _notices(data)
    table = _failures(data)
    name = str(failed.candidate).split()[0]
    assert f'text">{failed.number}</th><td class="text">{name} polished</td><td class="wrap">it &lt;died&gt;' in table
    assert "<pre>line 1</pre>" in table
    assert _failures(gather(polished)) == "<p>No trial failed.</p>"


def test_the_best_stage_is_said_and_what_stands_by_law(outcome: StudyOutcome, capsys) -> None:
    assert {outcome.record(row)["lut_from"] for row in outcome.front} == {"adder-graph"}
    row = outcome.front[0]
    original, lut = row.point.mapped.figures.lut.original, row.point.mapped.figures.lut
    assert original is not None
    assert f"by adder-graph: LUT {original[0]:,.0f} at adder-graph" in front_table(outcome)
    assert "place-and-route by adder-graph" in page(gather(outcome))
    print_outcome(outcome, as_json=True)
    (figures, *_) = [found["figures"] for found in json.loads(capsys.readouterr().out)["front"]]
    assert figures["lut"] == {**vars(lut), "original": list(original)}
    print_outcome(outcome, as_json=False)
    assert "by law" not in capsys.readouterr().out

    one, many = (replace(outcome, by_law=tuple(f"{k}.0" for k in range(n))) for n in (1, 7))
    print_outcome(one, as_json=False)
    said = "1 point stands by law, on the front or near it, as adder graphs take too long: 0.0"
    assert f"{said}\n" in capsys.readouterr().out
    assert f"{said}." in _notices(gather(one))
    assert many.by_law_note.startswith("7 points stand by law")
    assert many.by_law_note.endswith(": 0.0, 1.0, 2.0, 3.0, 4.0, ...")
    print_outcome(many, as_json=True)
    assert json.loads(capsys.readouterr().out)["by_law"] == list(many.by_law)


def test_a_search_has_ended_where_nothing_is_left_to_train_or_to_gain(tmp_path: Path) -> None:
    exhausted = scripted(tmp_path / "exhausted", 100, sampler="grid", grid="4,8x4,8")
    patient = scripted(tmp_path / "patient", 100, trial_patience=4)
    for outcome in (exhausted, patient):
        assert len(outcome.trials) < 100
        assert "has not ended" not in _notices(gather(outcome))
    stopped = scripted(tmp_path / "stopped", 100, stop_after=4, sampler="grid", grid="4,8x4,8,12")
    assert "This search has not ended: 4 of 100 trials are in this report." in _notices(gather(stopped))


def test_where_nothing_is_refused_shares_are_of_the_part(tmp_path: Path, capsys) -> None:
    unlimited = scripted(tmp_path / "unlimited", 6, hardware=HardwareTarget(region="unlimited"))
    limited = scripted(tmp_path / "limited", 6)
    for outcome, whole in ((unlimited, "the part"), (limited, "the limits")):
        data = gather(outcome)
        assert f"{outcome.best.share:.2%} of {whole}</p>" in page(data)
        assert front_figure(data.front).views[0].label == f"share of {whole}"
        assert f"{data.outcome.front[0].share:.2%} of {whole}, all copies" in data.front.front[0].network.lines
    print_outcome(unlimited, as_json=False)
    printed = capsys.readouterr().out
    assert " inferences/us; nothing refused\n" in printed
    assert "limits" not in printed
    print_outcome(limited, as_json=False)
    assert "inferences/us; limits 432,000 LUT, 3,072 DSP, 1,000 ns\n" in capsys.readouterr().out


def test_pauses_do_not_count(outcome: StudyOutcome) -> None:
    """Two trials side by side for 2 and 3 minutes, an hour of nothing, then one of 5 minutes, ended out of order."""
    spans = [(0, 2), (0, 3), (63, 68)]
    trials = [
        replace(trial, number=i, started_at=START + timedelta(minutes=a), ended_at=START + timedelta(minutes=b))
        for i, (trial, (a, b)) in enumerate(zip(outcome.trials, spans, strict=False))
    ]
    by_number, by_time = course(trials[::-1], outcome.setup.target)
    assert [step.trial for step in by_number] == [2, 1, 0]
    assert [step.minutes for step in by_time] == [2.0, 3.0, 8.0]
    unknown = [replace(trial, started_at=None, ended_at=None) for trial in trials]
    assert course(unknown, outcome.setup.target)[1] == ()


def test_the_course_ends_at_the_best_and_counts_every_trial(outcome: StudyOutcome) -> None:
    steps, by_time = course(outcome.trials, outcome.setup.target)
    assert [step.trial for step in steps] == list(range(12))
    assert steps[4].error is None
    assert steps[-1].best == min(row.point.error for row in outcome.front)
    assert by_time[-1].best == steps[-1].best
    volumes = [step.hypervolume for step in steps]
    assert volumes == sorted(volumes)
    assert by_time[-1].hypervolume == pytest.approx(volumes[-1])


def test_paired_errors_say_which_point_is_best(outcome: StudyOutcome) -> None:
    front = outcome.front
    least = min(row.point.error for row in front)
    precise = next(row for row in front if row.point.error == least)
    assert precise.difference_interval == (0.0, 0.0)
    assert precise.paired_standard_error == 0.0
    as_good = [row for row in front if row.point.error - least <= row.paired_standard_error]
    assert min(as_good, key=lambda row: row.share).is_best
    for row in front:
        assert row.difference_interval[0] <= row.point.error - least + 0.02  # medians of resamples are near the figure
        assert row.paired_standard_error <= row.difference_interval[1] - row.difference_interval[0]


def test_layers_add_up_to_the_network(two_outcome: StudyOutcome) -> None:
    data = gather(two_outcome)
    figures = two_outcome.best.point.mapped.figures
    assert sum(layer.kept for layer in data.layers) == two_outcome.best.n_weights
    assert sum(layer.ebops or 0 for layer in data.layers) == figures.ebops.value
    assert str(two_outcome.best.point.mapped.mapping) == "da"
    assert sum(layer.lut or 0 for layer in data.layers) == pytest.approx(figures.lut.value)


def test_rocs_pass_through_their_working_points(two_outcome: StudyOutcome) -> None:
    for chosen in gather(two_outcome).chosen:
        merits = chosen.row.point.merits
        (roc,) = chosen.roc["validation"]
        assert roc.working_point == pytest.approx((merits.signal_efficiency, merits.background_efficiency))
        (roc,) = chosen.roc["test"]
        assert roc.working_point[0] == pytest.approx(chosen.row.test.signal_efficiency)
        assert roc.working_point[1] == pytest.approx(chosen.row.test.background_efficiency)


def test_a_thinned_roc_stays_within_a_pixel() -> None:
    rng = np.random.default_rng(1)
    labels = rng.random(50_000) < 0.5
    scores, weights = rng.normal(size=50_000) + 2 * labels, rng.uniform(0.5, 2, 50_000)
    line, whole = roc_line(scores, labels, weights, scores > 1), roc_curve(scores, labels, weights)
    assert len(line.signal) < 2_000
    many = whole.background_efficiency > 1e-2  # below, single rows are steps that can be seen
    between = np.interp(whole.signal_efficiency[many], line.signal, np.log10(line.background))
    assert np.abs(between - np.log10(whole.background_efficiency[many])).max() < 0.02  # two steps of the thinning


def test_distributions_are_shares() -> None:
    rng = np.random.default_rng(2)
    scores, is_signal = rng.normal(size=900), np.arange(900) % 3 == 0
    of = distributions("s", scores, (("b", ~is_signal), ("s", is_signal)), np.ones(900), 0.5)
    assert [sum(shares) for _, shares in of.shares] == pytest.approx([1.0, 1.0])
    assert len(of.centres) == 34  # twice the root of 300 rows


@pytest.mark.parametrize(
    ("classes", "shown"),
    [
        (("background", "background"), [("background", "background")]),
        (("all others", "x", "y"), [("the rest", "all others"), ("all others", "x"), ("all others", "y")]),
    ],
)
def test_scores_of_classes_that_share_a_name(
    outcome: StudyOutcome, classes: tuple[str, ...], shown: list[tuple[str, str]]
) -> None:
    data, rows = outcome.setup.dataset, outcome.setup.split.test
    labels = np.arange(len(data.labels)) % len(classes)
    of_classes = replace(outcome.setup, dataset=replace(data, class_names=classes, labels=labels))
    binary = len(classes) == 2
    logits = np.random.default_rng(0).normal(size=(len(rows), 1 if binary else 3))
    merits = replace(outcome.best.point.merits, threshold=0.0 if binary else None)
    made = _distributions(replace(outcome, setup=of_classes), logits, "test", merits)
    assert [tuple(name for name, _ in of.shares) for of in made] == shown
    looked = replace(gather(outcome), outcome=replace(outcome, setup=of_classes), scores=dict.fromkeys(SUBSETS, made))
    views = scores_figure(looked).views
    assert [tuple(trace["name"] for trace in view.traces) for view in views] == shown * (2 if binary else 1)


def test_front_as_a_plotly_figure(outcome: StudyOutcome) -> None:
    figure = plot_front(outcome)
    data = gather_front(outcome)
    by_name = {trace.name: trace for trace in figure.data}
    front = by_name["front on validation, paired standard error"]
    assert list(front.y) == [max(row.point.error, data.floor) for row in outcome.front]
    assert list(front.x) == [row.share for row in outcome.front]
    assert list(front.error_y.array) == [row.paired_standard_error for row in outcome.front]
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == [
        "share of the limits", "LUT", "DSP", "latency",
    ]  # fmt: skip
    luts = figure.layout.updatemenus[0].buttons[1].args[0]["x"][list(figure.data).index(front)]
    assert list(luts) == [row.point.mapped.figures.total("lut") for row in outcome.front]
    assert "@" not in figure.to_json()
    assert nas_fpga.plot_front(nas_fpga.Study(outcome)) == figure


def test_colours_are_looked_for_under_keys_of_colours_only() -> None:
    figure = {"name": "@blue", "line": {"color": "@blue"}, "colorscale": [[0, "@ink"]], "text": ["@ink"]}
    assert resolve(figure, {"blue": "b", "ink": "i"}) == {
        "name": "@blue", "line": {"color": "b"}, "colorscale": [[0, "i"]], "text": ["@ink"],
    }  # fmt: skip


def test_searched_settings_are_drawn_where_they_are(tmp_path: Path, outcome: StudyOutcome) -> None:
    training = TrainingSpace(learning_rate=(1e-3, 1e-1), dropout=(0.0, 0.5))
    data = gather(scripted(tmp_path / "searched", 6, search_training=training))
    figure = settings_figure(data)
    assert figure is not None
    assert [view.label for view in figure.views] == ["learning rate", "dropout"]
    for view, name in zip(figure.views, ("learning_rate", "dropout"), strict=True):
        drawn = [pair for trace in view.traces for pair in zip(trace["x"], trace["y"], strict=True)]
        of = {step.trial: step.error for step in data.steps}
        settings = [(getattr(t.candidate.settings, name), of[t.number]) for t in data.outcome.trials]
        assert sorted(drawn) == sorted((x, min(max(y, data.front.floor), top_of(data.front))) for x, y in settings)
    low, high = figure.views[0].layout["xaxis"]["range"]
    assert (low, high) == (pytest.approx(-3.06), pytest.approx(-0.94))
    assert figure.views[1].layout["xaxis"]["range"] == pytest.approx([-0.015, 0.515])
    assert settings_figure(gather(outcome)) is None


def test_what_was_included_lies_on_the_axis_too(tmp_path: Path) -> None:
    training = TrainingSpace(weight_decay=(1e-4, 1e-2))
    data = gather(scripted(tmp_path / "searched", 6, search_training=training, include=("5",)))
    assert data.outcome.trials[0].candidate.settings.weight_decay == 0
    figure = settings_figure(data)
    assert figure is not None
    assert figure.views == ()  # of one setting
    (zero,) = next(trace["x"] for trace in figure.data if trace["name"] == "included")
    axis = figure.layout["xaxis"]
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True))[zero] == "0"
    assert 10 ** axis["range"][0] < zero < 1e-4


def test_ticks_between_decades_have_their_whole_number() -> None:
    ticks = log_ticks(0.03, 0.25)
    assert {0.03: "0.03", 0.05: "0.05", 0.2: "0.2"}.items() <= dict(
        zip(ticks["tickvals"], ticks["ticktext"], strict=True)
    ).items()
    assert log_ticks(0.32, 0.376)["ticktext"] == ["0.32", "0.33", "0.34", "0.35", "0.36", "0.37"]
    assert log_ticks(0.0301, 0.09)["tickvals"] == [0.04, 0.05, 0.06, 0.07, 0.08, 0.09]
    assert log_ticks(170, 190)["tickvals"] == [170, 175, 180, 185, 190]
    assert 1 in log_ticks(1, 1)["tickvals"]
    assert [percent(share) for share in (1e-6, 1e-3, 0.1, 1.0, 20.0)] == ["0", "0.1 %", "10 %", "100 %", "2,000 %"]


def test_nothing_on_the_page_comes_from_elsewhere(two_classes: Path) -> None:
    text = (two_classes / "report.html").read_text(encoding="utf-8")
    markup = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", markup) == []
    assert "default-src 'none'" in markup
    assert "http://" not in markup.replace("http-equiv", "")
    assert "https://" not in markup


def test_a_thousand_trials_stay_small_and_quick(two_outcome: StudyOutcome, tmp_path: Path) -> None:
    complete = [trial for trial in two_outcome.trials if trial.state == "complete"]
    trials = tuple(replace(complete[i % len(complete)], number=i) for i in range(1000))
    start = time.process_time()
    write_report(replace(two_outcome, trials=trials), tmp_path / "report.html")
    assert time.process_time() - start < 10
    assert (tmp_path / "report.html").stat().st_size < 6_000_000
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    figures = re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)
    assert figures is not None
    best = next(figure for figure in json.loads(figures[1])["figures"] if figure["name"] == "progress-best")
    for view in best["views"]:
        assert sum(len(trace["x"]) for trace in view["traces"] if trace["mode"] == "markers") == 1000


def test_a_report_is_whole_or_as_it_was(outcome: StudyOutcome, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")
    write_text = Path.write_text

    def full(self: Path, text: str, **more: str) -> int:
        write_text(self, text[:100], **more)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write_report(outcome, path)
    assert path.read_text() == "before"
    assert not list(tmp_path.glob("*.tmp"))


def test_json_in_the_page_ends_no_script() -> None:
    value = {"text": "</script><!-- <script> & \u2028", "number": 0.123456789, "none": float("nan")}
    text = json_for_html(value)
    assert "</" not in text
    assert "<!--" not in text
    assert json.loads(text) == {"text": value["text"], "number": 0.12346, "none": None}
