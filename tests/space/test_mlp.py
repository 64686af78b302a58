import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.errors import InputError
from nas_fpga.space import (
    BitWidths,
    Candidate,
    LearnedBits,
    MLPSpace,
    SpaceExhausted,
    TrainingSettings,
    TrainingSpace,
    depths_of,
    n_params_of,
    narrowest_of,
    rows_of,
    totals_of,
    widths_of,
)
from nas_fpga.space._base import SMALL


def bits(low, high):
    return {"weight_bits": (low, high), "activation_bits": (low, high)}


def wide_is_refused(rows):
    return np.log10(totals_of(rows) / 100), totals_of(rows) > 100


SPACES = {
    "reference": MLPSpace(13, 1, 2000),
    "narrow": MLPSpace(13, 1, 2000, max_width=150),
    "shallow": MLPSpace(16, 5, 64, max_layers=3, weight_bits=(4, 6), activation_bits=(8, 8)),
    "window": MLPSpace(13, 1, 500, min_params=1_000, max_params=20_000),
    "refused": MLPSpace(13, 1, 2000, prior_cost=wide_is_refused),
    "tight": MLPSpace(3, 1, 15),
    "learned": MLPSpace(13, 1, 2000, learned_bits=True, training=TrainingSpace(pressure=(1e-5, 3e-4))),
}


@pytest.fixture(params=list(SPACES))
def space(request):
    return SPACES[request.param]


def share(values, edges):
    return np.histogram(values, edges)[0] / len(values)


