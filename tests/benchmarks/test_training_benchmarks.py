"""The benchmarks of training: their arithmetic, and the smallest run of each from end to end."""

import csv
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks.training import costs, learned, main_job, precision_resources, throughput
from benchmarks.training._arithmetic import (
    Estimate,
    cost_ratio,
    front,
    luts_at,
    mean_of,
    paired_difference,
    ratio_of,
    spread_out,
    training_flops,
    volume,
)
from benchmarks.training._candidates import CandidateSet, candidate_set, dealt, random_candidates, stratified
from benchmarks.training._cpu_time import run_for, tree_cpu_s
from benchmarks.training._machine import keep_agreed
from benchmarks.training._ours import FIXED_BITS_ONLY, ListedSampler
from benchmarks.training._peer import Peer, parameters, suggested
from benchmarks.training._points import chosen_on_validation, spread_front
from nas_fpga.samplers import Observation
from nas_fpga.space import BitWidths, Candidate, SpaceExhausted, TrainingSettings
from nas_fpga.study import DataSource, SearchDefinition, SearchOptions, Setup, load_data
from nas_fpga.training import freeze


class TestArithmetic:
    def test_mean_and_standard_error(self):
        assert mean_of([1.0, 2.0, 3.0]) == Estimate(2.0, pytest.approx(1 / np.sqrt(3)))
        assert mean_of([4.0]) == Estimate(4.0, 0.0)

    def test_ratio_has_an_interval_in_the_logarithm(self):
        ratio, low, high = ratio_of(Estimate(20.0, 0.6), Estimate(2.0, 0.08))
        assert ratio == 10
        factor = np.exp(1.96 * 0.05)  # 3 % and 4 %
        assert (low, high) == (pytest.approx(10 / factor), pytest.approx(10 * factor))

    def test_pairs_cancel_what_they_share(self):
        difference = paired_difference([1.1, 5.3, 9.2], [1.0, 5.0, 9.0])
        assert difference.mean == pytest.approx(0.2)
        assert difference.error == pytest.approx(0.1 / np.sqrt(3))

    def test_flops(self):
        assert training_flops(100, 1000) == 600_000

    def test_front_is_of_points_that_none_dominates(self):
        errors, luts = [0.1, 0.05, 0.06, 0.2], [100, 1000, 2000, 50]
        assert front(errors, luts).tolist() == [3, 0, 1]
        assert spread_front(errors, luts, 2) == [3, 1]

    def test_spread_is_even_in_the_logarithm_and_keeps_both_ends(self):
        assert spread_out([10, 20, 100, 900, 1000], 3) == [0, 2, 4]
        assert spread_out([10, 20], 3) == [0, 1]
        assert spread_out([1e-5, 2e-5, 1e-4, 9e-4, 1e-3], 3) == [0, 2, 4]

    def test_volume_is_that_of_the_search(self):
        # One of three decades of error over one of six decades of share.
        assert volume([0.1], [1000.0], 10_000.0) == pytest.approx(1 / 18)

    def test_luts_are_interpolated_in_both_logarithms(self):
        errors, luts = [0.1, 0.001], [100.0, 10_000.0]
        np.testing.assert_allclose(luts_at(errors, luts, [0.1, 0.01, 0.001]), [100, 1000, 10_000])

    def test_an_error_out_of_reach_has_no_cost_and_a_poor_one_that_of_the_cheapest(self):
        found = luts_at([0.1, 0.01], [100.0, 1000.0], [0.005, 0.5])
        assert np.isnan(found[0])
        assert found[1] == 100

    def test_cost_ratio_is_a_geometric_mean_over_what_is_reached(self):
        ours = [0.1, 0.01], [50.0, 250.0]
        theirs = [0.1, 0.01, 0.001, 0.2], [100.0, 1000.0, 5000.0, 3000.0]  # the last one is dominated
        ratio, reached, of = cost_ratio(ours, theirs)
        assert ratio == pytest.approx(np.sqrt(0.5 * 0.25))
        assert (reached, of) == (2, 3)

    def test_nothing_reached(self):
        ratio, reached, of = cost_ratio(([0.1], [10.0]), ([0.01], [10.0]))
        assert np.isnan(ratio)
        assert (reached, of) == (0, 1)

    def test_validation_chooses(self):
        points = [
            {"validation_error": 0.1, "test_error": 0.3, "luts": 10},
            {"validation_error": 0.2, "test_error": 0.1, "luts": 20},  # better on test alone
        ]
        assert chosen_on_validation(points) == points[:1]


