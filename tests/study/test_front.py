"""The front and what is said of it: small cases by hand, and each vectorised routine against a plain one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_fpga.samplers import non_dominated
from nas_fpga.study import cheapest_as_good, find_knee, probability_undominated, selection_corrected
from nas_fpga.study._front import front_of

# Few values, so that ties are common.
POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


@st.composite
def samples(draw):
    """Errors and shares `(n,)` and replicates `(n, r)` on a coarse grid."""
    n, r = draw(st.integers(1, 7)), draw(st.sampled_from([1, 2, 4]))  # means are exact, and so are ties
    values = st.integers(0, 4)
    errors, shares = (np.array(draw(st.lists(values, min_size=n, max_size=n))) / 4 for _ in range(2))
    replicates = np.array(draw(st.lists(st.lists(values, min_size=r, max_size=r), min_size=n, max_size=n))) / 4
    return errors, replicates, shares


def test_front_by_hand() -> None:
    errors, shares = np.array([0.5, 0.2, 0.2, 0.3, 0.1, 0.1]), np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0])
    assert non_dominated(errors, shares).tolist() == [True, True, False, False, True, False]
    assert front_of(errors, shares).tolist() == [0, 1, 4]


def test_what_everything_passes_is_on_no_front_but_its_own() -> None:
    assert front_of(np.array([1.0, 0.99, 0.2]), np.array([0.1, 1.0, 2.0])).tolist() == [1, 2]
    assert front_of(np.array([1.0, 1.0]), np.array([0.2, 0.1])).tolist() == [1]


@given(POINTS)
def test_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    errors, shares = np.array(points, float).T
    expected = [
        not any(e <= error and s <= share and ((e, s) != (error, share) or k < i) for k, (e, s) in enumerate(points))
        for i, (error, share) in enumerate(points)
    ]
    assert non_dominated(errors, shares).tolist() == expected


def test_probability_by_hand() -> None:
    replicates = np.array([[0.5, 0.5, 0.5, 0.5], [0.4, 0.6, 0.4, 0.5], [0.3, 0.3, 0.45, 0.45]])
    assert probability_undominated(replicates, np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 0.5, 0.75]
    assert probability_undominated(replicates[::-1], np.array([3.0, 2.0, 1.0])).tolist() == [0.75, 0.5, 1.0]


@given(samples())
def test_probability_against_a_loop(sample) -> None:
    _, replicates, shares = sample
    points = range(len(shares))

    def dominates(j, i, r):
        if shares[j] < shares[i]:
            return replicates[j, r] <= replicates[i, r]
        return shares[j] == shares[i] and replicates[j, r] < replicates[i, r]

    expected = [
        np.mean([not any(dominates(j, i, r) for j in points) for r in range(replicates.shape[1])]) for i in points
    ]
    np.testing.assert_array_equal(probability_undominated(replicates, shares), expected)


def test_selection_correction_by_hand() -> None:
    """Alone nothing is selected, so nothing is corrected; of both, the resamples pick each once, better than it is."""
    errors, replicates = np.array([0.5, 0.4]), np.array([[0.6, 0.3], [0.2, 0.6]])
    corrected = selection_corrected(errors, replicates, np.array([1.0, 2.0]))
    # centred: [0.65, 0.35] and [0.2, 0.6]; both: picks 1, then 0: 0.4 + ((0.4 - 0.2) + (0.5 - 0.35)) / 2
    np.testing.assert_allclose(corrected, [0.5, 0.575])


def test_a_bias_of_the_resamples_is_no_optimism() -> None:
    errors = np.array([0.3, 0.2])
    replicates = errors[:, None] + np.array([[-0.05, -0.03], [0.01, 0.03]])
    np.testing.assert_allclose(selection_corrected(errors, replicates, np.array([1.0, 2.0])), errors)


def test_no_corrected_error_is_above_1() -> None:
    errors, replicates = np.array([0.95, 0.9]), np.array([[0.95] * 3 + [0.1], [0.1] + [0.9] * 3])
    assert selection_corrected(errors, replicates, np.array([1.0, 2.0])).tolist() == [1.0, 1.0]


def test_equal_costs_are_eligible_together() -> None:
    errors, replicates = np.array([0.2, 0.21]), np.array([[0.1, 0.3], [0.31, 0.11]])
    first, second = selection_corrected(errors, replicates, np.array([1.0, 1.0]))
    assert second - first == pytest.approx(0.01)  # the same optimism for both


@given(samples())
def test_selection_correction_against_a_loop(sample) -> None:
    errors, replicates, shares = sample
    centred = replicates - np.median(replicates, axis=1, keepdims=True) + errors[:, None]
    order = np.lexsort((errors, shares))
    expected = np.empty(len(errors))
    for i in order:
        optimism = []
        for r in range(replicates.shape[1]):
            pick = min((j for j in order if shares[j] <= shares[i]), key=lambda j: centred[j, r])  # the first of equals
            optimism.append(errors[pick] - centred[pick, r])
        expected[i] = min(errors[i] + max(np.mean(optimism), 0), 1)
    np.testing.assert_allclose(selection_corrected(errors, replicates, shares), expected, atol=1e-12)


def test_cheapest_as_good_by_hand() -> None:
    """Point 1 is .02 worse with a paired spread of .03, point 0 far worse, point 2 the most precise."""
    replicates = np.array([[0.50, 0.52, 0.48, 0.5], [0.15, 0.09, 0.15, 0.09], [0.1, 0.1, 0.1, 0.1]])
    assert cheapest_as_good(np.array([0.5, 0.12, 0.1]), replicates, np.array([1.0, 2.0, 3.0])) == 1
    # the same spread shared by both is none in the difference
    replicates[2] = replicates[1] - 0.02
    assert cheapest_as_good(np.array([0.5, 0.12, 0.1]), replicates, np.array([1.0, 2.0, 3.0])) == 2


@given(samples())
def test_cheapest_as_good_is_never_dearer_than_the_best(sample) -> None:
    errors, replicates, costs = sample
    chosen = cheapest_as_good(errors, replicates, costs)
    best = min(range(len(errors)), key=lambda i: (errors[i], costs[i]))
    assert costs[chosen] <= costs[best]
    low, middle = np.quantile(replicates[chosen] - replicates[best], [0.1587, 0.5])
    assert errors[chosen] - errors[best] <= middle - low


def test_one_resample_on_a_tie_does_not_make_a_bad_network_the_best() -> None:
    rng = np.random.default_rng(0)
    replicates = np.array([0.121, 0.072])[:, None] + 0.005 * rng.standard_normal((2, 1000))
    replicates[0, :20] = 1.0  # everything passes: the standard deviation of the difference is now 0.13
    assert cheapest_as_good(np.array([0.121, 0.072]), replicates, np.array([1.0, 2.0])) == 1


def test_nor_do_resamples_on_a_tie_one_in_four() -> None:
    rng = np.random.default_rng(0)
    errors, shares = np.array([0.096, 0.055]), np.array([1.0, 2.0])
    replicates = errors[:, None] + 0.005 * rng.standard_normal((2, 1000))
    replicates[0, :250] = 0.3
    assert cheapest_as_good(errors, replicates, shares) == 1
    assert find_knee([3, 125], errors, replicates).neurons == 125
    # nor do they make it look like a lucky pick
    assert selection_corrected(errors, replicates, shares) == pytest.approx(errors, abs=2e-3)


def test_knee() -> None:
    rng = np.random.default_rng(1)
    neurons, errors = [10, 20, 40, 80], np.array([0.30, 0.10, 0.099, 0.1005])
    replicates = errors[:, None] + 0.002 * rng.standard_normal((4, 400))
    knee = find_knee(neurons, errors, replicates)
    assert (knee.neurons, knee.largest) == (20, 80)
    assert knee.difference == pytest.approx(0.001)
    assert knee.low < 0 < knee.high
    assert str(knee).startswith("nothing gained beyond 20 neurons")
    errors[3] = 0.05
    knee = find_knee(neurons, errors, errors[:, None] + 0.002 * rng.standard_normal((4, 400)))
    assert (knee.neurons, knee.largest) == (80, 80)
    assert str(knee) == "no knee: the largest networks tried (80 neurons) are the most precise"


def test_knee_of_one_network() -> None:
    assert find_knee([7], np.array([0.5]), np.array([[0.5, 0.4]])).neurons == 7


@pytest.mark.parametrize(("error", "said"), [(0.2, "as precise"), (0.2 + 1e-6, "as precise"), (0.21, "0.0100 worse")])
def test_a_knee_of_equals_says_so(error: float, said: str) -> None:
    errors = np.array([0.2, error])
    knee = find_knee([1, 5], errors, np.repeat(errors[:, None], 10, axis=1))
    gain = f"{0.2 - error:+z.4f}"
    assert str(knee) == (
        f"nothing gained beyond 1 neurons: the most precise larger network is {said} "
        f"(95 % interval of the gain {gain} to {gain})"
    )
