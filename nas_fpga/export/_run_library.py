"""Runs the compiled C++ of a project on events: a process of its own, so that a crash there is not ours.

Arguments: library, function, features (npy, float64), number of outputs, where the outputs go (npy).
"""

import ctypes
import sys

import numpy as np

if __name__ == "__main__":
    library, name, given, n_outputs, got = sys.argv[1:]
    function = getattr(ctypes.CDLL(library), name)
    features = np.load(given)
    outputs = np.zeros((len(features), int(n_outputs)))
    pointer = ctypes.POINTER(ctypes.c_double)
    for row, result in zip(features, outputs, strict=True):
        function(row.ctypes.data_as(pointer), result.ctypes.data_as(pointer))
    np.save(got, outputs)
