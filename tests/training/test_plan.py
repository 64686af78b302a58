"""What is trained together: candidates of one program, the dearest first."""

from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.training import TrainingJob, plan


def jobs(*topologies, epochs=10):
    settings = TrainingSettings(epochs=epochs)
    return [TrainingJob(k, Candidate(t, BitWidths(6, 6), settings), seed=k) for k, t in enumerate(topologies)]


def numbers(packs):
    return [[job.number for job in pack.jobs] for pack in packs]


def test_candidates_of_one_bucket_are_together_and_dear_ones_first():
    packs = plan(jobs((3,), (500,), (8,), (2, 7), (20, 4), (32, 17)), 13, 1, 50_000)
    assert numbers(packs) == [[1], [4, 5], [0, 2], [3]]
    assert [pack.cost for pack in packs] == sorted((pack.cost for pack in packs), reverse=True)
    assert str(packs[1]) == "trials 4, 5 in a program of 32-32"
    assert str(packs[0]) == "trial 1 in a program of 504"


def test_no_pack_holds_so_many_that_others_wait():
    packs = plan(jobs(*[(4,)] * 40), 13, 1, 50_000)
    assert sorted(map(len, numbers(packs))) == [8, 16, 16]
    assert sorted(job.number for pack in packs for job in pack.jobs) == list(range(40))


def test_the_expected_cost_counts_epochs():
    few, many = (plan(jobs((4,), epochs=epochs), 13, 1, 50_000)[0].cost for epochs in (5, 50))
    assert many == 10 * few
