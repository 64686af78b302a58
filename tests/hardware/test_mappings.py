from __future__ import annotations

import time

import numpy as np
import pytest

from nas_fpga.hardware import (
    MOST_MAPPINGS,
    Mapping,
    allowed_reuse_factors,
    buildable_reuse_factors,
    enumerate_mappings,
    ladder_of_mappings,
    make_target,
)
from nas_fpga.hardware._mappings import REUSE_TARGETS, UNROLL_LIMIT, multiplier_limit, nearest_reuse_factors


def test_allowed_reuse_factors_are_those_of_hls4ml():
    """Equality over 1,000 random shapes with the rule as hls4ml itself applies it."""
    from hls4ml.backends import get_backend

    backend = get_backend("Vivado")
    rng = np.random.default_rng(3)
    for n_in, n_out in [(1, 1), (13, 1), (1, 64), *rng.integers(1, 97, (1000, 2)).tolist()]:
        assert list(allowed_reuse_factors(n_in, n_out)) == backend.get_valid_reuse_factors(n_in, n_out), (n_in, n_out)


def test_reuse_factors_of_absurd_layers_are_there_at_once():
    """A budget may be of any size; most of what it allows is refused, and must be so before a user wonders."""
    start = time.perf_counter()
    assert allowed_reuse_factors(10**9 + 7, 1) == (1, 10**9 + 7)
    assert allowed_reuse_factors(1, 30_030**2)[:6] == (1, 2, 3, 4, 5, 6)
    assert len(allowed_reuse_factors(1, 30_030**2)) == 3**6
    assert time.perf_counter() - start < 2  # trying all smaller numbers takes minutes


@pytest.mark.parametrize(
    ("asked", "limit"), [((3, 5, 4, 0), 4), ((3, 5, 4, 7), 3), ((3, 5, 1, 7), 8), ((32, 64, 1024, 1023), 2)]
)
def test_multiplier_limit(asked, limit):
    """The rounded-up share of all weights less that, rounded down, of those that are 0."""
    assert multiplier_limit(*asked) == limit


def test_multiplier_limit_is_what_hls4ml_writes():
    """The formula of hls4ml's Latency configuration, which is C++ with unsigned integers."""
    from hls4ml.backends.vivado.passes.core_templates import dense_config_template

    assert "DIV_ROUNDUP(n_in * n_out, reuse_factor) - n_zeros / reuse_factor;" in dense_config_template


def test_large_layers_are_not_unrolled():
    """64 x 63 weights are the most at reuse factor 1."""
    assert buildable_reuse_factors("latency", 64, 63) == (1,)
    assert buildable_reuse_factors("latency", 64, 64) == ()
    assert buildable_reuse_factors("resource", 64, 63) == allowed_reuse_factors(64, 63)
    assert buildable_reuse_factors("resource", 64, 64) == allowed_reuse_factors(64, 64)[1:]
    assert buildable_reuse_factors("distributed_arithmetic", 500, 500) == (1,)


def test_ladder_takes_the_nearest_allowed_as_hls4ml_does():
    from hls4ml.backends import get_backend

    backend = get_backend("Vivado")
    shapes = [(13, 48), (48, 30), (30, 7), (7, 1)]
    found = enumerate_mappings(shapes, make_target(max_latency_ns=1e6))
    reuse = {mapping.reuse_factors for mapping in found if mapping.strategy == "resource"}
    for aim in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024):
        nearest = tuple(backend.get_closest_reuse_factor(backend.get_valid_reuse_factors(*s), aim) for s in shapes)
        assert nearest in reuse


def test_arrays_of_layers_take_the_nearest_allowed():
    rng = np.random.default_rng(0)
    n_in, n_out = rng.integers(1, 150, (2, 40, 5))
    found = nearest_reuse_factors(n_in, n_out)
    assert found.shape == (len(REUSE_TARGETS), 40, 5)
    for (k, i, j), factor in np.ndenumerate(found):
        allowed = allowed_reuse_factors(n_in[i, j], n_out[i, j])
        if n_in[i, j] * n_out[i, j] >= UNROLL_LIMIT:
            allowed = allowed[1:]
        assert factor == min(allowed, key=lambda each: (abs(each - REUSE_TARGETS[k]), each))


def test_what_hls4ml_refuses_is_never_enumerated():
    shapes = [(64, 64), (64, 8)]  # 4,096 weights: not unrolled in any strategy of hls4ml
    found = enumerate_mappings(shapes, make_target())
    assert "latency" not in {mapping.strategy for mapping in found}
    assert all(mapping.reuse_factors[0] > 1 for mapping in found if mapping.strategy == "resource")
    assert "latency" in {mapping.strategy for mapping in enumerate_mappings([(64, 63)], make_target())}


def test_a_large_layer_of_primes_is_never_unrolled():
    for mapping in enumerate_mappings([(67, 71)], make_target(max_latency_ns=1e6)):
        assert mapping.strategy == "distributed_arithmetic" or mapping.reuse_factors[0] in (67, 67 * 71)


def test_mappings_are_distinct_and_keep_the_latency_limit():
    found = enumerate_mappings([(13, 16), (16, 1)], make_target(max_latency_ns=300))
    assert len(set(found)) == len(found)
    assert max(sum(mapping.reuse_factors) for mapping in found if mapping.strategy == "resource") <= 60


def test_where_nothing_is_refused_the_ladder_is_whole_at_any_clock():
    shapes = [(16, 64), (64, 64), (64, 5)]
    found = enumerate_mappings(shapes, make_target(region="unlimited", clock_ns=1000, rate_mhz=0.1))
    assert found == ladder_of_mappings(shapes)
    assert str(found[-1]) == "resource rf 1024/1024/320"


@pytest.mark.parametrize(
    "shapes", [[(13, 16), (16, 1)], [(64, 64), (64, 8)], [(13, 132), (132, 35), (35, 1)], [(1, 1)]]
)
@pytest.mark.parametrize("limits", [{}, {"clock_ns": 2.5}, {"clock_ns": 10.0}, {"max_latency_ns": 100}])
def test_clock_and_latency_limit_take_rungs_from_the_end_of_one_ladder(shapes, limits):
    target = make_target(**limits)
    ladder = ladder_of_mappings(shapes)
    found = enumerate_mappings(shapes, target)
    assert found == ladder[: len(found)]
    assert all(sum(m.reuse_factors) * target.clock_ns > target.limits.latency_ns for m in ladder[len(found) :])
    assert len(ladder) <= MOST_MAPPINGS


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        (Mapping("distributed_arithmetic", (1, 1)), "da"),
        (Mapping("latency", (1, 1)), "latency"),
        (Mapping("resource", (8, 8, 4)), "resource rf 8/8/4"),
    ],
)
def test_text(mapping, text):
    assert str(mapping) == text
