"""Published data sets that a user downloads: what each is called, what it is, and where its files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nas_fpga.errors import InputError


@dataclass(frozen=True)
class Variant:
    """A published data set.

    Attributes:
        name: As in `--data NAME:FILE`.
        title: What it is, as said in errors.
        source: Where it is published.
        files: What its files hold, in the order in which they are given.
        download: How to get them, one clause.
        n_rows: Rows that it has, None where it comes in files of several sizes.
        notice: What it must not be taken for, said wherever it is named.
    """

    name: str
    title: str
    source: str
    files: tuple[str, ...]
    download: str
    notice: str
    n_rows: int | None = None

    @property
    def usage(self) -> str:
        """The option that names it."""
        return f"--data {self.name}:{','.join(self.files)}"


_NEVER_COMPARE = "never compare accuracies across these three"

OPENML_JETS = Variant(
    name="openml-jets",
    title="the OpenML jets",
    source="OpenML 42468, hls4ml_lhc_jets_hlf, https://www.openml.org/d/42468",
    files=("JETS.arff.gz",),
    download='download them with python -c "from sklearn.datasets import fetch_openml; fetch_openml(data_id=42468, '
    "as_frame=False, parser='liac-arff')\" and give the .arff.gz that is then below ~/scikit_learn_data/openml.org",
    notice=f"OpenML 42468, neither the CERNBox file nor the jets of this package; {_NEVER_COMPARE}",
    n_rows=830_000,
)
_CERNBOX_FILE = "processed-pythia82-lhc13-all-pt1-50k-r1_h022_e0175_t220_nonu_truth.z"
CERNBOX_JETS = Variant(
    name="cernbox-jets",
    title="the CERNBox jets",
    source=f"{_CERNBOX_FILE}, https://cernbox.cern.ch/s/jvFd5MoWhGs1l5v",
    files=("JETS.z",),
    download=f"download them with wget https://cernbox.cern.ch/s/jvFd5MoWhGs1l5v/download -O {_CERNBOX_FILE}",
    notice=f"the CERNBox file, neither OpenML 42468 nor the jets of this package; {_NEVER_COMPARE}",
    n_rows=986_806,
)
HGCAL_BEAM_TEST = Variant(
    name="hgcal-beam-test",
    title="the simulated CMS HGCAL beam test",
    source="electrons doi:10.5281/zenodo.7504164, pions doi:10.5281/zenodo.7864471",
    files=("ELECTRONS.h5", "PIONS.h5"),
    download="download the electrons with wget https://zenodo.org/api/records/7504164/files-archive -O electrons.zip, "
    "the pions with wget https://zenodo.org/api/records/7864471/files-archive -O pions.zip, and unzip both",
    notice="the simulated beam test of 2018, not the trigger of hgcal: electrons and pions were selected separately "
    "and have beam energies of their own",
)
VARIANTS = {variant.name: variant for variant in (OPENML_JETS, CERNBOX_JETS, HGCAL_BEAM_TEST)}
"""By name."""


def variant_of(data: str) -> Variant | None:
    """Return the published data set that `NAME:FILE` or a bare `NAME` means, None where it means something else."""
    return VARIANTS.get(data.partition(":")[0].lower())


def with_absolute_files(data: str) -> str:
    """Return `NAME:FILE` with absolute paths, so that a study finds the files from any folder.

    Raises:
        InputError: There are too few or too many files.
    """
    variant = VARIANTS[data.partition(":")[0].lower()]
    return f"{variant.name}:{','.join(str(path.absolute()) for path in files_of(data))}"


def files_of(data: str) -> tuple[Path, ...]:
    """Return the files that `NAME:FILE` names; several stand between commas.

    Raises:
        InputError: There are too few or too many.
    """
    name, _, given = data.partition(":")
    variant = VARIANTS[name.lower()]
    texts = given.split(",") if len(variant.files) > 1 else [given]
    if len(texts) != len(variant.files) or not all(text.strip() for text in texts):
        raise InputError(f"--data {data} does not name its {_count(variant)}; give {variant.usage}; {variant.download}")
    return tuple(Path(text.strip()).expanduser() for text in texts)


def demand_file(path: Path, variant: Variant) -> None:
    """Refuse a file that is not there.

    Raises:
        InputError: It is not; the text says how to get it.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; {variant.download}")


def _count(variant: Variant) -> str:
    return "file" if len(variant.files) == 1 else f"{len(variant.files)} files"
