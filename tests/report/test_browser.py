"""The report in a real browser: complete, quiet, legible everywhere."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from nas_fpga.report import write_report
from nas_fpga.space import TrainingSpace
from tests.cli.conftest import ROOT
from tests.cli.studies import rows_of, trials
from tests.report.conftest import NASTY_CLASSES, scripted

FIGURES = [
    "front", "neurons", "progress-best", "progress-hypervolume", "where-depth", "where-sizes", "where-weight-bits",
    "where-activation-bits", "roc", "scores", "curves", "kept", "weights",
]  # fmt: skip


@pytest.fixture(params=["two_classes", "three_classes"])
def study(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def figures_of(study: Path) -> dict[str, dict]:
    text = (study / "report.html").read_text(encoding="utf-8")
    embedded = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    return {figure["name"]: figure for figure in json.loads(embedded[1])["figures"]}


def test_every_plot_is_drawn_with_all_its_points(study, look) -> None:
    opened, figures = look(study / "report.html"), figures_of(study)
    assert list(figures) == FIGURES
    assert opened.page.locator(".plot .main-svg .plot-container, .plot .plot-container").count() == len(FIGURES)
    for name, figure in figures.items():
        view = figure["views"][0]["traces"] if figure["views"] else [{}] * len(figure["data"])
        traces = [trace | more for trace, more in zip(figure["data"], view, strict=True)]
        scatter = [trace for trace in traces if trace["type"] == "scatter"]
        if name != "curves":  # there only some of the points of a line have a mark
            marked = sum(len(trace["x"]) for trace in scatter if "markers" in trace["mode"])
            assert opened.points(name) == marked, name
        lines = sum("lines" in trace["mode"] and len(trace["x"]) > 0 for trace in scatter)
        assert opened.page.locator(f"#plot-{name} .scatterlayer .js-line").count() == lines, name
        bars = sum(len(trace["x"]) for trace in traces if trace["type"] == "bar")
        assert opened.page.locator(f"#plot-{name} .barlayer .point").count() == bars, name
        heatmaps = sum(trace["type"] == "heatmap" for trace in traces)
        assert opened.page.locator(f"#plot-{name} .heatmaplayer image").count() == heatmaps, name
    complete = sum(trial.state == "complete" for trial in trials(study))
    n_front = len(rows_of((study / "front.csv").read_text()))
    assert opened.points("front") == (complete - n_front) + 2 * n_front + 1  # validation, test, and the star
    assert opened.points("neurons") == complete


def test_no_plot_is_empty_in_any_view(study, look) -> None:
    opened = look(study / "report.html")
    buttons = opened.page.locator(".views button")
    assert buttons.count() >= 10
    for i in range(buttons.count()):
        button = buttons.nth(i)
        figure = button.get_attribute("data-figure")
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert opened.page.locator(f'.views button[data-figure="{figure}"][aria-pressed="true"]').count() == 1
        drawn = opened.page.locator(f"#plot-{figure} .points path.point, #plot-{figure} .js-line")
        assert drawn.count() > 0, figure
        assert "NaN" not in opened.page.locator(f"#plot-{figure}").inner_html()


def test_the_horizontal_axis_is_switched(two_classes: Path, look) -> None:
    opened = look(two_classes / "report.html")
    title = opened.page.locator("#plot-front .xtitle")
    assert title.text_content() == "largest share of the limits, all copies"
    for name, expected in (("LUT", "LUT, all copies"), ("DSP", "DSP, all copies"), ("latency", "latency in ns")):
        opened.page.get_by_role("group", name="Horizontal axis").get_by_role("button", name=name).click()
        assert title.text_content() == expected
        line = opened.page.locator("#plot-front .scatterlayer .js-line")
        assert line.count() == 0  # the front is one over its own axis alone
    opened.page.get_by_role("group", name="Against").first.get_by_role("button", name="time").click()
    assert opened.page.locator("#plot-progress-best .xtitle").text_content() == "minutes in which trials were trained"


def test_every_searched_setting_has_a_view(tmp_path: Path, look) -> None:
    ranges = {"learning_rate": (1e-3, 1e-1), "batch_size": (16, 64), "dropout": (0.0, 0.5)}
    outcome = scripted(tmp_path / "study", 6, search_training=TrainingSpace(**ranges))
    write_report(outcome, tmp_path / "report.html")
    opened = look(tmp_path / "report.html")
    for name in ("batch size", "dropout", "learning rate"):
        opened.page.locator('.views button[data-figure="settings"]', has_text=name).click()
        assert opened.page.locator("#plot-settings .xtitle").text_content() == name
        assert opened.points("settings") == 6
    opened.page.locator('.views button[data-figure="settings"]', has_text="batch size").click()
    assert opened.page.locator("#plot-settings .xtick text").all_text_contents() == ["16", "32", "64"]


def test_table_is_sorted_with_mouse_and_keyboard(study, look) -> None:
    opened = look(study / "report.html")
    rows = rows_of((study / "front.csv").read_text())
    by_lut = [row["point"] for row in sorted(rows, key=lambda row: float(row["lut"]))]
    heading = opened.page.locator("#table th", has_text="LUT")

    def points() -> list[str]:
        return [text.split()[0] for text in opened.page.locator("#table tbody th").all_text_contents()]

    assert points() == [row["point"] for row in rows]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert points() == by_lut
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert points() == by_lut[::-1]
    opened.page.locator("#table th button", has_text="network").click()
    assert heading.get_attribute("aria-sort") == "none"


def test_csv_is_downloaded_as_it_is(study, look) -> None:
    opened = look(study / "report.html")
    with opened.page.expect_download() as download:
        opened.page.get_by_role("link", name="Download front.csv").click()
    assert download.value.suggested_filename == "front.csv"
    assert Path(download.value.path()).read_bytes() == (study / "front.csv").read_bytes()


def test_dark_mode_is_followed_and_print_is_light(two_classes: Path, look) -> None:
    opened = look(two_classes / "report.html")
    page = opened.page
    paper = "getComputedStyle(document.body).backgroundColor"
    colours = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colour = "rgb(22, 27, 34)" if scheme == "dark" else "rgb(255, 255, 255)"
        page.wait_for_function(f"{paper} === '{colour}'")
        for name in FIGURES:
            page.wait_for_function(f"document.querySelector('#plot-{name} .main-svg').style.background === '{colour}'")
        colours[scheme] = [
            page.locator(f"#plot-{name} .main-svg").first.evaluate("svg => svg.style.background") for name in FIGURES
        ]
    assert set(colours["light"]) == {"rgb(255, 255, 255)"}
    assert set(colours["dark"]) == {"rgb(22, 27, 34)"}
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function(f"{paper} === 'rgb(255, 255, 255)'")
    page.wait_for_function("document.querySelector('#plot-front .main-svg').style.background === 'rgb(255, 255, 255)'")
    svg = page.locator("#plot-front .main-svg").first
    assert svg.evaluate("svg => svg.style.background") == "rgb(255, 255, 255)"
    assert float(svg.get_attribute("width") or "inf") <= 703  # of A4 with its margins
    for part in ("nav", ".views", ".download"):
        assert not page.locator(part).first.is_visible()
    page.set_viewport_size({"width": 703, "height": 900})
    assert page.evaluate("document.querySelector('#table table').getBoundingClientRect().right") <= 704


def test_a_phone_scrolls_tables_and_nothing_else(study, look) -> None:
    opened = look(study / "report.html", 360, is_mobile=True, device_scale_factor=2)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 360
    for name in FIGURES:
        box = opened.page.locator(f"#plot-{name} .main-svg").first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    inside = opened.page.locator("#table .scroll")
    assert inside.evaluate("box => box.scrollWidth > box.clientWidth")


def test_failures_are_told_with_their_cause(two_classes: Path, look) -> None:
    page = look(two_classes / "report.html").page
    (failed,) = [trial for trial in trials(two_classes) if trial.state == "failed"]
    cells = page.locator("#failures tbody tr").all_text_contents()
    assert len(cells) == 1
    assert str(failed.candidate) in cells[0]
    assert "died with SIGKILL" in cells[0]
    assert "1 of 5 trials failed" in page.locator(".notice").text_content()


def test_names_are_text_and_nothing_else(three_classes: Path, look) -> None:
    page = look(three_classes / "report.html").page
    for tag in ("img", "b", "u", "i"):
        assert page.locator(tag).count() == 0, tag
    assert page.locator("script").count() == 3
    assert page.title() == "<u>three: nas-fpga report"
    assert "<i>three & more" in page.locator("h1").text_content()
    legend = page.locator("#plot-roc .legendtext").all_text_contents()
    assert sorted(legend) == sorted(NASTY_CLASSES)
    for name in NASTY_CLASSES:
        page.get_by_role("group", name="Class").get_by_role("button", name=name, exact=True).click()
        assert name in page.locator("#plot-scores .legendtext").all_text_contents()


def test_headings_are_in_order(study, look) -> None:
    page = look(study / "report.html").page
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    links = page.locator("nav a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert links == ["#front", "#table", "#search", "#explain", "#networks", "#layers", "#failures", "#repeat"]
    assert all(page.locator(f"section{link}").count() == 1 for link in links)
    assert all(page.locator(".plot").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))"))


def test_an_interrupted_search_and_a_front_of_one_point(tmp_path: Path, look) -> None:
    from nas_fpga.report import write_report

    for name, n_trials, stop_after in (("stopped", 9, 4), ("single", 1, None)):
        outcome = scripted(tmp_path / name, n_trials, failing=[1], stop_after=stop_after)
        write_report(outcome, tmp_path / name / "report.html")
        opened = look(tmp_path / name / "report.html")
        n_points = len(outcome.front)
        assert opened.page.locator("#table tbody tr").count() == n_points
        complete = sum(trial.state == "complete" for trial in outcome.trials)
        assert opened.points("front") == complete - n_points + 2 * n_points + 1
        notices = opened.page.locator(".notice").all_text_contents()
        assert any("4 of 9 trials are in this report" in text for text in notices) == (name == "stopped")


def test_screenshot_for_the_readme(two_classes: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    picture = tmp_path / "report.png"
    script = ROOT / "docs" / "screenshot.py"
    subprocess.run([sys.executable, script, two_classes / "report.html", picture], check=True, cwd=ROOT)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000
