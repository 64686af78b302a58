import pickle

import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import RandomSampler
from nas_fpga.space import SpaceExhausted
from nas_fpga.testing import Column, ColumnSpace

COLUMNS = (
    Column("width", (16, 32, 64, 128), "log"),
    Column("rate", (0.001, 0.01, 0.1)),
    Column("activation", ("relu", "tanh", "linear"), "categorical"),
    Column("fixed", (7,)),
)
SPACE = ColumnSpace(COLUMNS)


def narrow(rows):
    return rows[:, 0] + rows[:, 1] <= 2


HALF = ColumnSpace(COLUMNS, allowed=narrow)


def test_rows_are_places_among_the_levels():
    candidates = [(16, 0.1, "tanh", 7), (128, 0.001, "linear", 7)]
    rows = SPACE.rows(candidates)
    assert rows.dtype == np.int32
    assert rows.tolist() == [[0, 2, 1, 0], [3, 0, 2, 0]]
    assert SPACE.candidates(rows) == candidates
    assert type(SPACE.candidates(rows)[0][0]) is int
    assert SPACE.rows([]).shape == (0, 4)


def test_features_are_scaled_by_kind():
    uneven = ColumnSpace((Column("width", (1, 10, 1000), "log"), Column("n", (1, 10, 1000)), COLUMNS[2]))
    features = uneven.encode(np.array([[0, 0, 0], [1, 1, 1], [2, 2, 2]], np.int32))
    assert features == pytest.approx(np.array([[0, 0, 1, 0, 0], [1 / 3, 0.5, 0, 1, 0], [1, 1, 0, 0, 1]]))
    assert (SPACE.encode(SPACE.rows([(16, 0.1, "tanh", 7)])) == [[0, 1, 0, 1, 0, 0]]).all()


def test_what_may_be_proposed():
    assert (16, 0.1, "tanh", 7) in SPACE
    assert not SPACE.has_row((17, 0.1, "tanh", 7))
    assert not SPACE.has_row((16, 0.1))
    assert not SPACE.has_features((17, 0.1, "tanh", 7))
    assert HALF.has_features((128, 0.001, "tanh", 7))
    assert (128, 0.001, "tanh", 7) not in HALF
    assert HALF.has_row((128, 0.001, "tanh", 7))
    assert not SPACE.feasible(np.array([[4, 0, 0, 0], [-1, 0, 0, 0]], np.int32)).any()


def test_allowed_rows_are_a_function_or_a_list():
    listed = ColumnSpace(COLUMNS, allowed=HALF.rows(list(HALF.enumerate())))
    every = SPACE.rows(list(SPACE.enumerate()))
    assert SPACE.size() == len(every) == 4 * 3 * 3
    assert (listed.feasible(every) == narrow(every)).all()
    assert listed.size() == HALF.size() == 6 * 3
    assert list(listed.enumerate()) == list(HALF.enumerate()) == [c for c in SPACE.enumerate() if c in HALF]


@pytest.mark.parametrize("space", [SPACE, HALF])
def test_the_unit_cube(space):
    rows = space.rows(list(space.enumerate()))
    assert (space.from_unit(space.to_unit(rows)) == rows).all()
    points = np.random.default_rng(0).random((200, 4))
    assert space.feasible(space.from_unit(points)).all()
    assert space.feasible(space.from_unit(np.array([[0.0] * 4, [1.0] * 4]))).all()


def test_a_point_outside_is_given_the_nearest():
    # 128 and 0.001 are three levels from the corner; 64 is the widest that is allowed with it.
    assert HALF.candidates(HALF.from_unit(np.array([[0.99, 0.1, 0.5, 0.5]]))) == [(64, 0.001, "tanh", 7)]


def test_samples_are_equally_likely():
    rows = HALF.sample(np.random.default_rng(0), 18_000)
    _, counts = np.unique(rows, axis=0, return_counts=True)
    assert len(counts) == 18
    assert np.abs(counts - 1000).max() < 150  # standard deviation 31


