import dataclasses
import json

import numpy as np
import pytest

from benchmarks.search import _ablation as ablation
from benchmarks.search import own_table, own_table_samplers
from benchmarks.search.own_table_samplers import Table, search
from nas_fpga.samplers import GaussianProcessSampler, RandomSampler, upper_fence
from nas_fpga.samplers._belief import Belief
from nas_fpga.space import BitWidths, Candidate, MLPSpace
from nas_fpga.testing import observe


@pytest.mark.slow
def test_a_table_is_really_trained_and_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(own_table, "_EVERY", 3)
    table = own_table.Table("hgcal", tmp_path, tmp_path, ((16, 3), (18, 1)), epochs=1)
    assert [job.seed for job in table.jobs()] == [0, 0, 0, 0, 1, 1, 2, 2]
    table.train(n_workers=1)
    lines = table.parts.read_text().splitlines()
    numbers = [json.loads(line)["number"] for line in lines]
    assert sorted(numbers) == list(range(8))
    assert set(numbers[:5]) == {0, 1, 2, 4, 6}  # of the smaller budget, with all their seeds
    table.parts.write_text("".join(f"{line}\n" for line in lines[:-1]))
    capsys.readouterr()
    table.train(n_workers=1)
    assert capsys.readouterr().out.startswith("8/8")
    assert table.done() == {
        json.loads(line)["number"]: json.loads(line) for line in table.parts.read_text().splitlines()
    }
    table.write()
    rows = list(own_table.read_table(tmp_path / "hgcal.parquet"))
    assert [row["number"] for row in rows] == list(range(8))
    assert [row["budget"] for row in rows[:4]] == [16, 16, 16, 18]
    assert rows[0]["candidate"] == rows[4]["candidate"] == rows[6]["candidate"]
    assert rows[0]["validation_loss"] != rows[4]["validation_loss"]
    for row in rows:
        assert 0 < row["validation_error"] <= 1
        assert 0 < row["share"] < 1
        assert len(row["train_loss"]) == 1
    facts = json.loads((tmp_path / "hgcal.json").read_text())
    assert (facts["trainings"], facts["trainings_left"], facts["failed"], facts["candidates"]) == (8, 0, 0, 4)
    assert facts["variance_of_log10_error"]["candidates"] == 2


@pytest.fixture
def begun(tmp_path):
    """A table of four candidates, two of which are in its file and one more in the making."""
    table = own_table.Table("hgcal", tmp_path / "runs", tmp_path, ((16, 3), (18, 1)), epochs=1)
    names = [str(job.candidate) for job in table.jobs()]
    rows = [{"number": i, "state": "failed", "candidate": name} for i, name in enumerate(names)]
    table.parts.write_text("".join(json.dumps(row) + "\n" for row in rows[:2]))
    table.write()
    table.parts.write_text(json.dumps(rows[2]) + "\n")
    table.candidates.unlink()  # elsewhere there are no runs
    return table


def test_a_table_in_part_goes_on_elsewhere(begun):
    facts = json.loads((begun.out / "hgcal.json").read_text())
    assert facts["trainings_left"] == 4  # of six: one candidate has three seeds
    assert sorted(begun.done()) == [0, 1, 2]
    begun.write()
    rows = list(own_table.read_table(begun.written))
    assert [(row["number"], row["budget"]) for row in rows] == [(0, 16), (1, 16), (2, 16)]
    facts = json.loads((begun.out / "hgcal.json").read_text())
    assert (facts["trainings"], facts["trainings_left"]) == (3, 3)
    assert facts["variance_of_log10_error"] == {"candidates": 0}


