"""A finished study, its front and its points, as people look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

from nas_fpga._progress import QuietDisplay, make_reporter
from nas_fpga.api._errors import said_in_python
from nas_fpga.api._html import definitions_html, table_html
from nas_fpga.api._table import front_cells, training_note
from nas_fpga.errors import InputError, MissingExtraError, StudyError
from nas_fpga.hardware import HardwareFigures, Mapping, Strategy
from nas_fpga.space import Candidate
from nas_fpga.study import (
    HardwareOptions,
    Knee,
    Point,
    StudyOutcome,
    StudyStorage,
    TrialRecord,
    hardware_values,
    read_outcome,
    refuse_unknown,
)
from nas_fpga.training import Merits, QuantizedNetwork

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

    from nas_fpga.explanation import Findings
    from nas_fpga.export import Backend, Decision, Proof, RtlLanguage, Verification


class Study:
    """A search that has ended, under its limits: a front of points, each a trained network with its cost.

    Made by :func:`nas_fpga.search` and :func:`nas_fpga.open_study`. ``study["17.0"]`` is a point by its name, on the
    front or off it.

    Args:
        outcome: What the study came to.
        remapped: Whether the limits are others than those it was searched under.
    """

    def __init__(self, outcome: StudyOutcome, *, remapped: bool = False) -> None:
        """See the class."""
        self.outcome = outcome
        self._remapped = remapped
        self._points: dict[str, StudyPoint] = {}

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.outcome.folder.name

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.outcome.folder

    @cached_property
    def front(self) -> Front:
        """The Pareto front, cheapest first."""
        return Front(self)

    @property
    def best(self) -> StudyPoint:
        """The cheapest point within one paired standard error of the most precise."""
        return self[self.outcome.best.point.name]

    @property
    def knee(self) -> Knee:
        """Where more neurons stop to help."""
        return self.outcome.knee

    @property
    def merit_name(self) -> str:
        """The figure of merit in words, lower is better."""
        return self.outcome.merit_name

    @property
    def resource_name(self) -> str:
        """The resource axis in words."""
        return self.outcome.setup.resource_name

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """All trials, failed ones included."""
        return self.outcome.trials

    def __getitem__(self, name: str) -> StudyPoint:
        """Return a point by its name, such as ``"17.0"``.

        Raises:
            StudyError: There is none of that name.
        """
        if name not in self._points:
            for trial in self.outcome.trials:
                for point in trial.points:
                    if point.name == name:
                        self._points[name] = StudyPoint(self, trial, point)
                        return self._points[name]
            known = ", ".join(row.point.name for row in self.outcome.front)
            raise StudyError(f"study '{self.name}' has no point '{name}'; its front has {known}")
        return self._points[name]

    def remap(self, **limits: Unpack[HardwareOptions]) -> Study:
        """Return the study under another part, clock, rate or limits. A mapping changes no output: nothing is trained.

        Args:
            **limits: ``part``, ``clock_ns``, ``rate_mhz``, ``region``, ``max_luts``, ``max_ffs``, ``max_dsps``,
                ``max_brams``, ``max_latency_ns``, ``objective``, ``rank_stage``, ``calibration``; what is left out
                stays as it is in this study, but for limits where ``region`` is ``unlimited``.

        Raises:
            TypeError: An unknown keyword.
            InputError: A value cannot be used.
            SearchFailedError: No trained network fits the limits.
        """
        refuse_unknown("remap", limits, list(HardwareOptions.__annotations__))
        definition = self.outcome.setup.definition
        with said_in_python():
            target = vars(definition.hardware.with_values(hardware_values(limits)))
            outcome = read_outcome(self.folder, self.outcome.storage_url, target, data=definition.data.name)
        return Study(outcome, remapped=True)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the study as one page of HTML that works offline, and return its path.

        Args:
            path: The file; by default ``report.html`` in the study's folder.

        Raises:
            InputError: No file is named for a study under other limits.
        """
        if path is None and self._remapped:
            raise InputError("other limits make another report than the study's own; say where it goes: report('FILE')")
        from nas_fpga.report import write_report

        path = self.folder / "report.html" if path is None else Path(path)
        with said_in_python():
            write_report(self.outcome, path)
        return path

    def explain(self, *, seed: int | None = None) -> Findings:
        """Return what mattered among the trials: depth, total neurons, shape, bits and training settings.

        It prints as `nas-fpga explain` does, how far it is to be believed first.

        Args:
            seed: Of folds, trees and shuffles; None for the study's. What is said should hold with another one too.

        Raises:
            InputError: The seed is negative.
        """
        from nas_fpga.explanation import explain_study

        with said_in_python():
            return explain_study(self.outcome.setup, self.outcome.mapped, seed)

    def __repr__(self) -> str:
        """One line: how many trials, how long the front, what is best."""
        states = [trial.state for trial in self.trials]
        failed = f", {states.count('failed')} failed" if "failed" in states else ""
        return (
            f"<Study {self.name}: {len(states)} trials{failed}, {len(self.outcome.front)} points on the front, "
            f"best {self.outcome.best.point.name} ({self.outcome.best.trial.name_of(self.outcome.best.point)})>"
        )

    def _repr_html_(self) -> str:
        target = self.outcome.setup.target
        states = [trial.state for trial in self.trials]
        summary = {
            "study": str(self.folder),
            "data": self.outcome.setup.dataset.name,
            "trials": f"{len(states)}, {states.count('failed')} failed",
            "FPGA": f"{target.part.name}, {target.clock_ns:g} ns, {target.rate_mhz:g} inferences/us",
            "best": f"{self.outcome.best.point.name} ({self.outcome.best.trial.name_of(self.outcome.best.point)})",
            "knee": str(self.knee),
        }
        return definitions_html(summary) + self.front._repr_html_()