def test_moves_change_one_column():
    start = SPACE.rows([(32, 0.01, "relu", 7)])
    moved = SPACE.moves(np.random.default_rng(0), start, 3000)
    assert len(moved) == 3000
    found, counts = np.unique(moved, axis=0, return_counts=True)
    assert SPACE.candidates(found) == [
        (16, 0.01, "relu", 7),
        (32, 0.001, "relu", 7),
        (32, 0.01, "tanh", 7),
        (32, 0.01, "linear", 7),
        (32, 0.1, "relu", 7),
        (64, 0.01, "relu", 7),
    ]
    assert counts.min() > 400
    assert set(SPACE.candidates(SPACE.moves(np.random.default_rng(0), SPACE.rows([(16, 0.1, "relu", 7)]), 99))) == {
        (32, 0.1, "relu", 7),
        (16, 0.01, "relu", 7),
        (16, 0.1, "tanh", 7),
        (16, 0.1, "linear", 7),
    }


def test_moves_stay_inside():
    rows = HALF.sample(np.random.default_rng(0), 50)
    moved = HALF.moves(np.random.default_rng(1), rows, 500)
    assert 100 < len(moved) < 500
    assert narrow(moved).all()
    assert len(ColumnSpace((COLUMNS[3],)).moves(np.random.default_rng(0), np.zeros((1, 1), np.int32), 5)) == 0


def test_long_columns_are_walked_in_longer_steps():
    space = ColumnSpace((Column("n", tuple(range(1000))),))
    moved = space.moves(np.random.default_rng(0), np.array([[500]], np.int32), 1000)
    assert 90 < np.abs(moved - 500).max() <= 100
    assert np.abs(moved - 500).min() >= 1


def large(rows):
    return rows.sum(axis=1) % 2 == 0


def test_a_space_of_many_is_not_listed():
    space = ColumnSpace(tuple(Column(str(i), tuple(range(50))) for i in range(6)), allowed=large)
    assert space.size() == 50**6
    rows = space.sample(np.random.default_rng(0), 5000)
    assert len(rows) == 5000
    assert large(rows).all()
    assert large(space.from_unit(np.random.default_rng(0).random((50, 6)))).all()
    assert next(space.enumerate()) == (0,) * 6


def low(rows):
    return rows.sum(axis=1) <= 6


@pytest.mark.parametrize("seed", range(4))
def test_what_was_found_once_is_always_found(seed):
    space = ColumnSpace(tuple(Column(str(i), tuple(range(10))) for i in range(8)), allowed=low)  # one in 33,000
    rows = space.sample(np.random.default_rng(seed), 100)
    assert len(rows) == 100
    assert low(rows).all()
    assert len(set(RandomSampler(space, seed).ask([], [], 500))) == 500


def test_it_is_searched_to_its_end():
    found = RandomSampler(HALF, 0).ask([], [], 18)
    assert set(found) == set(HALF.enumerate())
    with pytest.raises(SpaceExhausted):
        RandomSampler(HALF, 0).ask([], [], 19)


def test_it_goes_to_another_process():
    again = pickle.loads(pickle.dumps(HALF))
    assert (again.sample(np.random.default_rng(3), 9) == HALF.sample(np.random.default_rng(3), 9)).all()


def share(rows):
    return rows[:, 0] - 3.0


def test_shares_known_before_training():
    rows = SPACE.rows([(16, 0.1, "tanh", 7), (64, 0.1, "tanh", 7)])
    assert SPACE.prior_log10_share(rows).tolist() == [-1, -1]
    assert ColumnSpace(COLUMNS, known_share=share).prior_log10_share(rows).tolist() == [-3, -1]


def test_bad_columns_are_refused():
    with pytest.raises(InputError, match="column a must have levels, none twice"):
        Column("a", (1, 2, 1))
    with pytest.raises(InputError, match="log column a must be positive"):
        Column("a", (0, 1), "log")
    with pytest.raises(InputError, match="kind 'catgorical' of column a is not one of ordinal, log, categorical"):
        Column("a", ("x", "y"), "catgorical")
    with pytest.raises(InputError, match="none of the 36 combinations"):
        ColumnSpace(COLUMNS, allowed=np.zeros((0, 4), np.int32))
    with pytest.raises(InputError, match="must have a column"):
        ColumnSpace(())
