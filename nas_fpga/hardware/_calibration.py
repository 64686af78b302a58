"""A calibration: ratios between stages that were learned from a user's own reports, in place of shipped ones."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nas_fpga.errors import InputError
from nas_fpga.hardware._figures import RESOURCES, STAGES, Resource, Stage
from nas_fpga.hardware._stages import StageRatio
from nas_fpga.hardware._strategies import STRATEGIES, Strategy

FORMAT = "nas-fpga calibration 1"
OUTSIDE_SIZE = 4.0
"""A design this many times larger than the largest seen, or smaller than the smallest, is outside what was seen."""
MOST_RATIO = 50.0
"""Two stages of one design never differ by more: the worst known, a BDT, has a 25th of its csynth LUTs when placed."""


@dataclass(frozen=True)
class Calibration:
    """Ratios learned from reports; see :func:`nas_fpga.hardware.learn`.

    Attributes:
        ratios: At most one of each stage, strategy and resource.
    """

    ratios: tuple[StageRatio, ...]

    def ratio(self, stage: Stage, strategy: Strategy, resource: Resource) -> StageRatio | None:
        """Return the learned ratio of a stage to place and route; None where no report tells."""
        return next((r for r in self.ratios if (r.stage, r.strategy, r.resource) == (stage, strategy, resource)), None)

    def __str__(self) -> str:
        """`6 ratios of latency, resource (3 to 12 networks), 1f0c9a2b`; the last names its content."""
        strategies = ", ".join(name for name in STRATEGIES if any(r.strategy == name for r in self.ratios))
        counts = [r.n_designs for r in self.ratios]
        several = "" if min(counts) == max(counts) else f"{min(counts)} to "
        content = hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:8]
        return f"{len(self.ratios)} ratios of {strategies} ({several}{max(counts)} networks), {content}"


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write a calibration as a JSON file that can be shared.

    Raises:
        InputError: There is a file of another kind.
    """
    refuse_other_file(path)
    path.write_text(json.dumps({"format": FORMAT} | asdict(calibration), indent=2) + "\n", encoding="utf-8")


def refuse_other_file(path: Path) -> None:
    """Refuse a place where a calibration cannot be written without the loss of something else.

    Raises:
        InputError: There is a file of another kind, or no folder.
    """
    if not path.absolute().parent.is_dir():
        raise InputError(f"--out {path}: there is no folder {path.parent}; make it or give another")
    if path.exists():
        try:
            read_calibration(path)
        except InputError:
            raise InputError(f"--out {path} is there and is no calibration; give another file") from None


def read_calibration(path: Path | str) -> Calibration:
    """Read what :func:`write_calibration` wrote.

    Raises:
        InputError: It cannot be read or is no calibration.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"its format is not '{FORMAT}'")
        ratios = tuple(_ratio(each) for each in content["ratios"])
        if not ratios or len({(r.stage, r.strategy, r.resource) for r in ratios}) < len(ratios):
            raise ValueError("it has no ratios, or two of one kind")
    except OSError as error:
        raise InputError(f"calibration {path} cannot be read ({error.strerror}); make it with calibrate") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no calibration ({error}); make one with nas-fpga calibrate") from error
    return Calibration(ratios)


def as_calibration(given: Calibration | Path | str | None) -> Calibration | None:
    """Return a calibration that is given as such or by its file, from Python too.

    Raises:
        InputError: The file cannot be read or is no calibration.
    """
    if not (given is None or isinstance(given, Calibration | Path | str)):
        raise InputError(f"--calibration {given!r} must be the file of a calibration")
    return read_calibration(given) if isinstance(given, Path | str) else given


def _ratio(values: Mapping[str, Any]) -> StageRatio:
    """Return a ratio from JSON.

    Raises:
        ValueError: A value can be none of a ratio's.
        KeyError: One is missing.
        TypeError: One is of another type, or unknown.
    """
    least, most = (float(size) for size in values["sizes"])
    found = StageRatio(**{**values, "sizes": (least, most)})
    known = {"stage": STAGES, "strategy": STRATEGIES, "resource": RESOURCES, "reference": STAGES}
    for name, words in known.items():
        if getattr(found, name) not in words:
            raise ValueError(f"{name} {getattr(found, name)!r} is none of {', '.join(words)}")
    inside = 1 / MOST_RATIO <= found.ratio <= MOST_RATIO and 0 <= found.spread <= math.log(MOST_RATIO)
    if not inside or not 0 < least <= most < math.inf or not (isinstance(found.n_designs, int) and found.n_designs > 0):
        raise ValueError(f"{found.resource} of {found.stage} has figures that no designs have")
    return found
