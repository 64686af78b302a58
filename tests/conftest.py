"""Settings of all tests: one thread, the JAX backend, no GPU, hypothesis without a clock on a shared machine."""

import atexit
import os
import shutil
import tempfile

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Hundreds of searches and exports compile the same small programs, each in processes of its own: compile them once.
if "PYTEST_XDIST_WORKER" not in os.environ:  # the workers inherit it
    compiled = tempfile.mkdtemp(prefix="compiled-")
    os.environ["XDG_CACHE_HOME"] = f"{compiled}/cache"  # what other versions kept tests nothing
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)

import pytest  # noqa: E402 - after the environment is set
from hypothesis import settings  # noqa: E402

settings.register_profile("default", deadline=None)
settings.load_profile("default")


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, one for all tests: playwright runs once in a process."""
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", *quiet]
        )
        yield browser
        browser.close()


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest as a whole, so that no worker has one of them alone at the end.

    It is the order that xdist's option ``--no-loadscope-reorder`` keeps.
    """
    longest = ("test_readme", "test_training_benchmarks", "test_prove", "test_notebook", "test_synthesis_cost")
    items.sort(key=lambda item: item.path.stem not in longest)
