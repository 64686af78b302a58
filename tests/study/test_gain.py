import pytest

from nas_fpga.samplers import Observation
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.study._gain import has_gained

CANDIDATE = Candidate((4,), BitWidths(6, 6))


def ended(*places):
    return [Observation(CANDIDATE, "complete", *place) for place in places]


BEFORE = ended((-1.0, -3.0), (-2.0, -1.0))


@pytest.mark.parametrize(
    ("after", "front", "precision"),
    [
        ((-0.5, -2.0), False, False),  # dominated
        ((-0.5, -4.0), True, False),  # cheaper
        ((-2.2, -0.5), True, True),  # more precise
        ((-2.2, 0.1), False, False),  # over the limits
        ((-2.0002, -1.0), False, False),  # less than a thousandth
        ((float("nan"), -1.0), False, False),
        ((None, None), False, False),
    ],
)
def test_what_is_a_gain(after, front, precision):
    assert has_gained("front", BEFORE, ended(after)) is front
    assert has_gained("precision", BEFORE, ended(after)) is precision


def test_the_first_within_the_limits_is_a_gain():
    failed = [Observation(CANDIDATE, "failed")]
    for goal in ("front", "precision"):
        assert has_gained(goal, failed, BEFORE)
        assert has_gained(goal, [], BEFORE)
        assert not has_gained(goal, [], failed)
        assert not has_gained(goal, BEFORE, [])