class TestSample:
    def test_a_hundred_thousand_proposals(self):
        space = SPACES["reference"]
        start = time.process_time()
        rows = space.sample(np.random.default_rng(6), 100_000)
        assert time.process_time() - start < 10  # 0.4 s measured
        depths, totals = depths_of(rows), totals_of(rows)
        assert totals.max() <= 2000
        assert rows[:, -2:].min() >= 2
        assert rows[:, -2:].max() <= 8
        assert all((np.diff((row > 0).astype(int)) <= 0).all() for row in widths_of(rows)[:2000])
        expected = 1 / np.arange(1, 16)
        expected *= 100_000 / expected.sum()
        counts = np.bincount(depths, minlength=16)[1:]
        chi2 = ((counts - expected) ** 2 / expected).sum()
        assert chi2 < 36.1  # 0.999 quantile for 14 degrees of freedom
        # The histograms that the docstring states; two per cent are a dozen standard errors.
        assert share(depths, [1, 2, 5, 9, 16]) == pytest.approx([0.30, 0.33, 0.19, 0.18], abs=0.02)
        assert share(totals, [1, 21, 201, 2001]) == pytest.approx([0.15, 0.38, 0.47], abs=0.02)
        assert share(narrowest_of(rows), [1, 4, 11, 101, 2001]) == pytest.approx([0.14, 0.23, 0.41, 0.22], abs=0.02)

    def test_layers_are_not_strangled(self):
        rows = SPACES["reference"].sample(np.random.default_rng(0), 20_000)
        rows = rows[totals_of(rows) >= 10 * depths_of(rows)]
        relative = narrowest_of(rows) * depths_of(rows) / totals_of(rows)
        assert np.quantile(relative, 0.01) > 0.1  # Dirichlet(1) shares: 0.01

    def test_bits_are_uniform(self):
        rows = SPACES["reference"].sample(np.random.default_rng(0), 49_000)
        counts = np.zeros((9, 9))
        np.add.at(counts, (rows[:, -2], rows[:, -1]), 1)
        assert ((counts[2:, 2:] - 1000) ** 2 / 1000).sum() < 84.0  # 0.999 quantile, 48 degrees of freedom

    def test_inside_the_space(self, space):
        rows = space.sample(np.random.default_rng(1), 3000)
        assert rows.shape == (3000, space.max_layers + 2 + len(space.training.names))
        assert space.feasible(rows).all()
        assert all(candidate in space for candidate in space.candidates(rows[:100]))
        rows = rows[:, : space.max_layers + 2]
        assert totals_of(rows).max() <= space.budget
        assert widths_of(rows).max() <= space.width_limit

    @pytest.mark.parametrize("name", ["reference", "narrow", "shallow", "window", "tight"])
    def test_every_depth_is_reached(self, name):
        space = SPACES[name]
        rows = space.sample(np.random.default_rng(2), 5000)
        assert set(depths_of(rows).tolist()) == set(range(1, space.max_layers + 1))

    def test_limits_reject(self):
        rows = SPACES["refused"].sample(np.random.default_rng(0), 3000)
        assert totals_of(rows).max() == 100
        params = n_params_of(SPACES["window"].sample(np.random.default_rng(0), 3000), 13, 1)
        assert params.min() >= 1000
        assert params.max() <= 20_000

    def test_same_seed_same_rows(self, space):
        assert np.array_equal(*(space.sample(np.random.default_rng(3), 100) for _ in range(2)))

    def test_where_nearly_all_is_refused_moves_make_up_the_number(self):
        def nearly_all(rows):
            return np.zeros(len(rows)), totals_of(rows) % 1000 != 999

        space = MLPSpace(13, 1, 2000, prior_cost=nearly_all)
        start = time.process_time()
        rows = space.sample(np.random.default_rng(0), 2000)
        assert time.process_time() - start < 5  # 0.4 s measured
        assert len(rows) == 2000
        assert set(totals_of(rows).tolist()) <= {999, 1999}
        assert len(np.unique(rows, axis=0)) > 100

    @pytest.mark.parametrize("seed", range(6))
    def test_what_was_found_once_is_always_found(self, seed):
        space = MLPSpace(13, 1, 2000, min_params=990_000, max_params=1_000_000)  # one in 70,000 is drawn
        rows = space.sample(np.random.default_rng(seed), 300)
        assert len(rows) == 300
        assert space.feasible(rows).all()
        assert len(np.unique(rows, axis=0)) > 100
        found = list(itertools.islice(space.unseen(np.random.default_rng(seed), []), 500))
        assert len(set(found)) == 500
        assert all(candidate in space for candidate in found)

    def test_rare_candidates_are_found_by_enumeration(self):
        def only_one(rows):
            return np.zeros(len(rows)), (rows[:, :3] != [1, 28, 1]).any(axis=1)

        space = MLPSpace(2, 1, 30, max_layers=3, prior_cost=only_one, **bits(6, 6))
        expected = Candidate((1, 28, 1), BitWidths(6, 6))
        assert set(space.candidates(space.sample(np.random.default_rng(0), 50))) == {expected}
        assert list(space.unseen(np.random.default_rng(0), [])) == [expected]
        assert list(space.unseen(np.random.default_rng(0), [expected])) == []


class TestUnseen:
    def test_a_hundred_thousand_asked_are_distinct_and_inside(self):
        space = SPACES["reference"]
        start = time.process_time()
        asked = list(itertools.islice(space.unseen(np.random.default_rng(6), []), 100_000))
        assert time.process_time() - start < 30
        assert len(set(asked)) == 100_000
        assert space.feasible(space.rows(asked)).all()
        assert {candidate.n_layers for candidate in asked} == set(range(1, 16))

    def test_none_twice_none_taken(self, space):
        first = list(itertools.islice(space.unseen(np.random.default_rng(0), []), 40))
        second = list(itertools.islice(space.unseen(np.random.default_rng(0), first[:20]), 40))
        assert len(set(first)) == 40
        assert second[:20] == first[20:]
        assert not set(second) & set(first[:20])

    def test_all_of_a_small_space_is_reached(self):
        space = MLPSpace(3, 1, 6, max_layers=4, max_width=3, weight_bits=(2, 3), activation_bits=(4, 4))
        everything = list(space.enumerate())
        rest = list(space.unseen(np.random.default_rng(0), everything[:30]))
        assert sorted(rest) == sorted(everything[30:])

    @pytest.mark.parametrize(("n_inputs", "most", "n_before"), [(8, 60, 91), (16, 100, 621)])
    def test_what_is_left_of_a_large_space_by_its_limits_is_reached_by_moves(self, n_inputs, most, n_before):
        space = MLPSpace(n_inputs, 1, 200, max_params=most, **bits(6, 6))
        assert space.size() > SMALL
        found = list(itertools.islice(space.unseen(np.random.default_rng(2), []), 10 * n_before))
        assert len(set(found)) == len(found) == 10 * n_before
        assert space.feasible(space.rows(found)).all()
        rest = list(itertools.islice(space.unseen(np.random.default_rng(3), found), 50))
        assert not set(rest) & set(found)
        assert len(rest) == 50

    def test_deeper_candidates_than_the_space_are_ignored(self):
        space = MLPSpace(3, 1, 6, max_layers=2)
        deep = Candidate((1, 1, 1), BitWidths(6, 6))
        assert deep not in space
        assert next(space.unseen(np.random.default_rng(0), [deep])) in space


