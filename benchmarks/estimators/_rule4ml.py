"""What rule4ml says of dense layers: a child process of ``peers``, in an environment of its own that has rule4ml.

Standard input is a JSON list of layers (``strategy``, ``n_in``, ``n_out``, ``bits``, ``reuse_factor``), standard output
a list of their figures. rule4ml is asked as its README says: a built Keras model, the default predictors, one board and
one version of each tool.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
from importlib.metadata import version
from typing import Any

VERSION = "0.2.0"
# The silicon of the reports' VU13P, and the versions nearest to their Vivado HLS, of which 2020.1 is the last. Tried on
# every 16th report, no other version or board had LUTs more than 4 points nearer.
BOARD, HLS4ML, TOOL = "alveo-u250", "0.8.1", "2020.1"
NAMES = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM",
    "latency_cycles": "CYCLES",
    "ii_cycles": "INTERVAL",
}


def figures(layers: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the predicted figures of every layer."""
    import keras
    from rule4ml.models.wrappers import MultiModelWrapper

    predictors = MultiModelWrapper()
    predictors.load_default_models()
    found = []
    for (n_in, n_out), group in itertools.groupby(layers, lambda layer: (layer["n_in"], layer["n_out"])):
        inputs = keras.layers.Input((n_in,))
        model = keras.Model(inputs, keras.layers.Dense(n_out)(inputs))
        model.build((None, n_in))
        configs = [
            {
                "board": BOARD,
                "model": {
                    "strategy": layer["strategy"],
                    "precision": f"ap_fixed<{layer['bits']}, 1>",  # only the first number counts
                    "reuse_factor": layer["reuse_factor"],
                },
            }
            for layer in group
        ]
        table = predictors.predict(model, hls_configs=configs, hls4ml_versions=HLS4ML, vivado_versions=TOOL)
        rows = table.to_dict("records")
        found += [{ours: row[theirs] for ours, theirs in NAMES.items()} for row in rows]
    return found


def main() -> None:
    if (found := version("rule4ml")) != VERSION:
        raise SystemExit(f"this is rule4ml {found}, the tables are of {VERSION}")
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    layers = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        said = figures(layers)
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
