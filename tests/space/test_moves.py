import numpy as np
import pytest

from nas_fpga.space import _moves as moves

START = np.array([[40, 30, 20, 10, 0], [8, 0, 0, 0, 0], [5, 6, 7, 8, 9], [1, 1, 0, 0, 0]])


def apply(move, rounds=200):
    rng = np.random.default_rng(0)
    return [move(rng, START.copy()) for _ in range(rounds)]


@pytest.mark.parametrize("move", moves.TOPOLOGY_MOVES)
def test_every_move_leaves_whole_topologies(move):
    for widths in apply(move):
        depths = (widths > 0).sum(axis=1)
        assert widths.shape == START.shape
        assert (depths >= 1).all()
        assert all((row[:d] > 0).all() and (row[d:] == 0).all() for row, d in zip(widths, depths, strict=True))


@pytest.mark.parametrize("move", [moves.transfer, moves.split, moves.merge])
def test_moves_that_keep_the_total(move):
    assert all((widths.sum(axis=1) == START.sum(axis=1)).all() for widths in apply(move))


@pytest.mark.parametrize(
    ("move", "change"),
    [
        (moves.scale, [0, 0, 0, 0]),
        (moves.resize, [0, 0, 0, 0]),
        (moves.transfer, [0, 0, 0, 0]),
        (moves.insert, [1, 1, 0, 1]),  # the third is as deep as can be
        (moves.split, [1, 1, 0, 0]),  # the last has nothing to split
        (moves.delete, [-1, 0, -1, -1]),
        (moves.merge, [-1, 0, -1, -1]),
    ],
)
def test_change_of_depth(move, change):
    depths = (START > 0).sum(axis=1)
    assert all((((widths > 0).sum(axis=1) - depths) == change).all() for widths in apply(move))


def test_transfer_changes_exactly_two_layers_and_reaches_all_pairs():
    changed = [widths[0] != START[0] for widths in apply(moves.transfer)]
    assert {int(c.sum()) for c in changed} == {2}
    assert len({tuple(c) for c in changed}) == 6


def test_split_and_merge_act_on_neighbours():
    assert {tuple(w[0]) for w in apply(moves.merge)} == {(70, 20, 10, 0, 0), (40, 50, 10, 0, 0), (40, 30, 30, 0, 0)}
    for widths in apply(moves.split):
        merged = {(*w[:i], w[i] + w[i + 1], *w[i + 2 :]) for w in [tuple(widths[0])] for i in range(4)}
        assert (40, 30, 20, 10) in merged


def test_resize_changes_one_layer_and_scale_all_alike():
    assert {int((w[0] != START[0]).sum()) for w in apply(moves.resize)} <= {0, 1}
    for widths in apply(moves.scale):
        assert np.ptp(widths[0, :4] - widths[0, 3] * START[0, :4] / 10) <= 5  # rounding of the narrowest, times 4


def test_widths_of_one_can_grow():
    assert max(w[3].max() for w in apply(moves.resize)) > 1
