from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_fpga.errors import InputError
from nas_fpga.hardware import (
    DEFAULT_PART,
    RESOURCES,
    as_told,
    find_part,
    known_boards,
    known_parts,
    log10_share,
    make_target,
    parse_region,
)
from nas_fpga.hardware._limits import share_of


def test_default_part_is_that_of_the_reports():
    part = find_part(DEFAULT_PART)
    assert (part.lut, part.ff, part.dsp, part.bram18, part.slrs) == (1_728_000, 3_456_000, 12_288, 5_376, 4)


@pytest.mark.parametrize("name", ["xcvu13p", "XCVU13P", "vu13p", " xcvu13p-flga2577-2-e ", "Serenity-S1"])
def test_a_device_or_board_stands_for_a_part(name):
    assert find_part(name).name == "xcvu13p-flga2577-2-e"


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("xcvu13p-fhga2104-3-e", "xcvu13p"),
        ("xc7z020clg484-2", "xc7z020"),
        ("xc7a35ticsg324-1L", "xc7a35t"),
        ("xc7vx690tffg1761-3", "xc7vx690t"),
    ],
)
def test_a_full_name_is_kept_and_holds_what_its_device_does(name, device):
    part = find_part(name)
    assert (part.name, part.device) == (name, device)
    assert replace(part, name="") == replace(find_part(device), name="")


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("vu13p-flga2577-2-e", "xcvu13p-flga2577-2-e"),
        ("XCVU13P-FHGA2104-3-E", "xcvu13p-fhga2104-3-e"),
        ("XCU250-FIGD2104-2-E", "xcu250-figd2104-2-e"),
        ("u250-figd2104-2l-e", "xcu250-figd2104-2L-e"),
        ("K26-SFVC784-2LV-C", "xck26-sfvc784-2LV-c"),
        ("7A35TICSG324-1L", "xc7a35ticsg324-1L"),
        ("xc7z020CLG484-2", "xc7z020clg484-2"),
        ("7z020", "xc7z020clg400-1"),
    ],
)
def test_a_name_is_spelled_as_the_vendor_does(name, spelled):
    assert find_part(name).name == spelled


@pytest.mark.parametrize(
    ("board", "lut", "bram36", "uram"),
    [("pynq-z2", 53_200, 140, 0), ("ZCU104", 230_400, 312, 96), ("alveo-u55c", 1_303_680, 2_016, 960)],
)
def test_boards(board, lut, bram36, uram):
    part = find_part(board)
    assert (part.lut, part.bram36, part.bram18, part.uram) == (lut, bram36, 2 * bram36, uram)


def test_every_board_has_a_part_of_its_own_name():
    for board in known_boards():
        assert find_part(find_part(board).name).device in {part.device for part in known_parts()}
    names = [part.device for part in known_parts()] + list(known_boards())
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "near"),
    [("xcvu13", "xcvu13p"), ("xcku116-x", "xcku115"), ("zcu103", "zcu102"), ("alveo-u55", "alveo-u55c")],
)
def test_unknown_part_suggests_the_nearest(name, near):
    with pytest.raises(InputError, match=f"part '{name}' is not known, did you mean {near}"):
        find_part(name)


@pytest.mark.parametrize("name", ["", "xc7z020zzz", "xcvu13pq", "xc", "xc7"])
def test_what_is_no_part_is_refused(name):
    with pytest.raises(InputError, match="not known"):
        find_part(name)


def test_all_parts_find_themselves():
    for part in known_parts():
        assert find_part(part.name) is part
        assert min(part.lut, part.ff, part.dsp, part.bram36, part.slrs) > 0
        assert part.uram >= 0
        assert part.source.startswith("DS")


def test_regions():
    part = find_part(DEFAULT_PART)
    assert parse_region("slr", part).lut == 432_000
    assert parse_region("part", part).dsp == 12_288
    assert parse_region("5%", part).bram18 == pytest.approx(268.8)
    assert make_target().limits.dsp == 3_072


