"""Studies: the search loop, trials and points, what is kept on disk, and the Pareto front."""

from nas_fpga.study._definition import DATA_SETS, DATASET_FILE, DataSource, HardwareTarget, SearchDefinition
from nas_fpga.study._folders import existing_study, held_by, name_of, new_folder, new_study, plain_name
from nas_fpga.study._front import (
    Knee,
    cheapest_as_good,
    find_knee,
    probability_undominated,
    selection_corrected,
)
from nas_fpga.study._json import finite, from_json, to_json
from nas_fpga.study._known import known_before
from nas_fpga.study._lock import take_lock
from nas_fpga.study._options import (
    HardwareOptions,
    SearchOptions,
    absolute_name,
    apply_options,
    hardware_values,
    refuse_unknown,
    with_implied,
)
from nas_fpga.study._outcome import FrontRow, StudyOutcome, summarise, summarise_ended
from nas_fpga.study._records import Outcome, Point, TrialRecord
from nas_fpga.study._refine import training_seconds
from nas_fpga.study._run import MappedTrials, SearchRun, changed_rows, n_cores, read_outcome, read_trials, said_of
from nas_fpga.study._search import Progress, Reporter, Search, SearchInterruptedError
from nas_fpga.study._setup import Setup, load_data
from nas_fpga.study._storage import StudyStorage
from nas_fpga.study._training_options import written
from nas_fpga.study._versions import differences, versions

__all__ = [
    "DATASET_FILE",
    "DATA_SETS",
    "DataSource",
    "FrontRow",
    "HardwareOptions",
    "HardwareTarget",
    "Knee",
    "MappedTrials",
    "Outcome",
    "Point",
    "Progress",
    "Reporter",
    "Search",
    "SearchDefinition",
    "SearchInterruptedError",
    "SearchOptions",
    "SearchRun",
    "Setup",
    "StudyOutcome",
    "StudyStorage",
    "TrialRecord",
    "absolute_name",
    "apply_options",
    "changed_rows",
    "cheapest_as_good",
    "differences",
    "existing_study",
    "find_knee",
    "finite",
    "from_json",
    "hardware_values",
    "held_by",
    "known_before",
    "load_data",
    "n_cores",
    "name_of",
    "new_folder",
    "new_study",
    "plain_name",
    "probability_undominated",
    "read_outcome",
    "read_trials",
    "refuse_unknown",
    "said_of",
    "selection_corrected",
    "summarise",
    "summarise_ended",
    "take_lock",
    "to_json",
    "training_seconds",
    "versions",
    "with_implied",
    "written",
]
