import numpy as np
import pytest

from nas_fpga.space import BitWidths, Candidate, MLPSpace
from nas_fpga.training import ExpectedTime
from nas_fpga.training._bucket import bucket_of

SPACE = MLPSpace(13, 1, 2000)


def times(*topologies, n_rows=50_000, epochs=50):
    rows = SPACE.rows([Candidate(topology, BitWidths(6, 6)) for topology in topologies])
    return ExpectedTime(13, 1, n_rows)(rows, np.full(len(rows), epochs))


def test_it_is_a_start_and_work_on_every_row_of_every_epoch():
    # Of widths that are padded to nothing else, so that its program's work is its own.
    candidate = Candidate((40, 48), BitWidths(6, 6))
    work = 13 * 40 + 40 * 48 + 48 + 17 * 88 + 235 * 3
    assert bucket_of(candidate, 13, 1, 50_000).cost == work
    assert times((40, 48)) == pytest.approx(2 + 0.3 * 3 + 1e-10 * 50_000 * 50 * work)


def test_small_networks_take_their_start_and_large_ones_their_work():
    one, ten, thousand = times((1,), (10,), (1000, 1000))
    assert ten < 1.05 * one
    assert thousand > 90 * one
    more_rows, more_epochs = times((1000, 1000), n_rows=100_000), times((1000, 1000), epochs=100)
    assert more_rows == pytest.approx(more_epochs)
    assert 1.9 * thousand < more_rows[0] < 2 * thousand


def test_bits_do_not_matter():
    rows = SPACE.rows([Candidate((40, 40), BitWidths(2, 2)), Candidate((40, 40), BitWidths(8, 8))])
    first, second = ExpectedTime(13, 1, 50_000)(rows, np.array([50, 50]))
    assert first == second