def test_ctrl_c_writes_what_there_is(begun, monkeypatch):
    monkeypatch.setattr(own_table.Table, "train", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(SystemExit, match=r"3 of 6 trainings are in .*; the same command goes on"):
        own_table.make(begun)
    assert len(list(own_table.read_table(begun.written))) == 3


def test_what_was_trained_but_not_written_is_written(begun):
    names = [str(job.candidate) for job in begun.jobs()]
    rows = [{"number": i, "state": "failed", "candidate": name} for i, name in enumerate(names)]
    begun.parts.write_text("".join(json.dumps(row) + "\n" for row in rows))  # killed between the two
    own_table.make(begun, n_workers=1)
    assert len(list(own_table.read_table(begun.written))) == 6
    with pytest.raises(SystemExit, match="has all 6 trainings; remove it to train anew"):
        own_table.make(begun)


def test_a_table_of_other_candidates_is_not_gone_on_with(begun):
    other = dataclasses.replace(begun, draws=((17, 3), (18, 1)), runs=begun.runs / "other")
    with pytest.raises(SystemExit, match="candidates of another space"):
        other.train()


def test_variances_by_hand():
    figures = {"a": (0.0, 1.0, 2.0), "b": (4.0, 4.0, 4.0), "c": (9.0,)}
    rows = [
        {"state": "complete", "candidate": name, "validation_log10_error": value}
        for name, values in figures.items()
        for value in values
    ]
    rows.append({"state": "failed", "candidate": "c"})
    # Within: variances 1 and 0; between: means 1 and 4 have variance 4.5, of which a third of .5 is noise.
    expected = {"candidates": 2, "between_candidates": 4.5 - 0.5 / 3, "between_seeds": 0.5}
    assert own_table.variances(rows) == pytest.approx(expected)


@pytest.fixture(scope="module")
def table():
    space = MLPSpace(8, 1, 60, max_layers=4)
    candidates = tuple(RandomSampler(space, 0).ask([], [], 150))
    seen = [observe(candidate) for candidate in candidates]
    errors, shares = (np.array([getattr(o, name) for o in seen]) for name in ("log10_error", "log10_share"))
    return Table(space, candidates, errors, errors + 0.1, shares)


def test_the_nearest_row_that_is_not_used(table):
    used = np.zeros(150, bool)
    assert table.nearest(table.candidates[7], used) == (7, 0.0)
    used[7] = True
    row, distance = table.nearest(table.candidates[7], used)
    apart = np.linalg.norm(table._places - table._places[7], axis=1)
    assert distance == pytest.approx(np.sort(apart)[1])
    assert apart[row] == pytest.approx(distance)


def test_what_a_search_found(table):
    rows = np.flatnonzero(table.front)[:2]
    found = table.figures(rows)
    assert found["front"] == pytest.approx(2 / table.front.sum())
    assert found["best"] == table.errors[rows].min()
    assert found["test_of_best"] == pytest.approx(found["best"] + 0.1)
    assert found["hypervolume"] > found["test_hypervolume"] > 0
    assert table.figures(np.arange(150))["front"] == 1


def test_a_search_is_given_rows_once_and_the_model_finds_more(table):
    found = {}
    for sampler in (RandomSampler(table.space, 1), GaussianProcessSampler(table.space, 1)):
        rows, distances = search(table, sampler, 40)
        assert len(set(rows.tolist())) == len(rows) == len(distances) == 40
        found[type(sampler).__name__] = table.figures(rows)["hypervolume"]
    assert found["GaussianProcessSampler"] > found["RandomSampler"]


def test_on_trained_networks_the_model_finds_in_25_trainings_what_chance_does_not_in_50():
    table = Table.read(own_table_samplers.TABLE)
    assert table.figures(np.arange(len(table.candidates)))["hypervolume"] == pytest.approx(0.189, abs=0.001)
    found = {
        sampler: [table.figures(search(table, sampler(table.space, seed), n)[0])["hypervolume"] for seed in range(3)]
        for sampler, n in ((GaussianProcessSampler, 25), (RandomSampler, 50))
    }
    assert min(found[GaussianProcessSampler]) > 0.17
    assert np.mean(found[GaussianProcessSampler]) > np.mean(found[RandomSampler])


def test_a_proposal_that_is_not_feasible_ends_the_run(table):
    class Careless(RandomSampler):
        def ask(self, history, pending, n):
            return [Candidate((100,), BitWidths(6, 6 - i)) for i in range(n)]

    with pytest.raises(AssertionError, match="not feasible"):
        search(table, Careless(table.space, 0), 10)


def test_every_method_of_the_ablation_proposes(table):
    history = [observe(candidate) for candidate in table.candidates[:22]]
    before = GaussianProcessSampler(table.space, 0).ask(history, [], 2)
    for name, make in own_table_samplers.methods(table).items():
        (candidate,) = make(table.space, 0).ask(history, [], 1)
        assert candidate in table.space, name
    assert GaussianProcessSampler(table.space, 0).ask(history, [], 2) == before  # none leaves anything behind


def test_a_space_of_rows_alone_proposes_them_alone(table):
    space = own_table_samplers.methods(table)["gp rows"](table.space, 0).space
    rng = np.random.default_rng(0)
    known = {row.tobytes() for row in table.space.rows(table.candidates)}
    drawn = space.sample(rng, 40)
    assert len(np.unique(drawn, axis=0)) == 40
    near = space.moves(rng, drawn[:2], 20)
    assert len(near) == 20
    assert {row.tobytes() for row in np.concatenate([drawn, near])} <= known
    assert near[0].tolist() == drawn[0].tolist()  # nearest to itself


@pytest.mark.parametrize("name", ablation.ENCODINGS)
def test_encodings_tell_candidates_apart(table, name):
    space = ablation.as_kind(ablation.EncodedSpace, table.space, encoding=ablation.ENCODINGS[name])
    features = space.encode(space.rows(table.candidates))
    assert len(np.unique(features.round(9), axis=0)) > (60 if name == "summaries" else 140)
    assert np.abs(features).max() <= 1 + 1e-9


def test_the_kernel_of_layers_by_hand_and_its_gradient(table):
    kernel = ablation.LayerKernel
    rows = table.space.rows(table.candidates[:30])
    features = ablation._layers(table.space, rows)
    parameters = np.random.default_rng(0).normal(scale=0.3, size=10)
    covariance = kernel.covariance(features, features, parameters)
    assert np.diag(covariance) == pytest.approx(np.exp(parameters[-2]))
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    one, two = np.array([[0.5, -1.0]]), np.array([[0.5, 0.7]])
    assert kernel.layers(one, two, 1.0)[0] == pytest.approx(1 / np.sqrt(2))  # one layer in common, of depths 1 and 2
    targets = np.random.default_rng(1).normal(size=30)
    _, gradient = kernel.negative_log_posterior(parameters, features, targets)
    for i, step in enumerate(np.eye(10) * 1e-6):
        ends = [kernel.negative_log_posterior(parameters + sign * step, features, targets)[0] for sign in (1, -1)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-5)


def test_another_fence_lets_other_errors_count(table):
    history = [observe(candidate) for candidate in table.candidates[:20]]
    fence = upper_fence(np.array([o.log10_error for o in history]))
    worst = max(history, key=lambda o: o.log10_error)
    proposed = {}
    for error in (fence + 0.1, fence + 100):
        far = [dataclasses.replace(o, log10_error=error) if o is worst else o for o in history]
        ours = GaussianProcessSampler(table.space, 0).ask(far, [], 2)
        assert ablation.FencedSampler(table.space, 0, at=1.5).ask(far, [], 2) == ours
        proposed[error] = ours, ablation.FencedSampler(table.space, 0, at=1e6).ask(far, [], 2)
    near, further = proposed.values()
    assert near[0] == further[0]
    assert near[1] != further[1]


def test_a_trust_region_holds_where_the_front_stands_still(table):
    history = [observe(candidate) for candidate in table.candidates[:40]]
    belief = Belief.of(table.space, history)
    rng = np.random.default_rng
    free = GaussianProcessSampler(table.space, 0)
    for always, held in ((200, False), (30, True)):
        sampler = ablation.TrustRegionSampler(table.space, 0, stalled=60, always=always)
        drawn = sampler._draw(rng(0), belief)
        assert np.array_equal(drawn, free._draw(rng(0), belief)) is not held
    assert len(ablation.TrustRegionSampler(table.space, 0, always=30).ask(history, [], 2)) == 2


def test_means_and_errors_over_seeds(tmp_path):
    results = tmp_path / "results.csv"
    assert own_table_samplers.done(results) == set()
    line = dict.fromkeys(own_table_samplers.COLUMNS[3:], 0.5)
    for seed, best in ((0, -1.0), (1, -2.0)):
        own_table_samplers.append(
            [{"method": "gp", "seed": seed, "trainings": n} | line | {"best": best} for n in own_table_samplers.AT],
            results,
        )
    assert own_table_samplers.done(results) == {("gp", 0), ("gp", 1)}
    assert own_table_samplers.summary(results)["gp"]["50"]["best"] == [-1.5, 0.5]
