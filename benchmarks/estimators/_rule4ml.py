"""What rule4ml says of dense layers: a child process of ``peers``, in an environment of its own that has rule4ml.

Standard input is a JSON list of layers (``strategy``, ``n_in``, ``n_out``, ``bits``, ``reuse_factor``), standard output
a list of their figures. rule4ml is asked as its README says: a built Keras model, the default predictors; one board and
one version of each tool. What it says of a design depends on what else is asked in the same call, as its networks
normalise over all of that: each layer is asked alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from importlib.metadata import version
from typing import Any

VERSION = "0.2.0"
# The silicon of the reports' VU13P, and the versions nearest to their Vivado HLS, of which 2020.1 is the last. Tried on
# every 16th report, LUTs were at most 4 points nearer with another version or board, or with all in one call.
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
    for layer in layers:
        inputs = keras.layers.Input((layer["n_in"],))
        model = keras.Model(inputs, keras.layers.Dense(layer["n_out"])(inputs))
        model.build((None, layer["n_in"]))
        config = {
            "board": BOARD,
            "model": {
                "strategy": layer["strategy"],
                "precision": f"ap_fixed<{layer['bits']}, 1>",  # only the first number counts
                "reuse_factor": layer["reuse_factor"],
            },
        }
        table = predictors.predict(model, hls_configs=config, hls4ml_versions=HLS4ML, vivado_versions=TOOL)
        (row,) = table.to_dict("records")
        found.append({ours: row[theirs] for ours, theirs in NAMES.items()})
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
