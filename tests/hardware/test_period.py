"""The clock period: its law and interval, and what designs that are sure to miss the clock come to."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hardware_cases import build_network, read_table
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.hardware import Figure, Mapping, adder_levels_per_cycle, estimate, make_target
from nas_fpga.hardware._adder_law import distributed_arithmetic
from nas_fpga.hardware._cost_array import HIGH, LOW, QUANTITIES, VALUE
from nas_fpga.hardware._expected import expected_traits
from nas_fpga.hardware._period import LEVELS_SEEN, adder_period, levels_per_cycle, period_growth, scheduled_period

LUTS = st.floats(0, 2e6)
CLOCKS = st.sampled_from([1.0, 2.0, 2.5, 5.0, 25.0])
NETWORK = build_network((32, 32), 6, 6)
UNFOLDED = Mapping("distributed_arithmetic", (1, 1, 1))


def width(period):
    """Half-width of the logarithm."""
    return np.log(period[HIGH] / period[VALUE])


class TestDistributedArithmetic:
    def test_placed_designs(self):
        """Median and worst error of the fit; the interval holds nine tenths."""
        rows = read_table("jedi_linear.csv")
        period = adder_period(rows["lut"], 0.0, LEVELS_SEEN, 2.0)
        reported = rows["actual_period_ns"]
        error = np.abs(period[VALUE] / reported - 1)
        assert np.median(error) < 0.05
        assert error.max() < 0.18
        assert np.mean((period[LOW] <= reported) & (reported <= period[HIGH])) >= 0.9
        assert width(period) == pytest.approx(0.19)

    def test_period_by_hand(self):
        value, low, high, original = adder_period(40_000.0, 0.0, 4, 2.0)
        assert value == pytest.approx(2 * (1.81 + 0.00471 * 200))
        # at twice the levels .3 of the period may not have grown: log(.3 / 2 + .7)
        half_width = math.hypot(0.19, math.log(0.85))
        assert (low, high) == pytest.approx((value * math.exp(-half_width), value * math.exp(half_width)))
        assert math.isnan(original)

    def test_intervals_widen_away_from_what_was_seen(self):
        seen = width(adder_period(1e5, 0.0, LEVELS_SEEN, 2.0))
        others = {
            "levels": [adder_period(1e5, 0.0, levels, 2.0) for levels in (3, 4, 5, 10)],
            "one level": [adder_period(1e5, 0.0, 1, 2.0)],
            "clock": [adder_period(1e5, 0.0, LEVELS_SEEN, clock) for clock in (2.5, 5.0, 25.0)],
            "fast clock": [adder_period(1e5, 0.0, LEVELS_SEEN, 1.0)],
            "small": [adder_period(lut, 0.0, LEVELS_SEEN, 2.0) for lut in (1e4, 1e3, 100)],
            "large": [adder_period(lut, 0.0, LEVELS_SEEN, 2.0) for lut in (4e5, 1.7e6)],
            "LUTs unsure": [adder_period(1e5, unsure, LEVELS_SEEN, 2.0) for unsure in (0.2, 0.5)],
        }
        for periods in others.values():
            widths = [seen, *map(width, periods)]
            assert all(a < b for a, b in itertools.pairwise(widths))

    @given(lut=LUTS, more=st.floats(1.001, 100), levels=st.integers(1, 20), clock=CLOCKS, unsure=st.floats(0, 1))
    def test_more_luts_are_never_faster(self, lut, more, levels, clock, unsure):
        less, greater = (adder_period(x, unsure, levels, clock) for x in (lut, min(lut * more, 2e6)))
        assert greater[VALUE] >= less[VALUE]
        assert greater[LOW] >= less[LOW]  # which decides what is over the limit

    @given(lut=LUTS, clock=CLOCKS)
    def test_as_many_levels_as_fit_the_clock(self, lut, clock):
        levels = adder_levels_per_cycle(lut, clock)
        assert levels == levels_per_cycle(lut, clock) >= 1
        assert adder_period(lut, 0.0, levels, clock)[VALUE] <= clock * (1 + 1e-12) or levels == 1
        assert adder_period(lut, 0.0, levels + 1, clock)[VALUE] > clock

    @given(lut=st.floats(1, 2e6))
    def test_growth_is_the_power_of_the_law(self, lut):
        less, more = (adder_period(lut * x, 0.0, 2, 2.0)[VALUE] for x in (0.999, 1.001))
        assert period_growth(lut) == pytest.approx(math.log(more / less) / math.log(1.001 / 0.999), abs=1e-6)
        assert 0 <= period_growth(lut) < 0.5

    def test_a_shallow_network_has_no_more_levels_between_registers_than_it_has(self):
        traits = expected_traits(np.array([[8, 4, 4]]), 4, 1, 6)
        fast, slow = (distributed_arithmetic(traits, 4, clock)[:, VALUE, 0] for clock in (25.0, 100.0))
        assert fast[QUANTITIES.index("latency_cycles")] == slow[QUANTITIES.index("latency_cycles")] == 2
        period = QUANTITIES.index("period_ns")
        assert fast[period] == slow[period] < 25
        levels = round(fast[period] / adder_period(fast[0], 0.0, 1, 25.0)[VALUE])
        assert 5 <= levels <= 20


class TestScheduled:
    @given(lut=LUTS, more=st.floats(1, 100), clock=CLOCKS)
    def test_it_is_no_faster_than_asked_and_more_luts_are_never_faster(self, lut, more, clock):
        less, greater = (scheduled_period(x, 0.5, clock)[VALUE] for x in (lut, lut * more))
        assert clock <= less <= greater
        assert scheduled_period(lut, 0.5, clock)[VALUE] >= adder_period(lut, 0.5, 2, clock)[VALUE]

    def test_interval_is_wider_than_that_of_placed_designs(self):
        value, low, high, _ = scheduled_period(1e4, 0.0, 5.0)
        assert (value, high) == pytest.approx((5, 5 * math.exp(0.4)))
        assert low == pytest.approx(5 * math.exp(-0.4))
        assert width(scheduled_period(1e5, 0.0, 2.0)) > 1.5 * width(adder_period(1e5, 0.0, 2, 2.0))


class TestFigures:
    def test_figures_say_where_it_comes_from(self):
        found = estimate(NETWORK, UNFOLDED, make_target())
        assert (found.period_ns.unit, found.period_ns.stage) == ("ns", "place-and-route")
        assert "JEDI-linear" in found.period_ns.source
        for mapping in (Mapping("latency", (1, 1, 1)), Mapping("resource", (13, 32, 32))):
            period = estimate(NETWORK, mapping, make_target()).period_ns
            assert period.value == 5
            assert "no place-and-route report" in period.source

    def test_achievable_latency_by_hand(self):
        found = replace(
            estimate(NETWORK, UNFOLDED, make_target()),
            latency_cycles=Figure(10, "cycles", "place-and-route", 5, 20),
            period_ns=Figure(4, "ns", "place-and-route", 3, 5),
        ).achievable_latency_ns
        assert (found.value, found.unit, found.stage) == (40, "ns", "place-and-route")
        assert found.low == pytest.approx(40 * math.exp(-math.hypot(math.log(2), math.log(4 / 3))))
        assert found.high == pytest.approx(40 * math.exp(math.hypot(math.log(2), math.log(5 / 4))))

    @pytest.mark.parametrize(
        ("cycles", "low", "high"),
        [((0, 0), 0, 0), ((0, 4), 0, 16 * 5 / 4)],  # an end of 0 has no logarithm; the other is as unsure as the period
    )
    def test_achievable_latency_of_no_cycles(self, cycles, low, high):
        best, worst = cycles
        found = replace(
            estimate(NETWORK, UNFOLDED, make_target()),
            latency_cycles=Figure(worst, "cycles", "csynth", best, worst),
            period_ns=Figure(4, "ns", "place-and-route", 3, 5),
        ).achievable_latency_ns
        assert (found.value, found.low, found.high) == (4 * worst, low, pytest.approx(high))

    def test_studies_from_before_have_none(self):
        found = replace(estimate(NETWORK, UNFOLDED, make_target()), period_ns=None)
        assert found.achievable_latency_ns is None
        assert "period" not in found.shares(make_target())
        assert found.is_feasible(make_target())

    @settings(max_examples=50, deadline=None)
    @given(low=st.floats(0.5, 10), above=st.floats(0, 5), clock=CLOCKS)
    def test_over_the_limit_is_what_is_sure_to_miss_the_clock(self, low, above, clock):
        target = make_target(clock_ns=clock)
        period = Figure(low + above, "ns", "place-and-route", low, low + 2 * above)
        found = replace(estimate(NETWORK, UNFOLDED, make_target()), period_ns=period)
        assert bool(found.violations(target)) is (low > clock) is (not found.is_feasible(target))
        assert found.shares(target)["period"] == low / clock
        assert found.constrained_share(target) == (low / clock if low > clock else found.share(target))

    def test_the_phrase(self):
        period = Figure(6.7, "ns", "place-and-route", 6.1, 7.3)
        found = replace(estimate(NETWORK, UNFOLDED, make_target()), period_ns=period)
        assert found.violations(make_target()) == ("period 6.1-7.3 ns, clock 5",)
