from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.samplers import Observation, RandomSampler, upper_fence
from nas_fpga.samplers._acquisition import log_expected_improvement, log_probability_of_improvement
from nas_fpga.samplers._belief import Belief, _ridge, most_telling
from nas_fpga.space import BitWidths, Candidate, MLPSpace
from nas_fpga.testing import observe

SPACE = MLPSpace(8, 1, 300, max_layers=6)
RNG = np.random.default_rng(0)


def prior_cost(rows):
    """Return what the stand-in's share is, but for half a decade and a slope with the weight bits."""
    known = np.array([observe(candidate).log10_share for candidate in SPACE.candidates(rows)])
    return known - 0.5 - 0.1 * (rows[:, -2] - 5), np.zeros(len(rows), bool)


COSTED = replace(SPACE, prior_cost=prior_cost)


@pytest.fixture(scope="module")
def history():
    return list(map(observe, RandomSampler(SPACE, 5).ask([], [], 40)))


def rows_of(n, seed=0):
    return SPACE.sample(np.random.default_rng(seed), n)


def test_the_prior_cost_is_corrected_by_what_was_measured(history):
    rows = rows_of(300)
    measured = np.array([observe(candidate).log10_share for candidate in SPACE.candidates(rows)])
    belief = Belief.of(COSTED, history)
    assert np.abs(prior_cost(rows)[0] - measured).max() > 0.5
    assert np.abs(belief.pool(rows).shares - measured).max() < 0.2
    # The deviation is honest: about that of the errors on candidates that were not seen.
    assert belief.share_deviation == pytest.approx(np.std(belief.pool(rows).shares - measured), rel=0.6)


def test_the_deviation_of_shares_is_that_of_each_left_out():
    rng = np.random.default_rng(0)
    features = rng.random((12, 4))
    targets = features @ [1.0, -2.0, 0.5, 0.0] + 0.3 * rng.standard_normal(12)
    left_out = []
    for i in range(12):
        others = np.arange(12) != i
        *slopes, intercept = _ridge(features[others], targets[others])[0]
        left_out.append(targets[i] - features[i] @ slopes - intercept)
    assert _ridge(features, targets)[1] == pytest.approx(np.sqrt(np.mean(np.square(left_out))))


def test_one_lucky_figure_does_not_make_the_front(history):
    lucky = Observation(Candidate((40, 40, 40), BitWidths(6, 6)), "complete", -2.9, -0.5)
    neighbours = [Candidate((40 + i, 40 - i, 40), BitWidths(6, 6)) for i in range(1, 9)]
    more = [Observation(candidate, "complete", -1.9, -0.5) for candidate in neighbours]
    assert Belief.of(SPACE, [*history, *more, lucky]).errors[-1] > -2.2


def test_candidates_in_training_gain_nothing_more(history):
    belief = Belief.of(SPACE, history)
    pool = belief.pool(rows_of(300))
    best = pool.rows[[belief.rates(pool).argmax()]]
    after = belief.believing(SPACE.candidates(best), "believer", RNG)
    assert after.rates(after.pool(best))[0] < 0.5 * belief.rates(belief.pool(best))[0]
    assert belief.believing([], "believer", RNG) is belief


def test_a_pool_seen_again_is_as_one_seen_anew(history):
    belief = Belief.of(SPACE, history)
    pool = belief.pool(rows_of(200))
    after = belief.believing(SPACE.candidates(rows_of(3, 9)), "believer", RNG)
    assert after.rates(after.again(pool)) == pytest.approx(after.rates(after.pool(pool.rows)), abs=1e-12)


@pytest.mark.parametrize(("pending", "value"), [("liar-min", np.min), ("liar-mean", np.mean), ("liar-max", np.max)])
def test_liars_tell_one_of_what_was_observed(history, pending, value):
    after = Belief.of(SPACE, history).believing(SPACE.candidates(rows_of(2, 9)), pending, RNG)
    errors = np.array([o.log10_error for o in history])
    assert after.errors[-2:] == pytest.approx(value(np.minimum(errors, upper_fence(errors))))


