"""What is printed, written and noted beside the numbers."""

import csv
import io
import json

import numpy as np
import pytest

from nas_fpga.explanation import cells, notes, quality
from tests.explanation.planted import candidates, findings, planted


@pytest.fixture(scope="module")
def found():
    of = candidates(60, 7)
    errors = planted(of, 7)
    errors[:2] = 50.0  # two that did not learn
    return findings(of, errors, np.log10([one.n_neurons for one in of]) - 5)


def test_few_that_did_not_learn_do_not_decide_all(found):
    of = candidates(60, 7)
    errors = planted(of, 7)
    errors[:2] = 50.0
    first, third = np.quantile(errors, [0.25, 0.75])
    assert found.fence == pytest.approx(10 ** (third + 1.5 * (third - first)))
    assert found.n_fenced == 2
    assert not found.error.verdict
    assert notes(found)[0] == f"2 networks are far worse than all others and count as {found.fence:.3g}, Tukey's fence"
    assert max(curve.high.max() for curve in found.error.dependences) < np.log10(found.fence)


def test_quality_is_said_first(found):
    lines = repr(found).splitlines()
    r = found.error.quality.r_squared
    assert lines[0] == (
        f"log10 error rate: R2 {r.value:.2f} [{r.low:.2f}, {r.high:.2f}], "
        f"rank correlation {found.error.quality.rank_correlation:.2f}, on 60 networks held out in turn"
    )
    assert lines[1].startswith("log10 share: R2 0.9")
    assert lines[3].split() == ["what", "error", "[95", "%]", "its", "rank", "resources", "[95", "%]", "their", "rank"]
    assert lines[4].startswith("total neurons ")
    assert len({len(line) for line in lines[3:5]}) == 1  # columns are aligned


def test_rows_are_groups_and_members(found):
    rows = cells(found)
    names = [row["what"] for row in rows]
    members = {"  unevenness", "  place of the widest", "  taper"}
    groups = {"depth", "total neurons", "shape", "weight bits", "activation bits", "learning rate", "dropout"}
    assert set(names) == members | groups
    assert len(names) == 10
    at = names.index("shape")
    assert names[at + 1 : at + 4] == ["  unevenness", "  place of the widest", "  taper"]
    assert rows[at]["its rank"] == ""
    total = rows[names.index("total neurons")]
    assert total["their rank"] == "+1.00"
    assert float(total["its rank"]) < -0.4
    parts = [one.of_variance.value for one in found.error.importances]
    assert parts == sorted(parts, reverse=True)
    assert [one.group for one in found.error.importances] == [name for name in names if not name.startswith(" ")]


def test_descriptors_that_go_together_are_named(found):
    assert ("depth", "total neurons") in {pair[:2] for pair in found.together}
    rho = {pair[:2]: pair[2] for pair in found.together}["depth", "total neurons"]
    assert f"depth and total neurons go together (rank correlation {rho:+.2f}): their parts overlap" in notes(found)
    members = {"unevenness", "place of the widest", "taper"}
    assert not any({one, other} <= members for one, other, _ in found.together)  # a group of its own


def test_what_does_not_vary_is_named():
    of = [one for one in candidates(2000, 2) if one.uniform_bits.weights == 6][:25]
    found = findings(of, planted(of, 2), planted(of, 3))
    assert found.fixed == ("weight bits",)
    assert notes(found)[-1] == "the same in all: weight bits"
    assert "weight bits" not in {row["what"] for row in cells(found)}


def test_csv_has_every_number(found):
    rows = list(csv.DictReader(io.StringIO(found.csv())))
    kinds = {row["figure"] for row in rows}
    assert kinds == {"R2", "rank correlation", "importance", "partial dependence"}
    importance = {row["of"]: row for row in rows if row["figure"] == "importance" and row["target"] == "log10 share"}
    for one in found.resources.importances:
        assert float(importance[one.group]["low"]) == one.of_variance.low
    places = [row for row in rows if row["figure"] == "partial dependence" and row["of"] == "dropout"]
    assert len(places) == 2 * 12
    pairs = [row for row in rows if row["figure"] == "rank correlation" and row["of"] != "surrogate"]
    k = len(found.names)
    assert len(pairs) == k * (k - 1) / 2
    (pair,) = [row for row in pairs if (row["target"], row["of"]) == ("log10 share", "total neurons")]
    assert float(pair["value"]) == pytest.approx(1.0)


def test_record_is_plain(found):
    record = json.loads(json.dumps(found.record()))
    assert record["explanations"][0]["target"] == "log10 error rate"
    assert record["explanations"][0]["importances"][0]["group"] == "total neurons"
    assert record["explanations"][0]["importances"][0]["is_clear"] is True
    assert record["correlations"]["depth"]["depth"] == 1
    assert record["fenced"] == 2


def test_record_has_every_curve_and_what_goes_together(found):
    record = json.loads(json.dumps(found.record()))
    for of, explanation in zip(record["explanations"], found.explanations, strict=True):
        assert [curve["descriptor"] for curve in of["dependences"]] == [
            curve.descriptor.name for curve in explanation.dependences
        ]
    curve = found.error.dependences[0]
    assert record["explanations"][0]["dependences"][0] == {
        "descriptor": curve.descriptor.name,
        "group": curve.descriptor.group,
        "places": curve.places.tolist(),
        "mean": curve.mean.tolist(),
        "low": curve.low.tolist(),
        "high": curve.high.tolist(),
    }
    assert [(*of["descriptors"], of["rank_correlation"]) for of in record["together"]] == list(found.together)


def test_repeated_trainings_are_said():
    of = candidates(25, 4)
    twice = [*of, *of]
    found = findings(twice, np.tile(planted(of, 4), 2) + np.repeat([0.0, 0.5], 25), planted(twice, 5))
    said = quality(found.error)
    assert (
        ", on 25 networks in 50 trainings held out in turn; the scatter of repeated trainings leaves at most " in said
    )
    assert said.endswith(f"{found.error.quality.ceiling:.2f}")
    assert 0.5 < found.error.quality.ceiling < 0.99


def test_too_few_are_one_line_each():
    of = candidates(5, 1)
    text = repr(findings(of, planted(of, 1), planted(of, 2)))
    assert text.splitlines()[:2] == [
        "log10 error rate: no conclusion: 5 trained candidates are too few, it takes 20",
        "log10 share: no conclusion: 5 trained candidates are too few, it takes 20",
    ]
    assert "what" not in text
