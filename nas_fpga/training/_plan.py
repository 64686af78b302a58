"""The plan of a generation: which candidates are trained together, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nas_fpga.training._base import TrainingJob
from nas_fpga.training._bucket import Bucket, bucket_of

_PACK = 16  # more would leave workers idle at the end of a generation


@dataclass(frozen=True)
class Pack:
    """Candidates of one bucket, trained by one worker with one compiled program.

    Attributes:
        bucket: The shapes of the program.
        jobs: What is trained, by number.
    """

    bucket: Bucket
    jobs: tuple[TrainingJob, ...]

    @property
    def cost(self) -> float:
        """Expected work, in arbitrary units."""
        return self.bucket.cost * sum(job.candidate.settings.epochs for job in self.jobs)

    def __str__(self) -> str:
        """`trials 3, 7 in a program of 32-32`."""
        numbers = ", ".join(str(job.number) for job in self.jobs)
        return f"trial{'s' * (len(self.jobs) > 1)} {numbers} in a program of {self.bucket}"


def plan(
    jobs: Sequence[TrainingJob], n_inputs: int, n_outputs: int, n_rows: int, *, most: int = _PACK
) -> tuple[Pack, ...]:
    """Return the packs of a generation, the dearest first, so that no worker begins it when the others have ended.

    Args:
        jobs: Of the generation.
        n_inputs: Features.
        n_outputs: Outputs of the networks.
        n_rows: Training rows.
        most: Candidates of a pack; 1 where they share no program.
    """
    together: dict[Bucket, list[TrainingJob]] = {}
    for job in jobs:
        together.setdefault(bucket_of(job.trained, n_inputs, n_outputs, n_rows), []).append(job)
    packs = [
        Pack(bucket, tuple(members[first : first + most]))
        for bucket, members in together.items()
        for first in range(0, len(members), most)
    ]
    return tuple(sorted(packs, key=lambda pack: (-pack.cost, pack.jobs[0].number)))