def test_how_bad_the_worst_are_changes_nothing(history):
    worst = int(np.argmax([o.log10_error for o in history]))
    predictions = []
    for error in (1.0, 9.0):
        belief = Belief.of(SPACE, [replace(o, log10_error=error) if i == worst else o for i, o in enumerate(history)])
        predictions.append(belief.process.predict(belief.process.project(SPACE.encode(rows_of(50)))))
    assert np.array_equal(*predictions)


def test_draws_have_the_mean_and_the_spread_of_the_process(history):
    belief = Belief.of(SPACE, history)
    waiting = SPACE.candidates(rows_of(2, 9))
    means, covariance = belief.process.joint(SPACE.features(waiting))
    drawn = np.concatenate(
        [belief.believing(waiting, "q-ei", np.random.default_rng(k)).errors[-2:] for k in range(100)], axis=1
    )
    assert drawn.shape == (2, 1600)
    error = np.sqrt(np.diag(covariance) / 1600)
    assert (np.abs(drawn.mean(axis=1) - means) < 4 * error).all()
    assert np.cov(drawn) == pytest.approx(covariance, abs=0.15 * np.diag(covariance).max())


def test_gains_over_draws_are_their_mean(history):
    belief = Belief.of(SPACE, history)
    waiting = SPACE.candidates(rows_of(1, 9))
    drawn = belief.believing(waiting, "q-ei", np.random.default_rng(3))
    rows = rows_of(50)
    each = []
    for version in drawn.errors[-1]:
        process = belief.process.conditioned(SPACE.features(waiting), np.array([version]))
        errors = np.append(belief.errors, version)
        each.append(replace(drawn, process=process, errors=errors).rates(replace_pool(process, belief, rows)))
    assert drawn.rates(drawn.pool(rows)) == pytest.approx(np.mean(each, axis=0), abs=1e-12)


def replace_pool(process, belief, rows):
    return replace(belief.pool(rows), projection=process.project(SPACE.encode(rows)))


def test_a_gain_is_one_for_the_time_that_training_takes(history):
    timed = replace(SPACE, prior_time=lambda rows, epochs: epochs * rows[:, 0].astype(float))
    slow, even = Belief.of(timed, history), Belief.of(SPACE, history)
    rows = rows_of(300)
    assert slow.rates(slow.pool(rows)) == pytest.approx(even.rates(even.pool(rows)) / (50 * rows[:, 0]))


@pytest.mark.parametrize("function", ["ehvi", "log-ei", "pi", "ucb", "mes"])
def test_nothing_is_gained_over_the_limits(history, function):
    over = replace(SPACE, prior_cost=lambda rows: (np.where(rows[:, 0] > 20, 0.5, -1.0), np.zeros(len(rows), bool)))
    told = [replace(o, log10_share=0.5 if o.candidate.topology[0] > 20 else -1.0) for o in history]
    belief = Belief.of(over, told)
    belief = replace(belief, share_correction=0 * belief.share_correction, share_deviation=0.01)
    pool = belief.pool(rows_of(300))
    scores = belief.scorer(pool, function, 1.0, np.random.default_rng(0))(pool)
    outside = pool.rows[:, 0] > 20
    assert outside.any()
    assert scores[outside].max() < scores[~outside].max()
    assert (scores[outside] <= {"ehvi": 0.0, "ucb": -np.inf, "mes": -np.inf}.get(function, -100)).all()
    assert (belief.front("precision")[:, 0] <= 20).all()
    assert (belief.front("front")[:, 0] <= 20).all()
    inside = belief.pool(pool.rows[~outside])  # what lies outside says nothing of the least value either
    again = belief.scorer(inside, function, 1.0, np.random.default_rng(0))(inside)
    assert again == pytest.approx(scores[~outside], rel=1e-6)


