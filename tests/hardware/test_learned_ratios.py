"""Ratios are learned over networks, shrunk towards what is shipped, and kept in a file that can be shared."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.errors import InputError
from nas_fpga.hardware import (
    Calibration,
    StageCounts,
    StageRatio,
    as_calibration,
    learn,
    make_target,
    read_calibration,
    shipped_ratio,
    write_calibration,
)

DA = "distributed_arithmetic"
RATIO = StageRatio("csynth", "latency", "lut", 0.5, 0.3, 4, (100.0, 2000.0), "vendor-synthesis")


def design(name, strategy="latency", network=None, **stages):
    """A design by LUTs, or by all its counts, at its stages."""
    for stage, counts in stages.items():
        known = counts if isinstance(counts, dict) else {"lut": float(counts)}
        yield StageCounts(name, network or name, strategy, stage.replace("_", "-"), known)


def designs(*each):
    return [one for stages in each for one in stages]


def several(ratios, stage="csynth", strategy="latency"):
    """Designs of 1,000 LUT at a stage, with these ratios to place and route."""
    return designs(
        *(design(f"d{i}", strategy, **{stage: 1000, "place_and_route": 1000 * ratio}) for i, ratio in enumerate(ratios))
    )


def only(counted, stage="csynth", strategy="latency", resource="lut"):
    ratio = learn(counted).calibration.ratio(stage, strategy, resource)
    assert ratio is not None
    return ratio


class TestLearn:
    def test_one_network_moves_half_way_and_keeps_the_shipped_interval(self):
        shipped = shipped_ratio("csynth", "latency", "lut")
        found = only(several([0.8]))
        assert found.ratio == pytest.approx(math.sqrt(shipped.ratio * 0.8))
        assert (found.spread, found.n_designs, found.sizes) == (shipped.spread, 1, (1000, 1000))
        assert only(several([0.8, 0.82])).spread == shipped.spread

    def test_many_networks_have_their_own_mean_and_student_s_interval(self):
        logs = np.random.default_rng(0).normal(math.log(0.8), 0.1, 400)
        found = only(several(np.exp(logs)))
        assert math.log(found.ratio) == pytest.approx(logs.mean(), abs=2e-3)
        assert found.spread == pytest.approx(1.645 * 0.1, rel=0.08)
        assert found.n_designs == 400

    @pytest.mark.parametrize("n", [3, 5, 10, 20])
    def test_intervals_hold_nine_of_ten_further_networks(self, n):
        """Networks of a flow that scatters as the shipped interval says; within what 4,000 draws allow."""
        shipped = shipped_ratio("csynth", "latency", "lut")
        scatter = shipped.spread / 1.645 / math.sqrt(2)
        rng, held = np.random.default_rng(n), []
        for _ in range(200):
            flow = rng.normal(math.log(shipped.ratio), scatter)
            found = only(several(np.exp(rng.normal(flow, scatter, n))))
            further = rng.normal(flow, scatter, 20)
            held.append(np.abs(further - math.log(found.ratio)) <= found.spread)
        assert 0.86 <= np.mean(held) <= 0.96

    def test_more_of_them_narrow_the_interval(self):
        spreads = [only(several([0.7, 0.8] * n)).spread for n in (1, 2, 4, 16)]
        assert spreads == sorted(spreads, reverse=True)
        assert spreads[0] == shipped_ratio("csynth", "latency", "lut").spread

    def test_networks_that_disagree_widen_it(self):
        assert only(several([0.2, 4.0])).spread > shipped_ratio("csynth", "latency", "lut").spread

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.floats(0.03, 30), min_size=1, max_size=12), st.integers(2, 4))
    def test_reports_of_one_network_count_once(self, ratios, times):
        """As often as they are repeated, and in any order."""
        once = only(several(ratios))
        repeated = designs(
            *(
                design(f"d{i} {k}", network=f"d{i}", csynth=1000, place_and_route=1000 * ratio)
                for k in range(times)
                for i, ratio in reversed(list(enumerate(ratios)))
            )
        )
        found = only(repeated)
        assert (found.ratio, found.spread) == (pytest.approx(once.ratio), pytest.approx(once.spread))
        assert found.n_designs == once.n_designs == len(ratios)

    def test_strategies_and_resources_are_apart(self):
        counts = {"lut": 1000.0, "ff": 500.0, "dsp": 0.0}
        found = learn(
            designs(
                design("a", csynth=counts, place_and_route={"lut": 700.0, "ff": 400.0, "dsp": 3.0}),
                design("b", "resource", csynth={"lut": 900.0}, place_and_route={"lut": 300.0, "ff": 8.0}),
            )
        )
        kinds = [(ratio.strategy, ratio.resource) for ratio in found.calibration.ratios]
        assert kinds == [("latency", "lut"), ("latency", "ff"), ("resource", "lut")]  # 0 DSPs say nothing of a ratio
        assert found.designs == ("a", "b")

    def test_a_stage_before_the_last_is_carried_on_from_there(self):
        onward = shipped_ratio("vendor-synthesis", "latency", "lut")
        many = designs(*(design(f"d{i}", csynth=1000, vendor_synthesis=800) for i in range(40)))
        found = only(many)
        assert found.reference == "vendor-synthesis"
        assert found.ratio == pytest.approx(0.8 * onward.ratio, rel=0.1)
        assert found.spread > onward.spread * 0.9  # what none of these designs can tell stays in it
        placed = designs(*(design(f"p{i}", vendor_synthesis=1000, place_and_route=900) for i in range(40)))
        better = learn([*many, *placed]).calibration
        assert better.ratio("csynth", "latency", "lut").ratio == pytest.approx(0.8 * 0.9, rel=0.02)
        assert better.ratio("csynth", "latency", "lut").spread < found.spread / 2

    def test_placed_designs_go_before_others(self):
        found = only(
            designs(*(design(f"d{i}", csynth=1000, vendor_synthesis=800, place_and_route=600) for i in range(9)))
        )
        assert found.reference == "place-and-route"
        assert found.ratio == pytest.approx(0.6, rel=0.02)

    def test_the_laws_are_judged_by_csynth_where_there_is_nothing_better(self):
        counted = designs(*(design(f"d{i}", estimate=1000, csynth=1000) for i in range(3)))
        found = only(counted, "estimate")
        csynth = shipped_ratio("csynth", "latency", "lut")
        assert csynth.ratio < found.ratio < 1
        assert found.spread <= shipped_ratio("estimate", "latency", "lut").spread
        graph = designs(design("a", DA, adder_graph=1000, csynth=1000))
        with pytest.raises(InputError, match="none of 1 designs is counted at two stages that can be compared"):
            learn(graph)

    def test_the_sizes_seen_are_those_of_the_stage(self):
        small, large = design("a", csynth=90, place_and_route=70), design("b", csynth=4000, place_and_route=2000)
        found = only(designs(small, large))
        assert found.sizes == (90, 4000)

    def test_what_says_nothing_is_named(self):
        found = learn([*several([0.8]), *design("lonely", csynth=10)])
        assert found.left_out == ("lonely is left out: it has csynth only",)
        assert found.designs == ("d0",)

    @pytest.mark.parametrize(
        ("counted", "said"),
        [
            ([], "none of 0 designs"),
            (design("a", csynth=10), "none of 1 designs is counted at two stages"),
            (
                design("a", csynth=51_000, place_and_route=1000),
                "design a has 51,000 LUT at csynth and 1,000 at place-and-route: a factor above 50 is of no one design",
            ),
            (design("a", csynth=1000, place_and_route=51_000), "a factor above 50"),
            ([*several([0.5]), *several([0.6])], "design d0 stands twice at csynth"),
            ([*design("a", csynth=5), *design("a", "resource", place_and_route=5)], "design a has two strategies"),
        ],
    )
    def test_nonsense_is_refused(self, counted, said):
        with pytest.raises(InputError, match=said):
            learn(list(counted))

    def test_a_factor_of_fifty_is_still_a_design(self):
        assert only(several([1 / 50])).n_designs == 1


class TestFile:
    def test_it_comes_back_as_it_was(self, tmp_path):
        calibration = learn(several([0.5, 0.7, 0.612345678901234])).calibration
        write_calibration(calibration, tmp_path / "c.json")
        assert read_calibration(tmp_path / "c.json") == calibration
        assert make_target(calibration=tmp_path / "c.json").calibration == calibration
        write_calibration(Calibration((RATIO,)), tmp_path / "c.json")  # one calibration may take another's place
        assert as_calibration(str(tmp_path / "c.json")) == Calibration((RATIO,))

    def test_its_name_says_what_it_is_of_and_tells_others_apart(self):
        other = replace(RATIO, ratio=0.51)
        assert str(Calibration((RATIO,))).startswith("1 ratios of latency (4 networks), ")
        assert str(Calibration((RATIO,))) != str(Calibration((other,)))
        two = Calibration((RATIO, replace(RATIO, strategy="resource", n_designs=9)))
        assert str(two).startswith("2 ratios of latency, resource (4 to 9 networks), ")

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "x"}', "\N{LATIN SMALL LETTER E WITH ACUTE}"])
    def test_another_file_is_neither_read_nor_replaced(self, tmp_path, content):
        path = tmp_path / "kept.json"
        path.write_text(content, encoding="latin-1")
        with pytest.raises(InputError, match=r"kept.json is no calibration \("):
            read_calibration(path)
        with pytest.raises(InputError, match="is there and is no calibration; give another file"):
            write_calibration(Calibration((RATIO,)), path)
        assert path.read_text(encoding="latin-1") == content

    @pytest.mark.parametrize(
        "changes",
        [
            {"ratio": 0.0}, {"ratio": 51.0}, {"ratio": "1"}, {"spread": -0.1}, {"spread": float("nan")},
            {"stage": "cosim"}, {"strategy": None}, {"resource": "uram"}, {"reference": "gates"}, {"n_designs": 0},
            {"n_designs": 1.5}, {"sizes": [5.0, 4.0]}, {"sizes": [0.0, 4.0]}, {"sizes": None}, {"more": 1},
        ],
    )  # fmt: skip
    def test_what_no_reports_give_is_refused(self, tmp_path, changes):
        path = tmp_path / "c.json"
        write_calibration(Calibration((RATIO,)), path)
        content = json.loads(path.read_text())
        content["ratios"][0] |= changes
        path.write_text(json.dumps(content))
        with pytest.raises(InputError, match="is no calibration"):
            read_calibration(path)

    def test_two_ratios_of_one_kind_are_refused(self, tmp_path):
        write_calibration(Calibration((RATIO, RATIO)), tmp_path / "c.json")
        with pytest.raises(InputError, match="two of one kind"):
            read_calibration(tmp_path / "c.json")

    def test_places_where_there_is_none(self, tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_calibration(tmp_path / "nowhere.json")
        with pytest.raises(InputError, match="there is no folder"):
            write_calibration(Calibration((RATIO,)), tmp_path / "none" / "c.json")
        with pytest.raises(InputError, match="--calibration 3 must be the file of a calibration"):
            make_target(calibration=3)