class TestCandidates:
    @pytest.mark.parametrize("name", ["100", "400"])
    def test_sets_are_of_five_depths_within_the_budget(self, name):
        of = candidate_set(name)
        assert len(set(of.candidates)) == 200
        assert {depth: sum(c.n_layers == depth for c in of.candidates) for depth in range(1, 6)} == dict.fromkeys(
            range(1, 6), 40
        )
        assert max(c.n_neurons for c in of.candidates) <= int(name)
        assert {c.uniform_bits.weights for c in of.candidates} == set(range(2, 9))

    def test_generations_of_the_main_job(self):
        of = candidate_set("generations")
        assert len(of.candidates) == 100
        assert of.generation == 4
        assert str(of.candidates[0]) == "246-228-240-77-152 w6a3"

    def test_parts_do_not_tear_generations(self):
        of = CandidateSet("", random_candidates(22, 50), 50, 4)
        chunks = of.chunks(4)
        assert [number for chunk in chunks for number in chunk] == list(range(22))
        assert all(chunk[0] % 4 == 0 for chunk in chunks)

    def test_strata_hold_all_depths(self):
        candidates = random_candidates(200, 100)
        assert sorted(candidates[i].n_layers for i in stratified(candidates, 5, 13, 1)) == [1, 2, 3, 4, 5]
        assert len(set(stratified(candidates, 20, 13, 1))) == 20

    def test_dealing(self):
        assert dealt([1, 2, 3, 4, 5], 2) == [[1, 3, 5], [2, 4]]

    def test_the_list_is_proposed_in_its_order(self):
        candidates = random_candidates(5, 50)
        sampler = ListedSampler(candidates)
        history = [Observation(candidates[0], "failed"), Observation(candidates[1], "failed")]
        assert sampler.ask(history, candidates[2:3], 2) == list(candidates[3:])
        with pytest.raises(SpaceExhausted) as end:
            sampler.ask(history, candidates[2:3], 4)
        assert end.value.remaining == candidates[3:]

    def test_peers_train_the_same_candidate(self):
        import optuna

        settings = TrainingSettings(epochs=3)
        candidate = CandidateSet("", random_candidates(5, 50), 50, 4).short(settings).candidates[4]
        assert suggested(optuna.trial.FixedTrial(parameters(candidate)), settings) == candidate

    def test_fixed_bits_options_are_known(self):
        assert set(FIXED_BITS_ONLY) <= set(SearchOptions.__annotations__)


class TestMachine:
    def test_another_plan_is_refused(self, tmp_path):
        keep_agreed(tmp_path, {"epochs": 2})
        keep_agreed(tmp_path, {"epochs": 2})
        with pytest.raises(SystemExit, match="other settings"):
            keep_agreed(tmp_path, {"epochs": 3})

    def test_cpu_time_counts_children(self):
        code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
        process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        try:
            until = time.monotonic() + 20
            while (used := tree_cpu_s(process.pid)) < 0.5 and time.monotonic() < until:
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, 9)
            process.wait()
        assert used >= 0.5

    def test_a_process_is_interrupted_when_its_time_is_spent(self):
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"], stderr=subprocess.DEVNULL)
        assert 0.3 <= run_for(process, 0.3) < 5

    def test_a_process_that_fails_is_an_error(self):
        process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
        with pytest.raises(subprocess.CalledProcessError):
            run_for(process, 100)


def trial(number, seconds, error):
    figures = {"auc": 0.9, "test_auc": 0.9, "log10_error": np.log10(error)}
    return {
        "number": number,
        "seconds": seconds,
        "epochs": 10,
        "background_efficiency": error,
        "test_background_efficiency": error,
    } | figures


class TestThroughputSummary:
    def test_ratios_are_to_each_peer_of_the_same_networks(self):
        sides = {
            "ours cold": throughput.Measured([trial(k, 1.0, 0.1) for k in range(4)], 2.0),
            "jax": throughput.Measured([trial(0, 12.0, 0.1), trial(1, 8.0, 0.1)], 20.0),
            "jax best pinned": throughput.Measured([trial(0, 8.0, 0.1), trial(1, 8.0, 0.1)], 8.0),
            "jax best pinned float": throughput.Measured([trial(0, 0.1, 0.1)], 0.1),
        }
        found = {pair: of["ratio"] for pair, of in throughput.ratios(sides).items()}
        # 10 s and 4 s over .5 s
        assert found == {"ours cold / jax": pytest.approx(20), "ours cold / jax best pinned": pytest.approx(8)}

    def test_precision_is_compared_pair_by_pair(self):
        sides = {
            "ours cold": throughput.Measured([trial(k, 1.0, 0.1 * (k + 1)) for k in range(4)], 2.0),
            "jax": throughput.Measured([trial(1, 1.0, 0.02), trial(3, 1.0, 0.04)], 2.0),
        }
        found = throughput.precision(sides)["jax"]
        assert found["pairs"] == 2
        assert found["log10_test_background_efficiency"] == {"mean": pytest.approx(1.0), "error": pytest.approx(0.0)}

    def test_float_networks_run_for_one_set(self, tmp_path):
        plan = throughput.Plan(runs=tmp_path, peer_candidates=2, n_chunks=2)
        todo = [(of.name, side, chunk) for of, side, chunk, _ in plan.todo()]
        assert ("100", "jax best pinned float", 0) in todo
        assert ("400", "jax best pinned float", 0) not in todo
        assert todo.index(("100", "jax", 0)) < todo.index(("100", "ours cold", 1))  # by turns

    def test_names_of_peers_differ(self):
        assert len(throughput.PEERS) == len(throughput.QUANTIZED) + len(throughput.FLOAT)
        assert Peer("jax", best_idiom=True, pinned=True).name == "jax best pinned"