@pytest.mark.parametrize("region", ["", "half", "5", "0%", "-5%", "101%", "nan%", "%"])
def test_wrong_regions(region):
    with pytest.raises(InputError, match="must be slr, part, a share of the part such as 5%, or unlimited"):
        parse_region(region, find_part(DEFAULT_PART))


class TestUnlimited:
    def test_shares_are_of_the_part(self):
        target, part = make_target(region="unlimited"), make_target(region="part")
        assert target.unlimited
        assert not part.unlimited
        assert target.limits == part.limits

    @pytest.mark.parametrize("limit", [{"max_luts": 1000}, {"max_brams": 1}, {"max_latency_ns": 200.0}])
    def test_has_no_limits(self, limit):
        with pytest.raises(InputError, match="region unlimited has no limits"):
            make_target(region="unlimited", **limit)

    def test_samplers_are_told_shares_that_none_of_them_takes_for_refused(self):
        shares = np.array([0.5, 1.0, 7.0])
        assert (log10_share(as_told(shares, make_target(region="unlimited"))) < 0).all()
        assert as_told(0.5, make_target(region="unlimited")) == 0.5
        told = as_told(shares, make_target())
        assert list(log10_share(told) < 0) == [True, True, False]  # a share of 1 breaks no limit
        np.testing.assert_array_equal(told[[0, 2]], shares[[0, 2]])
        assert log10_share(as_told(1.0, make_target())) < 0


@pytest.mark.parametrize("option", ["clock_ns", "rate_mhz", "max_latency_ns", "max_luts", "max_ffs"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_numbers_must_be_positive_and_finite(option, value):
    with pytest.raises(InputError, match=r"must be a finite number above 0"):
        make_target(**{option: value})


@pytest.mark.parametrize(("option", "said"), [("clock_ns", "clock period 1e.22 ns"), ("rate_mhz", "rate 1e.22 MHz")])
def test_numbers_whose_copies_cannot_be_counted_are_refused(option, said):
    with pytest.raises(InputError, match=f"{said} must be at most 1,000,000"):
        make_target(**{option: 1e22})
    assert make_target(clock_ns=1e6, rate_mhz=1e6).copies(1000) == pytest.approx(1e12)


@pytest.mark.parametrize("option", ["max_dsps", "max_brams"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_limits_of_what_a_design_can_do_without_are_not_negative_and_finite(option, value):
    with pytest.raises(InputError, match=r"must be a finite number of at least 0"):
        make_target(**{option: value})
    assert make_target(**{option: 0}).limits != make_target().limits


def test_shares_of_limits_of_0_are_0_or_infinite():
    used = np.array([0.0, 0.0, 3.0, 3.0, math.inf, math.inf])
    limit = np.array([0.0, 12.0, 0.0, 12.0, 0.0, 12.0])
    assert share_of(used, limit).tolist() == [0, 0, math.inf, 0.25, math.inf, math.inf]
    assert share_of(np.ones((2, 6)), limit[:1]).tolist() == [[math.inf] * 6] * 2
    assert [share_of(*pair) for pair in zip(used.tolist(), limit.tolist(), strict=True)] == share_of(
        used, limit
    ).tolist()
    assert log10_share(as_told(share_of(3, 0), make_target())) == math.inf


def test_a_limit_is_one_of_whole_things_in_every_copy():
    used, limit = np.array([0.4, 0.6, 3.4, 3.6, 3.4, 3.4]), np.array([0.0, 0.0, 3.0, 3.0, 9.0, 8.0])
    copies = np.array([5, 1, 1, 1, 3, 3])
    shares = share_of(used, limit, copies)
    assert shares.tolist() == [0, math.inf, 1, 3.6 / 3, 1, 3 * 3.4 / 8]
    assert [
        share_of(*one) for one in zip(used.tolist(), limit.tolist(), copies.tolist(), strict=True)
    ] == shares.tolist()


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