class TestMoves:
    def test_inside_the_space(self, space):
        rng = np.random.default_rng(0)
        moved = space.moves(rng, space.sample(rng, 50), 4000)
        assert space.feasible(moved).all()
        assert len(moved) > 2000

    def test_neighbours_are_near(self):
        space = SPACES["reference"]
        rng = np.random.default_rng(0)
        start = space.rows([Candidate((100, 100, 100), BitWidths(6, 6))])
        moved = space.moves(rng, start, 4000)
        assert set(depths_of(moved).tolist()) == {2, 3, 4}
        assert set(moved[:, -2].tolist()) == {5, 6, 7}
        assert np.quantile(np.abs(np.log(totals_of(moved) / 300)), 0.9) < 1
        assert len(np.unique(moved, axis=0)) > 500

    def test_the_budget_holds_at_its_edge(self):
        space = MLPSpace(13, 1, 300, max_width=120)
        start = space.rows([Candidate((120, 100, 80), BitWidths(8, 8))])
        moved = space.moves(np.random.default_rng(0), start, 4000)
        assert len(moved) == 4000  # shrunk, not dropped
        assert totals_of(moved).max() == 300
        assert widths_of(moved).max() == 120
        assert moved[:, -2:].max() == 8


class TestEncodings:
    def test_unit_cube_round_trip(self, space):
        rows = space.sample(np.random.default_rng(4), 3000)
        points = space.to_unit(rows)
        assert points.shape == (3000, space.n_unit)
        assert points.min() >= 0
        assert points.max() <= 1
        assert np.array_equal(space.from_unit(points), rows)

    def test_any_point_decodes_to_a_feasible_candidate(self, space):
        rng = np.random.default_rng(5)
        corners = rng.integers(0, 2, size=(200, space.n_unit)).astype(float)
        points = np.concatenate([rng.random((800, space.n_unit)), corners])
        assert space.feasible(space.from_unit(points)).all()

    def test_features(self):
        space = MLPSpace(13, 1, 1000, max_layers=4)
        rows = space.rows([Candidate((100, 10), BitWidths(8, 2)), Candidate((10,), BitWidths(4, 8))])
        features = space.encode(rows)
        assert features.shape == (2, 11)
        assert features[0, [0, 1, 2]] == pytest.approx([0.5, np.log10(110) / 3, 1 / 3])
        assert features[0, 3] == pytest.approx(np.log10(14 * 100 + 101 * 10 + 11) / 6)
        assert features[0, 4:] == pytest.approx([2 / 3, 7 / 12, 1 / 2, 5 / 12, 1 / 3, 1, 1 / 3])
        assert features[1, 4:9] == pytest.approx([1 / 3] * 5)

    def test_features_do_not_depend_on_padding(self):
        space = SPACES["reference"]
        candidate = Candidate((30, 20, 10), BitWidths(6, 6))
        assert np.array_equal(space.encode(rows_of([candidate], 3)), space.encode(rows_of([candidate], 20)))

    def test_candidates_too_deep_for_a_row_have_features(self):
        space = MLPSpace(13, 1, 1000, max_layers=4)
        deep = Candidate((30, 20, 10, 10, 20, 30), BitWidths(6, 6))
        assert not space.has_row(deep)
        assert space.has_features(deep)
        assert space.features([deep])[0, 0] == pytest.approx(np.log(6) / np.log(4))

    def test_prior_share(self):
        space = MLPSpace(13, 1, 2000)
        shares = space.prior_log10_share(space.sample(np.random.default_rng(0), 2000))
        assert shares.max() <= 0
        assert shares.min() > -8
        rows = space.rows([Candidate((10,), BitWidths(2, 3)), Candidate((10,), BitWidths(6, 4))])
        assert np.diff(space.prior_log10_share(rows))[0] == pytest.approx(np.log10(4))

    def test_prior_share_of_the_largest_budget(self):
        space = MLPSpace(13, 1, 10**9, max_layers=2)  # bit operations beyond 64 bits
        (share,) = space.prior_log10_share(space.rows([Candidate((5 * 10**8, 5 * 10**8), BitWidths(8, 8))]))
        assert share == pytest.approx(0, abs=1e-6)