class TestResourceSummary:
    def make(self, tmp_path, points):
        plan = precision_resources.Plan(runs=tmp_path, out=tmp_path, data=("digits",), seeds=(0,))
        for side, of_side in points.items():
            path = plan.result("digits", 0, side)
            path.parent.mkdir(parents=True, exist_ok=True)
            named = [{"network": "8", "validation_error": e, "test_error": e, "luts": n} for e, n in of_side]
            path.write_text(json.dumps({"cpu_s": 1, "points": named, "provenance": {"commit": side}}))
        return plan

    def test_luts_are_compared_at_the_errors_of_hgq(self, tmp_path):
        plan = self.make(
            tmp_path,
            {
                "search": [(0.1, 50.0), (0.01, 500.0)],
                "hgq": [(0.1, 100.0), (0.01, 1000.0)],
                "uniform": [(0.1, 200.0), (0.02, 2000.0)],
            },
        )
        ratios = precision_resources.write(plan)["data"]["digits"]["luts_search_over"]
        assert ratios["hgq"] == [{"ratio": pytest.approx(0.5), "reached": 2, "of": 2}]
        assert ratios["uniform"] == [{"ratio": pytest.approx(0.25), "reached": 1, "of": 1}]
        assert (tmp_path / "precision_resources.png").exists()

    def test_a_constant_is_no_point(self, tmp_path):
        networks = [(0.1, 100.0), (0.01, 1000.0)]
        plan = self.make(tmp_path, {"search": networks, "hgq": [*networks, (1.0, 0.0)], "uniform": networks})
        ratios = precision_resources.write(plan)["data"]["digits"]["luts_search_over"]
        assert ratios["hgq"] == [{"ratio": pytest.approx(1.0), "reached": 2, "of": 2}]

    def test_what_is_not_complete_is_left_out(self, tmp_path):
        plan = self.make(tmp_path, {"search": [(0.1, 50.0)]})
        assert precision_resources.write(plan)["data"] == {}


class TestMainJobSummary:
    def make(self, tmp_path, **steps):
        plan = main_job.Plan(runs=tmp_path, out=tmp_path, seeds=(1,))
        for side, of_side in steps.items():
            result = {"wall_s": of_side[-1][0] + 2, "steps": [[s, k + 1, 0, v] for k, (s, v) in enumerate(of_side)]}
            result["provenance"] = {"commit": "abc"}
            plan.result(side, 1).write_text(json.dumps(result))
        return plan

    def test_time_to_the_hypervolume_of_before(self, tmp_path):
        plan = self.make(tmp_path, before=[(5, 0.1), (30, 0.2), (40, 0.2)], after=[(2, 0.1), (9, 0.25), (13, 0.3)])
        summary = main_job.write(plan)
        assert summary["seeds"]["1"]["seconds_to_hypervolume_of_before"] == {"before": 30, "after": 9}
        assert summary["seeds"]["1"]["share_of_time_to_it"] == pytest.approx(0.3)
        assert summary["seeds"]["1"]["share_of_wall_time"] == pytest.approx(9 / 42)
        assert summary["wall_s"]["after"]["mean"] == 15
        assert summary["commits_of_after"] == ["abc"]
        assert summary["hypervolume_after_minus_before"]["mean"] == pytest.approx(0.1)
        assert (tmp_path / "main_job.png").exists()

    def test_a_hypervolume_that_is_never_reached_has_no_time(self, tmp_path):
        plan = self.make(tmp_path, before=[(5, 0.1)], after=[(2, 0.05)])
        assert main_job.write(plan)["seeds"]["1"]["share_of_time_to_it"] is None

    def test_what_is_not_complete_is_left_out(self, tmp_path):
        assert main_job.write(self.make(tmp_path, before=[(5, 0.1)]))["seeds"] == {}


def test_memory_spread_is_of_the_settled_part():
    readings = [{"candidates": n, "rss_mb": mb} for n, mb in ((50, 100), (200, 400), (250, 420), (300, 410))]
    assert costs.spread(readings) == pytest.approx(1.05)


