"""Methods that search a table: our samplers, and the peers in their own idiom, all behind one small contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from benchmarks.search import _ablation, _peers
from benchmarks.search._tables import Levels, Problem
from nas_fpga.samplers import SAMPLERS, GaussianProcessSampler, Observation, Sampler, SamplerOptions


class Method(Protocol):
    """Proposes one row after the other; each proposal is answered before the next is asked for."""

    def propose(self) -> Levels:
        """Return a row."""

    def observe(self, levels: Levels, log10_error: float) -> None:
        """Take note of the error of the row that was proposed; of one that was proposed before it is the same again."""

    def refuse(self, levels: Levels) -> None:
        """Take note that the row that was proposed is over the budget."""


class Ours:
    """A sampler of this package on the table's space."""

    def __init__(self, problem: Problem, sampler: Sampler[tuple[Any, ...]]) -> None:
        """Begin with nothing known."""
        self.problem = problem
        self.space = problem.space()
        self.sampler = sampler
        self.history: list[Observation[tuple[Any, ...]]] = []

    def propose(self) -> Levels:
        (self.candidate,) = self.sampler.ask(self.history, [], 1)
        return tuple(self.space.rows([self.candidate])[0].tolist())

    def observe(self, levels: Levels, log10_error: float) -> None:
        share = self.problem.log10_share(levels)
        self.history.append(Observation(self.candidate, "complete", log10_error=log10_error, log10_share=share))

    def refuse(self, levels: Levels) -> None:
        raise AssertionError(f"{levels} is not feasible: a sampler of ours never proposes such a row")


MakeMethod = Callable[[Problem, int], Method]

PEERS: dict[str, MakeMethod] = {
    "optuna-tpe": _peers.optuna_tpe,
    "optuna-tpe-conditional": _peers.optuna_tpe_conditional,
    "optuna-nsga2": _peers.optuna_nsga2,
    "optuna-nsga2-constrained": _peers.optuna_nsga2_constrained,
    "smac": _peers.smac,
    "smac-forbidden": _peers.smac_forbidden,
    "deephyper": _peers.deephyper,
    "deephyper-sampled": _peers.deephyper_sampled,
}
OURS = tuple(name for name in SAMPLERS if name != "grid")  # a grid is of topologies

VARIANTS: dict[str, Callable[..., Sampler[Any]]] = {
    "gp without moves": lambda space, seed, goal: GaussianProcessSampler(_ablation.still(space), seed, goal=goal),
    "gp trust region": _ablation.TrustRegionSampler,
    "gp without fence": partial(_ablation.FencedSampler, at=1e6),
    "gp fence 0.5": partial(_ablation.FencedSampler, at=0.5),
    "gp fence 0": partial(_ablation.FencedSampler, at=0.0),
    "gp start 4": partial(GaussianProcessSampler, n_startup=4),
    "gp start 20": partial(GaussianProcessSampler, n_startup=20),
    **{f"gp {name}": partial(GaussianProcessSampler, acquisition=name) for name in ("ucb", "pi", "thompson", "mes")},
}  # of the default sampler, each with another part


def make(name: str, problem: Problem, seed: int) -> Method:
    """Return a method by its name."""
    if name in PEERS:
        return PEERS[name](problem, seed)
    if name in VARIANTS:
        return Ours(problem, VARIANTS[name](problem.space(), seed, goal="precision"))
    return Ours(problem, SAMPLERS[name](problem.space(), seed, SamplerOptions(goal="precision")))