@pytest.mark.parametrize(
    ("function", "gain"), [("log-ei", log_expected_improvement), ("pi", log_probability_of_improvement)]
)
def test_what_is_over_the_limits_need_not_be_beaten(history, function, gain):
    belief = Belief.of(SPACE, history)
    best, second = np.sort(belief.errors)[:2]
    pool = replace(belief.pool(rows_of(50)), shares=np.full(50, -5.0))  # all surely within the limits
    means, deviations = belief.process.predict(pool.projection)
    for shares, level in (
        (np.full(40, -1.0), best),
        (np.where(belief.errors == best, 0.5, -1.0), second),
        (np.full(40, 0.5), best),  # nothing is within: what is over them tells at least what can be had
    ):
        scores = replace(belief, shares=shares).scorer(pool, function, 1.0, RNG)(pool)
        assert scores == pytest.approx(gain(means, deviations, level))


@pytest.mark.parametrize("function", ["log-ei", "pi", "ucb", "mes"])
def test_where_nothing_is_refused_shares_change_nothing(history, function):
    """Shares beyond the limits are told as just below them, so what is predicted may lie on either side."""
    free = replace(SPACE, unlimited=True)
    belief = Belief.of(free, [replace(o, log10_share=-1e-16) for o in history])
    assert belief.front("precision").tolist() == replace(belief, shares=belief.shares + 1).front("precision").tolist()
    pool = belief.pool(rows_of(300))
    over = replace(pool, shares=np.full(300, 0.5))
    scores = [
        replace(belief, shares=shares).scorer(of, function, 1.0, np.random.default_rng(0))(of)
        for of, shares in ((pool, belief.shares), (over, belief.shares + 1))
    ]
    assert np.isfinite(scores).all()
    assert np.array_equal(*scores)
    chosen, draw = replace(belief, share_correction=belief.share_correction + 1).draw(pool, np.random.default_rng(0))
    assert chosen.shares.max() > 0
    assert np.isfinite(draw).all()


def test_limits_known_with_error_enter_as_a_probability(history):
    belief = Belief.of(SPACE, history)
    pool = replace(belief.pool(rows_of(20)), shares=np.zeros(20))  # even odds
    sure = replace(pool, shares=np.full(20, -5.0))
    score = belief.scorer(pool, "log-ei", 1.0, RNG)
    assert score(sure) - score(pool) == pytest.approx(np.log(2))


def test_the_best_and_the_farthest_of_many_observations_are_used():
    features = np.array([[0.0], [0.1], [0.2], [0.5], [0.9], [1.0]])
    targets = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    assert most_telling(features, targets, 6).tolist() == [0, 1, 2, 3, 4, 5]
    # The two best, then the farthest from them, 1.0, and then 0.5, which is .4 from the nearest.
    assert most_telling(features, targets, 4).tolist() == [0, 1, 3, 5]


def test_predictions_of_many_observations_stay_those_of_all(monkeypatch):
    history = list(map(observe, RandomSampler(SPACE, 1).ask([], [], 120)))
    rows = rows_of(200)
    whole = Belief.of(SPACE, history)
    monkeypatch.setattr("nas_fpga.samplers._belief._MOST_TO_SEE", 80)
    part = Belief.of(SPACE, history)
    assert len(part.process.features) == 80
    assert len(part.errors) == 120
    means, _ = whole.process.predict(SPACE.encode(rows))
    close, _ = part.process.predict(SPACE.encode(rows))
    assert np.corrcoef(means, close)[0, 1] > 0.98


@pytest.mark.parametrize("function", ["log-ei", "pi", "ucb", "mes"])
def test_where_all_that_is_known_lies_outside_the_space_the_best_is_that_of_it(history, function):
    shallow = replace(SPACE, max_layers=1, min_layers=1)
    deep = [replace(o, candidate=replace(o.candidate, topology=(*o.candidate.topology, 3, 3))) for o in history]
    belief = Belief.of(shallow, deep)
    assert len(belief.rows) == 0
    pool = belief.pool(shallow.sample(np.random.default_rng(0), 50))
    assert np.isfinite(belief.scorer(pool, function, 1.0, np.random.default_rng(0))(pool)).all()
    assert belief._best() == belief.targets.min()
