from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_fpga.errors import InputError
from nas_fpga.hardware import DEFAULT_PART, RESOURCES, find_part, known_parts, log10_share, make_target, parse_region


def test_default_part_is_that_of_the_reports():
    part = find_part(DEFAULT_PART)
    assert (part.lut, part.ff, part.dsp, part.bram18, part.slrs) == (1_728_000, 3_456_000, 12_288, 5_376, 4)


@pytest.mark.parametrize("name", ["xcvu13p", "XCVU13P", "xcvu13p-fhga2104-3-e", " xcvu13p-flga2577-2-e "])
def test_package_and_speed_may_be_left_out_or_differ(name):
    assert find_part(name).name == "xcvu13p-flga2577-2-e"


def test_seven_series_names_have_no_dash_before_the_package():
    assert find_part("xc7z020").name == find_part("xc7z020clg484-2").name == "xc7z020clg400-1"


@pytest.mark.parametrize(("name", "near"), [("xcvu13", "xcvu13p"), ("vu9p", "xcvu9p"), ("xcku116-x", "xcku115")])
def test_unknown_part_suggests_the_nearest(name, near):
    with pytest.raises(InputError, match=f"part '{name}' is not known, did you mean {near}"):
        find_part(name)


@pytest.mark.parametrize("name", ["", "xc7z020zzz", "xcvu13pq"])
def test_what_is_no_part_is_refused(name):
    with pytest.raises(InputError, match="not known"):
        find_part(name)


def test_all_parts_find_themselves():
    for part in known_parts():
        assert find_part(part.name) is part
        assert min(part.lut, part.ff, part.dsp, part.bram18, part.slrs) > 0
        assert part.ff == 2 * part.lut  # true of every Xilinx device since the 7 series


def test_regions():
    part = find_part(DEFAULT_PART)
    assert parse_region("slr", part).lut == 432_000
    assert parse_region("part", part).dsp == 12_288
    assert parse_region("5%", part).bram18 == pytest.approx(268.8)
    assert make_target().limits.dsp == 3_072


@pytest.mark.parametrize("region", ["", "half", "5", "0%", "-5%", "101%", "nan%", "%"])
def test_wrong_regions(region):
    with pytest.raises(InputError, match="must be slr, part, or a share"):
        parse_region(region, find_part(DEFAULT_PART))


@pytest.mark.parametrize(
    "option", ["clock_ns", "rate_mhz", "max_latency_ns", "max_luts", "max_ffs", "max_dsps", "max_brams"]
)
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_numbers_must_be_positive_and_finite(option, value):
    with pytest.raises(InputError, match=r"must be a finite number above 0"):
        make_target(**{option: value})


def test_limits_replace_those_of_the_region():
    limits = make_target(region="5%", max_luts=1000, max_latency_ns=200).limits
    assert (limits.lut, limits.latency_ns) == (1000, 200)
    assert limits.ff == pytest.approx(172_800)


def test_limits_above_the_part_and_wrong_objectives():
    with pytest.raises(InputError, match="above the part's 12,288"):
        make_target(max_dsps=20_000)
    with pytest.raises(InputError, match="objective 'luts' is not one of share, lut"):
        make_target(objective="luts")


@pytest.mark.parametrize(
    ("rate", "clock", "interval", "copies"),
    [
        (40, 5, 1, 1),
        (40, 5, 5, 1),
        (40, 5, 6, 2),
        (40, 5, 10, 2),
        (40, 5, 13, 3),
        (40, 2.5, 10, 1),
        (360, 2.5, 1, 1),
        (400, 2.5, 1, 1),
        (440, 2.5, 1, 2),
        (0.1, 5, 1024, 1),
    ],
)
def test_copies(rate, clock, interval, copies):
    assert make_target(rate_mhz=rate, clock_ns=clock).copies(interval) == copies


@given(n=st.integers(1, 10_000), clock_tenths=st.integers(10, 200))
def test_copies_are_exact_at_integers(n, clock_tenths):
    """n inferences per interval of exactly n clock periods need n x interval copies, whatever the float rounding."""
    clock = clock_tenths / 10
    assert make_target(clock_ns=clock, rate_mhz=1e3 / clock).copies(n) == n


def test_copies_of_an_array_are_those_of_its_values():
    intervals = np.array([[1, 5], [6, 1024]])
    assert make_target().copies(intervals).tolist() == [[1, 1], [2, 205]]


@pytest.mark.parametrize(
    ("objective", "axis"),
    [("share", RESOURCES), ("lut", ("lut",)), ("bram", ("bram18",)), ("latency", ("latency",))],
)
def test_the_objective_names_the_axis(objective, axis):
    assert make_target(objective=objective).axis == axis


def test_log10_of_a_share_is_finite():
    assert log10_share(0.01) == pytest.approx(-2)
    assert [log10_share(0), log10_share(0.0), log10_share(1e-9)] == [-6, -6, -6]
    assert type(log10_share(0.1)) is float
    assert log10_share(np.array([0.0, 1.0, 10.0])).tolist() == [-6, 0, 1]
