"""Settings of all tests: one thread, the JAX backend, no GPU, hypothesis without a clock on a shared machine."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from hypothesis import settings  # noqa: E402 - after the environment is set

settings.register_profile("default", deadline=None)
settings.load_profile("default")