@pytest.mark.slow
class TestEndToEnd:
    """Short runs of the commands themselves."""

    def test_throughput_is_measured_once(self, tmp_path, capsys):
        command = ["--sets", "100", "--sides", "ours cold,ours warm,jax", "--chunks", "1", "--epochs", "1"]
        command += ["--candidates", "2", "--peer-candidates", "1", "--runs", str(tmp_path / "runs")]
        command += ["--out", str(tmp_path)]
        throughput.main(command)
        rows = list(csv.DictReader((tmp_path / "throughput.csv").open()))
        assert [row["side"] for row in rows] == ["ours cold"] * 2 + ["ours warm"] * 2 + ["jax"]
        assert [row["cache"] for row in rows] == ["cold"] * 2 + ["warm"] * 2 + ["none"]
        # The same search, bit for bit.
        assert [row["auc"] for row in rows[:2]] == [row["auc"] for row in rows[2:4]]
        assert all(0.5 < float(row["auc"]) < 1 for row in rows)
        summary = json.loads((tmp_path / "throughput.json").read_text())
        assert summary["sets"]["100"]["ratios"]["ours warm / jax"]["ratio"] > 1
        assert summary["versions"]
        assert (tmp_path / "throughput.png").exists()
        capsys.readouterr()
        throughput.main(command)
        assert "part" not in capsys.readouterr().out

    def test_peers_have_the_arithmetic_of_the_search(self):
        """What is fitted is, bit for bit, the network that the search would have frozen."""
        from benchmarks.training import _fit
        from nas_fpga.training._rows import Rows

        setup = Setup(SearchDefinition(), load_data(DataSource()))
        data, form = setup.dataset, setup.input_format
        parts = [setup.split.train[::8], setup.split.validation[::8]]
        training, validation = (Rows.of(data, rows, form.apply(data.features[rows])) for rows in parts)
        candidate = Candidate((12, 10), BitWidths(3, 4), TrainingSettings(epochs=2))
        model = _fit.fixed_bits_model(candidate, form, data.n_outputs)
        _fit.start_at_means(model, training.inputs)
        calibration = _fit.Calibration(candidate, form, training.inputs)
        history = _fit.fit(model, candidate, training, validation, [calibration], best_idiom=True)
        assert max(history["val_loss"]) < np.log(2)  # it learns
        layers = model.layers[1:]
        parameters = [(np.asarray(layer.kernel), np.asarray(layer.bias)) for layer in layers]
        frozen = freeze(candidate, form, parameters, calibration.steps)
        np.testing.assert_array_equal(
            frozen.logits_of_inputs(validation.inputs), _fit.predict(model, validation.inputs)
        )

    def test_learned_bits(self, tmp_path):
        plan = learned.Plan(
            runs=tmp_path / "runs",
            out=tmp_path,
            members=(2,),
            hgq_members=1,
            hgq=("hgq",),
            seeds=(0,),
            settings=TrainingSettings(epochs=2),
        )
        learned.measure(plan)
        summary = learned.write(plan)
        assert summary["failed"] == 0
        assert summary["hgq_over_ours"]["2 members, hgq"]["ratio"] > 0
        rows = list(csv.DictReader((tmp_path / "learned.csv").open()))
        assert {row["side"] for row in rows} == {"ours 2", "hgq"}
        assert all(0 < float(row["luts"]) < 1e6 for row in rows)

    def test_costs(self, tmp_path):
        command = ["--epochs", "1", "--vary", "workers", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path)]
        costs.main(command)
        rows = list(csv.DictReader((tmp_path / "costs.csv").open()))
        assert [(row["varied"], row["value"]) for row in rows] == [("workers", "1"), ("workers", "2")]
        costs.main([*command, "--memory", "--candidates", "2"])
        (reading,) = csv.DictReader((tmp_path / "memory.csv").open())
        assert 50 < float(reading["rss_mb"]) < 5000

    def test_main_job(self, tmp_path):
        small = {"budget": 4, "trials": 2, "epochs": 4}
        plan = main_job.Plan(runs=tmp_path / "runs", out=tmp_path, before="HEAD", seeds=(1,), options=small)
        main_job.measure(plan)
        (of,) = main_job.write(plan)["seeds"].values()
        assert of["hypervolume"]["before"] == of["hypervolume"]["after"] > 0  # both are this commit's
        rows = list(csv.DictReader((tmp_path / "main_job.csv").open()))
        assert {(row["side"], row["trials"]) for row in rows} >= {("before", "2"), ("after", "2")}


def test_topologies_have_fixed_bits():
    assert all(isinstance(c.bits, BitWidths) for c in random_candidates(3, 20))
