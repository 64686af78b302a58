import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.errors import InputError
from nas_fpga.space import TRAINING_PRESETS, BitWidths, Candidate, MLPSpace, TrainingSettings, TrainingSpace
from nas_fpga.space._training import SETTING_SCALES

TRAINING = TRAINING_PRESETS["lcm-cifar10"]
SPACE = MLPSpace(13, 1, 300, training=TRAINING)
ENDS = {
    "log": st.floats(1e-8, 0.9),
    "linear": st.floats(0, 0.95),
    "distance to 1": st.floats(0.5, 0.9999),
    "integers": st.integers(1, 5000),
    "powers of two": st.integers(0, 14).map(lambda k: 2**k),
}


@st.composite
def training_spaces(draw):
    ranges = {}
    for name in draw(st.lists(st.sampled_from(sorted(SETTING_SCALES)), min_size=1, max_size=5, unique=True)):
        ends = ENDS[SETTING_SCALES[name]]
        low, high = sorted(draw(st.tuples(ends, ends).filter(lambda two: abs(two[1] - two[0]) > 1e-6)))
        ranges[name] = (low, high)
    return TrainingSpace(**ranges)


@given(training_spaces(), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_settings_and_levels_are_each_others_inverse(training, seed):
    rng = np.random.default_rng(seed)
    levels = training.sample(rng, 20)
    levels[:2] = [0] * len(training.names), training.counts - 1
    found = training.settings(levels, TrainingSettings())
    assert np.array_equal(training.levels(found), levels)
    assert np.array_equal(training.from_unit(training.to_unit(levels)), levels)
    assert training.inside(training.from_unit(rng.random((20, len(training.names))))).all()
    for name, (low, high) in training.ranges.items():
        values = [getattr(of, name) for of in found]
        assert (values[0], values[1]) == (low, high)
        assert low <= min(values) <= max(values) <= high
        assert {type(value) for value in values} == {type(getattr(TrainingSettings(), name))}
    moved = training.moves(rng, levels)
    assert training.inside(moved).all()
    assert ((moved != levels).sum(axis=1) == 1).all()


def test_scales():
    training = TrainingSpace(
        learning_rate=(1e-4, 1e-2), batch_size=(100, 1024), epochs=(3, 6), beta_2=(0.9, 0.999), dropout=(0, 0.5)
    )
    values = dict(zip(training.names, training.values, strict=True))
    assert values["learning_rate"][50] == pytest.approx(1e-3)
    assert values["batch_size"] == (128, 256, 512, 1024)
    assert values["epochs"] == (3, 4, 5, 6)
    assert values["beta_2"][50] == pytest.approx(0.99)
    assert values["dropout"][50] == pytest.approx(0.25)
    assert training.size == 101 * 4 * 4 * 101 * 101
    assert len(TrainingSpace(epochs=(10, 5000)).values[0]) == 101


def test_the_nearest_level_is_taken():
    training = TrainingSpace(learning_rate=(1e-4, 1e-2), weight_decay=(1e-4, 1e-1), batch_size=(64, 1024))
    levels = training.levels([TrainingSettings(1.001e-3, batch_size=200), TrainingSettings(5.0, batch_size=1)])
    assert levels.tolist() == [[50, 2, 0], [100, 0, 0]]  # no weight decay is below every range of it


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (
            {"learning_rate": (0, 1)},
            "--search-training learning-rate=0:1 must have ends that are a finite",
        ),
        ({"learning_rate": (1e-3, math.inf)}, "learning-rate=0.001:inf must have ends that are a finite number"),
        ({"learning_rate": (1e-2, 1e-3)}, "learning-rate=0.01:0.001 must rise; to fix it give --learning-rate 0.01"),
        ({"epochs": (5, 5)}, "epochs=5:5 must rise; to fix it give --epochs 5"),
        ({"weight_decay": (0, 0.1)}, "weight-decay=0:0.1 must begin above 0, such as 1e-5: its scale is logarithmic"),
        ({"batch_size": (100, 200)}, "batch-size=100:200 must have two powers of two, such as 256:1024"),
        ({"dropout": (0, 1)}, "dropout=0:1 must have ends that are at least 0 and below 1"),
        ({"beta_1": (0.9, 0.9 + 1e-13)}, "beta-1=0.9:0.9 must be wider"),
    ],
)
def test_bad_ranges_end_with_one_line(ranges, message):
    with pytest.raises(InputError, match=message) as caught:
        TrainingSpace(**ranges)
    assert "\n" not in str(caught.value)


def test_names_are_those_of_the_settings():
    names = [field.name for field in fields(TrainingSettings)]
    assert names == [field.name for field in fields(TrainingSpace)] == list(SETTING_SCALES)


def test_presets_have_the_ranges_of_their_sources():
    orca = TRAINING_PRESETS["orca"].ranges
    assert orca["learning_rate"] == (1e-3, 1e-2)
    assert orca["learning_rate_decay"] == pytest.approx((0.9**50, 0.999**50), rel=0.04)
    assert orca["batch_size"] == (16, 32)
    assert (orca["beta_1"], orca["beta_2"], orca["epsilon"]) == ((0.88, 0.92), (0.9988, 0.9992), (0.01, 1))
    assert orca["dropout"] == (1e-3, 0.5)
    assert TRAINING_PRESETS["magmadnn"].ranges["learning_rate_decay"] == pytest.approx(
        (0.99 ** (5 * 60_000 / 32 / 20), 1), rel=0.01
    )
    default = TrainingSettings()
    for name, (low, high) in TRAINING_PRESETS["default"].ranges.items():
        assert low <= getattr(default, name) <= high