class Front(Sequence["StudyPoint"]):
    """The points of a front, cheapest first, shown as a table.

    Args:
        study: Whose front it is.
    """

    def __init__(self, study: Study) -> None:
        """See the class."""
        self._outcome = study.outcome
        self._points = tuple(study[row.point.name] for row in study.outcome.front)

    def __len__(self) -> int:
        """Return how many points there are."""
        return len(self._points)

    @overload
    def __getitem__(self, index: int) -> StudyPoint: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[StudyPoint]: ...
    def __getitem__(self, index: int | slice) -> StudyPoint | Sequence[StudyPoint]:
        """Return a point by its place."""
        return self._points[index]

    def records(self) -> list[dict[str, Any]]:
        """Return every figure of every point, by the columns of ``front.csv``."""
        return [self._outcome.record(row) for row in self._outcome.front]

    def to_pandas(self) -> pandas.DataFrame:
        """Return every figure as a data frame, indexed by point, with the columns of ``front.csv``.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError("a data frame needs pandas; pip install pandas, or take .records()") from error
        return pandas.DataFrame(self.records()).set_index("point")

    def csv(self) -> str:
        """Return every figure as CSV, as ``front.csv`` has it."""
        return self._outcome.csv()

    def __repr__(self) -> str:
        """The table as text."""
        table = [list(front_cells(self._outcome, self._outcome.front[0]))]
        table += [list(front_cells(self._outcome, row).values()) for row in self._outcome.front]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip() for row in table
        )

    def _repr_html_(self) -> str:
        rows = [front_cells(self._outcome, row) for row in self._outcome.front]
        strong = [row.is_best for row in self._outcome.front]
        caption = f"validation, test: {self._outcome.merit_name}; * best; intervals of 90 % for LUT, 95 % for test"
        note = training_note(self._outcome)
        return table_html(rows, strong, f"{caption}; {note}" if note else caption)


class StudyPoint:
    """One network under one mapping: what it computes, how good it is, what it costs, and its way to the board.

    Args:
        study: Where it comes from.
        trial: The training.
        point: Its network and mapping.
    """

    def __init__(self, study: Study, trial: TrialRecord, point: Point) -> None:
        """See the class."""
        self.study, self.trial, self.point = study, trial, point
        self._exported_to: Path | None = None

    @property
    def name(self) -> str:
        """`17.0`."""
        return self.point.name

    @property
    def candidate(self) -> Candidate:
        """Topology, bit widths and training settings, which do not count for a polished point.

        A polished point has learned bits, and the topology of the network that it went on from.

        Raises:
            StudyError: The checkpoint of a polished point cannot be read.
        """
        return self.network.candidate if self.point.polished else self.trial.candidate

    @property
    def mapping(self) -> Mapping:
        """How the network is laid on the FPGA."""
        return self.point.mapped.mapping

    @property
    def figures(self) -> HardwareFigures:
        """What it costs, each figure with unit, stage and interval."""
        return self.point.mapped.figures

    @property
    def validation(self) -> Merits:
        """Figures of merit on validation rows, which the front is made of."""
        return self.point.merits

    @cached_property
    def network(self) -> QuantizedNetwork:
        """The trained network, in integers.

        Raises:
            StudyError: Its checkpoint cannot be read.
        """
        return StudyStorage(self.study.folder).load_network(self.trial, self.point.network)

    @cached_property
    def test(self) -> Merits:
        """Figures of merit on test rows, at the working point of validation."""
        for row in self.study.outcome.front:
            if row.point.name == self.name:
                return row.test
        setup = self.study.outcome.setup
        logits = self.network.logits(setup.dataset.features[setup.split.test])
        return setup.evaluate(logits, "test", validation=self.validation if setup.dataset.n_classes == 2 else None)

    def export(
        self,
        folder: str | Path,
        *,
        backend: Backend = "vitis",
        rtl: RtlLanguage | None = None,
        decision: Decision = "none",
        strategy: Strategy | None = None,
        reuse_factor: int | None = None,
        force: bool = False,
        progress: bool = True,
    ) -> Path:
        """Write the point as a project for synthesis, and return its folder.

        Args:
            folder: Where to.
            backend: hls4ml's: ``vitis``, ``vivado``, ``catapult``, ``quartus`` or ``oneapi``.
            rtl: ``verilog`` or ``vhdl``: an IP in place of an HLS project.
            decision: Of RTL: a one-bit output beside the logit, its working point ``constant`` or in a ``register``.
            strategy: ``latency``, ``resource`` or ``distributed_arithmetic`` in place of the point's own mapping; its
                figures are estimated anew.
            reuse_factor: For ``resource``; layers take the nearest that hls4ml has.
            force: Replace what is in the folder.
            progress: Say what is going on.

        Raises:
            StudyError: The point's checkpoint is gone.
            InputError: The folder holds something else, or hls4ml cannot convert the model for the backend.
        """
        from nas_fpga.export import design_of_point, export, mapping_of

        folder = Path(folder)
        message = _message(progress)
        with said_in_python():
            chosen = None
            if (strategy, reuse_factor) != (None, None):
                shapes = [(layer.n_in, layer.n_out) for layer in self.network.layers]
                chosen = mapping_of(shapes, strategy, reuse_factor, message=message)
            design = design_of_point(self.study.outcome, self.name, mapping=chosen)
            export(design, folder, backend=backend, rtl=rtl, decision=decision, force=force, message=message)
        self._exported_to = folder
        return folder

    def verify(self, *, proof: Proof | None = None, progress: bool = True) -> Verification:
        """Run the exported project on real events and compare every output with Keras, bit for bit.

        What was exported last by this point is verified; if nothing was, it is exported to ``designs/POINT`` in the
        study's folder first.

        Args:
            proof: ``cpp`` compiles its C++, ``rtl`` simulates its RTL; None takes the C++ where that is quick enough.
            progress: Say what is going on.

        Raises:
            InputError: There is no compiler or simulator, the project does not compile, or nothing was exported under
                limits that are not the study's own.
        """
        if self._exported_to is None and self.study._remapped:
            raise InputError("other limits make another design than the study's own; first say where: export('DIR')")
        from nas_fpga.export import verify

        folder = self._exported_to or self.export(self.study.folder / "designs" / self.name, progress=progress)
        with said_in_python():
            return verify(folder, proof=proof, message=_message(progress))

    def __repr__(self) -> str:
        """One line: what it is, how good, what it costs."""
        return (
            f"<StudyPoint {self.name}: {self.trial.name_of(self.point)} {self.mapping}, "
            f"{self.study.outcome.merit_name} {self.point.error:.4f}, {self.figures.lut.value:,.0f} LUT, "
            f"{self.figures.latency_ns.value:g} ns>"
        )

    def _repr_html_(self) -> str:
        figures, merit = self.figures, self.study.outcome.merit_name
        searched = self.study.outcome.setup.definition.searched
        named = {
            "point": f"{self.name} of study {self.study.name}",
            "network": self.trial.name_of(self.point),
            **({} if self.point.polished else searched.shown(self.trial.candidate.settings)),
            "mapping": str(self.mapping),
            f"{merit}, validation": f"{self.validation.error:.4f}",
            f"{merit}, test": f"{self.test.error:.4f}",
            "resources of one copy": "; ".join(map(str, (figures.lut, figures.ff, figures.dsp, figures.bram18))),
            "latency": str(figures.latency_ns),
            "initiation interval": str(figures.ii_cycles),
            "copies": str(figures.copies),
        }
        return definitions_html(named)


def _message(progress: bool) -> Callable[[str], None]:
    return make_reporter().message if progress else QuietDisplay().message


def plot_front(study: Study) -> plotly.graph_objects.Figure:
    """Return the front of a study as a plotly figure: figure of merit on a logarithmic axis against resources."""
    from nas_fpga.report import plot_front

    return plot_front(study.outcome)
