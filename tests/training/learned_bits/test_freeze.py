"""From what a program trains to integers: the same outputs, bit for bit."""

import jax
import numpy as np
import pytest

from nas_fpga.data import InputFormat
from nas_fpga.hardware._traits import measured_traits
from nas_fpga.space import Candidate, LearnedBits
from nas_fpga.training import QuantizedLayer, QuantizedNetwork, TrainingJob
from nas_fpga.training._bucket import bucket_of
from nas_fpga.training.learned_bits._freeze import freeze, input_grid, input_integer_bits, thaw
from nas_fpga.training.learned_bits._program import Limits, Parameters, logits_and_ebops

N_ROWS = 10_000
CANDIDATE = Candidate((10, 5), LearnedBits())


def random_parameters(shapes, layout, form, seed):
    """Bits from none to many, of weights, inputs and neurons; the padding is left at zero."""
    rng = np.random.default_rng(seed)

    def each(draw):
        return layout.pack_together(
            [(draw(shape).astype(np.float32), draw(shape[1]).astype(np.float32)) for shape in shapes]
        )

    hidden = [n_in for n_in, _ in shapes[1:]]
    parameters = Parameters(
        each(lambda shape: rng.standard_normal(shape) * 0.5),
        each(lambda shape: rng.uniform(-1, 7, shape)),
        layout.pack_units([input_integer_bits(form), *(rng.uniform(-1, 3, n).astype(np.float32) for n in hidden)]),
        layout.pack_units(
            [
                (form.grid_bits - rng.uniform(-1, 12, shapes[0][0])).astype(np.float32),
                *(rng.uniform(-2, 6, n).astype(np.float32) for n in hidden),
            ]
        ),
    )
    return within_limits(layout, form, parameters)


def within_limits(layout, form, parameters):
    limits = Limits.of(layout, input_grid(form))
    return Parameters.of(layout, np.clip(np.concatenate(parameters), limits.lowest, limits.highest))


def random_format(d, seed):
    rng = np.random.default_rng(seed)
    fraction = rng.integers(-3, 8, d)
    return InputFormat(np.full(d, 10), rng.random(d) < 0.5, fraction, rng.integers(6, 9, d) - fraction)


@pytest.mark.parametrize(("topology", "n_outputs"), [((5,), 1), ((20, 9), 1), ((9, 4, 17), 3), ((6,) * 15, 1)])
def test_outputs_of_the_integers_are_those_of_the_program(topology, n_outputs):
    form = random_format(7, len(topology))
    candidate = Candidate(topology, LearnedBits())
    shapes, layout = candidate.layer_shapes(7, n_outputs), bucket_of(candidate, 7, n_outputs, N_ROWS).layout
    assert layout.widths[1:-1] > topology
    parameters = random_parameters(shapes, layout, form, len(topology))
    network = freeze(candidate, form, shapes, layout, parameters)
    assert (network.input_format.bits <= form.bits).all()
    assert network.input_format.bits.min() < 8
    assert max(network.accumulator_bits()) <= 24
    rng = np.random.default_rng(0)
    reach = 2.0 ** (form.bits - form.signed - form.fraction_bits)
    features = (rng.uniform(-1.5, 1.5, (N_ROWS, 7)) * reach).astype(np.float32)
    inputs = np.ldexp(features, -form.scale_log2.astype(np.int32))
    program = jax.jit(logits_and_ebops, static_argnums=0)
    signed = Limits.of(layout, input_grid(form)).signed
    logits, program_ebops = program(layout, signed, parameters, inputs)
    assert np.count_nonzero(np.asarray(logits, np.float64) != network.logits(features)) == 0
    assert len(topology) > 4 or len(np.unique(np.asarray(logits))) > 50
    pruned = network.pruned()
    assert np.array_equal(pruned.logits(features), network.logits(features))
    # Trailing zeros of a weight count for HGQ2's training, not in the integers.
    assert 0.5 * float(program_ebops) < network.ebops <= float(program_ebops)
    assert pruned.ebops <= network.ebops


def test_ebops_of_a_network_worked_out_by_hand():
    form = InputFormat(np.array([4, 3]), np.array([True, False]), np.zeros(2, np.int64), np.zeros(2, np.int64))
    hidden = QuantizedLayer(
        np.array([[3, 0], [4, -5]], np.int32), 1, np.array([6, 0]), 1, np.array([2, 5]), np.array([0, 0])
    )
    output = QuantizedLayer(np.array([[1], [7]], np.int32), 0, np.array([9]), 0, None, None)
    network = QuantizedNetwork(Candidate((2,), LearnedBits()), form, (hidden, output))
    assert network.ebops == 4 * 2 + 3 * (1 + 3) + 2 + (2 * 1 + 5 * 3) + 4


def test_a_thawed_network_is_the_one_that_was_frozen():
    form = random_format(6, 3)
    shapes, layout = CANDIDATE.layer_shapes(6, 1), bucket_of(CANDIDATE, 6, 1, N_ROWS).layout
    network = freeze(CANDIDATE, form, shapes, layout, random_parameters(shapes, layout, form, 1)).pruned()
    left = TrainingJob(0, CANDIDATE, 0, network).trained.layer_shapes(6, 1)
    again = freeze(CANDIDATE, form, left, layout, within_limits(layout, form, thaw(network, form, layout)))
    features = (np.random.default_rng(0).standard_normal((2000, 6)) * 2.0**-form.fraction_bits * 200).astype(np.float32)
    assert np.array_equal(again.logits(features), network.logits(features))
    assert len(np.unique(network.logits(features))) > 20


def test_the_cost_of_a_checkpoint_is_the_ebops_of_the_points():
    form = random_format(6, 3)
    shapes, layout = CANDIDATE.layer_shapes(6, 1), bucket_of(CANDIDATE, 6, 1, N_ROWS).layout
    network = freeze(CANDIDATE, form, shapes, layout, random_parameters(shapes, layout, form, 1))
    assert network.ebops == measured_traits(network).ebops > 100