class TestInTheSpace:
    def test_rows_and_candidates(self):
        rows = SPACE.sample(np.random.default_rng(0), 500)
        assert rows.shape == (500, 15 + 2 + 7)
        candidates = SPACE.candidates(rows)
        assert np.array_equal(SPACE.rows(candidates), rows)
        assert all(candidate in SPACE for candidate in candidates)
        assert SPACE.feasible(rows).all()
        beyond = rows.copy()
        beyond[:, -1] = SPACE.training.counts[-1]
        assert not SPACE.feasible(beyond).any()

    def test_every_level_is_as_likely(self):
        levels = SPACE.sample(np.random.default_rng(0), 31_000)[:, -5]
        counts = np.bincount(levels, minlength=31)
        assert ((counts - 1000) ** 2 / 1000).sum() < 59.7  # 0.999 quantile, 30 degrees of freedom

    def test_unit_cube_and_features(self):
        rows = SPACE.sample(np.random.default_rng(1), 300)
        assert np.array_equal(SPACE.from_unit(SPACE.to_unit(rows)), rows)
        assert SPACE.to_unit(rows).shape == (300, SPACE.n_unit) == (300, 19 + 7)
        points = np.random.default_rng(2).random((300, SPACE.n_unit))
        assert SPACE.feasible(SPACE.from_unit(points)).all()
        features = SPACE.encode(rows)
        assert features.shape == (300, 11 + 7)
        assert np.array_equal(features[:, :11], MLPSpace(13, 1, 300).encode(rows[:, :17]))
        assert features[:, 11:].min() == 0
        assert features[:, 11:].max() == 1
        assert SPACE.rows(SPACE.candidates(rows), 30).shape == (300, 32 + 7)
        assert np.array_equal(SPACE.encode(SPACE.rows(SPACE.candidates(rows), 30)), features)

    def test_a_quarter_of_the_moves_changes_one_setting_and_nothing_else(self):
        start = SPACE.sample(np.random.default_rng(3), 1)
        moved = SPACE.moves(np.random.default_rng(4), start, 4000)
        changed = moved != start
        of_settings = changed[:, 17:].any(axis=1)
        assert of_settings.mean() == pytest.approx(3 / 12, abs=0.03)
        assert (changed[of_settings][:, 17:].sum(axis=1) == 1).all()
        assert not changed[of_settings][:, :17].any()
        assert set(changed[of_settings].argmax(axis=1)) == set(range(17, 24))

    def test_what_the_limits_refuse_keeps_its_settings(self):
        space = replace(SPACE, prior_cost=lambda rows: (np.zeros(len(rows)), rows[:, :-2].sum(axis=1) > 20))
        points = np.random.default_rng(5).random((200, space.n_unit))
        assert np.array_equal(space.from_unit(points)[:, 17:], TRAINING.from_unit(points[:, 19:]))

    def test_a_candidate_trained_otherwise_is_outside(self):
        candidate = SPACE.candidates(SPACE.sample(np.random.default_rng(6), 1))[0]
        for other in ({"learning_rate": 2e-3}, {"epochs": 9}, {"patience": 11}):
            another = replace(candidate, settings=replace(candidate.settings, **other))
            assert another not in SPACE
            assert SPACE.has_architecture_of(another)
        assert not SPACE.has_architecture_of(Candidate((301,), BitWidths(6, 6)))
        assert not SPACE.has_architecture_of(Candidate((2,) * 16, BitWidths(6, 6)))

    def test_the_time_of_a_training_knows_its_epochs(self):
        rows = SPACE.sample(np.random.default_rng(7), 50)
        timed = replace(SPACE, prior_time=lambda architectures, epochs: epochs / architectures[:, -1])
        candidates = SPACE.candidates(rows)
        expected = [c.settings.epochs / c.bits.activations for c in candidates]
        assert timed.training_time(rows) == pytest.approx(expected)
        assert len({c.settings.epochs for c in candidates}) > 3
        fixed = replace(timed, training=TrainingSpace(), settings=TrainingSettings(epochs=7))
        assert fixed.training_time(rows[:, :17]) == pytest.approx(7 / rows[:, 16])
        assert (SPACE.training_time(rows) == 1).all()

    def test_the_whole_of_a_small_space(self):
        training = TrainingSpace(batch_size=(256, 1024), epochs=(5, 6))
        space = MLPSpace(3, 1, 4, max_layers=2, weight_bits=(5, 6), activation_bits=(6, 6), training=training)
        every = list(space.enumerate())
        assert len(every) == len(set(every)) == space.size() == 20 * 6
        assert all(candidate in space for candidate in every)
        assert set(space.unseen(np.random.default_rng(0), every[:50])) == set(every[50:])

    def test_few_architectures_are_found_whatever_the_number_of_settings(self):
        def only_one(rows):
            return np.zeros(len(rows)), (rows[:, 0] != 37) | (rows[:, -2:] != (3, 7)).any(axis=1)

        space = MLPSpace(3, 1, 40, max_layers=1, prior_cost=only_one, training=TRAINING)
        rows = space.sample(np.random.default_rng(0), 50)
        assert len(rows) == 50
        assert {str(candidate) for candidate in space.candidates(rows)} == {"37 w3a7"}