class TestWhole:
    @settings(deadline=None, max_examples=40)
    @given(st.integers(1, 4), st.integers(0, 5), st.integers(1, 9), st.integers(2, 3))
    def test_size_counts_what_is_enumerated(self, max_layers, more, max_width, high):
        space = MLPSpace(2, 1, max_layers + more, max_layers, max_width, (2, high), (5, 5))
        everything = list(space.enumerate())
        assert len(everything) == len(set(everything)) == space.size()
        assert all(c in space for c in everything)
        assert everything == sorted(everything, key=lambda c: (c.n_layers, c.topology, c.bits))

    @settings(deadline=None, max_examples=40)
    @given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 5), st.integers(1, 9), st.integers(0, 2**32 - 1))
    def test_least_depth(self, min_layers, deeper, more, max_width, seed):
        max_layers = min_layers + deeper
        shared = {"max_layers": max_layers, "max_width": max_width, **bits(5, 5)}
        every = MLPSpace(2, 1, max_layers + more, **shared)
        space = MLPSpace(2, 1, max_layers + more, min_layers=min_layers, **shared)
        assert list(space.enumerate()) == [c for c in every.enumerate() if c.n_layers >= min_layers]
        assert space.size() == len(list(space.enumerate()))
        rng = np.random.default_rng(seed)
        drawn = space.sample(rng, 30)
        shallow = every.rows([Candidate((1,) * max(min_layers - 1, 1), BitWidths(5, 5))])
        assert space.feasible(shallow)[0] == (min_layers == 1)
        moved = space.moves(rng, drawn, 60)
        decoded = space.from_unit(rng.random((30, space.n_unit)))
        for rows in (drawn, moved, decoded):
            assert (depths_of(rows) >= min_layers).all()
            assert all(candidate in space for candidate in space.candidates(rows))
        np.testing.assert_array_equal(space.from_unit(space.to_unit(drawn)), drawn)

    @pytest.mark.parametrize(("least", "said"), [(0, "min layers 0 must be at least 1"), (4, "is above the 3 layers")])
    def test_least_depth_that_is_none(self, least, said):
        with pytest.raises(InputError, match=said):
            MLPSpace(2, 1, 9, max_layers=3, min_layers=least)

    def test_one_depth_is_drawn_alone(self):
        space = MLPSpace(13, 1, 96, max_layers=3, max_width=32, min_layers=3, **bits(6, 6))
        rows = space.sample(np.random.default_rng(0), 2000)
        assert set(depths_of(rows).tolist()) == {3}
        assert len(np.unique(rows, axis=0)) > 1500
        # Mean widths are log-uniform from 2 sqrt(3) to 32; the median's standard error is 2.5 %.
        assert np.median(totals_of(rows)) == pytest.approx(3 * (2 * 3**0.5 * 32) ** 0.5, rel=0.1)

    def test_size_of_the_reference_space(self):
        # Three layers of the reference work's budget, one choice of bits: sum of C(2000, d), d = 1, 2, 3.
        assert MLPSpace(13, 1, 2000, max_layers=3, **bits(6, 6)).size() == 2000 + 1_999_000 + 1_331_334_000
        assert len(str(SPACES["reference"].size())) == 40

    def test_membership(self):
        space = MLPSpace(13, 1, 100, max_layers=3, max_width=60, **bits(4, 6), max_params=3000)
        six = BitWidths(6, 6)
        assert Candidate((50, 30), six) in space
        for topology, both in [
            ((61,), six),
            ((50, 51), six),
            ((2, 2, 2, 2), six),
            ((50, 49), six),  # 700 + 2,499 + 50 parameters
            ((5,), BitWidths(3, 6)),
            ((5,), BitWidths(6, 7)),
            ((3_000_000_000,), six),  # more than a row holds
            ((5,), BitWidths(6, 99_999_999_999)),
        ]:
            assert Candidate(topology, both) not in space
        assert Candidate((5,), six, TrainingSettings(epochs=1)) not in space
        assert "5 w6a6" not in space

    def test_learned_bits_are_a_space_of_their_own(self):
        space = MLPSpace(13, 1, 100, max_layers=3, learned_bits=True, training=TrainingSpace(pressure=(1e-5, 1e-3)))
        pressed = TrainingSettings(pressure=1e-4)
        assert Candidate((50, 30), LearnedBits(), pressed) in space
        assert Candidate((50, 30), LearnedBits(), TrainingSettings(pressure=1e-2)) not in space
        assert Candidate((50, 30), BitWidths(3, 3), pressed) not in space
        assert Candidate((50, 30), LearnedBits()) not in MLPSpace(13, 1, 100)
        assert not MLPSpace(13, 1, 100).has_architecture_of(Candidate((50, 30), LearnedBits()))
        # without a range of bits there is one architecture for each topology
        fixed = MLPSpace(13, 1, 100, max_layers=3, **bits(6, 6))
        assert space.size() == 101 * fixed.size()
        drawn = space.candidates(space.sample(np.random.default_rng(1), 50))
        assert {candidate.bits for candidate in drawn} == {LearnedBits()}
        assert len({candidate.settings.pressure for candidate in drawn}) > 25

    def test_exhaustion_carries_what_is_left(self):
        left = [Candidate((5,), BitWidths(6, 6))]
        error = SpaceExhausted(left, 3)
        assert error.remaining == tuple(left)
        assert str(error).startswith("1 new candidates are left of 3 asked")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0}, "budget 0 must be at least 1"),
        ({"budget": 10**9 + 1}, "budget 1000000001 must be at most 1000000000"),
        ({"budget": 10}, "budget 10 is smaller than the 15 layers"),
        ({"budget": 20, "max_layers": 21}, "budget 20 is smaller than the 21 layers"),
        ({"max_layers": 0}, "max layers 0"),
        ({"max_width": 0}, "max width 0"),
        ({"weight_bits": (1, 6)}, "weight bits 1:6"),
        ({"weight_bits": (6, 9)}, "weight bits 6:9"),
        ({"activation_bits": (6, 4)}, "activation bits 6:4"),
        ({"min_params": 10, "max_params": 5}, "min params 10 is above max params 5"),
        ({"max_params": 10}, "0 to 10 parameters"),
        ({"min_params": 10**9}, "1000000000 to any number of parameters"),
        ({"prior_cost": lambda rows: (np.zeros(len(rows)), np.ones(len(rows), bool))}, "limits allow"),
    ],
)
def test_bad_spaces_end_with_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as error:
        MLPSpace(**{"n_inputs": 13, "n_outputs": 1, "budget": 100, **arguments})
    assert "\n" not in str(error.value)
