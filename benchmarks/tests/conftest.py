"""One small run for all tests, and one thread: arrays as small as these gain nothing from more."""

import os
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import pytest  # noqa: E402  # after the environment, which libraries read when they are loaded

import tiny  # noqa: E402


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run; tests must not change it."""
    model = tiny.model()
    return tiny.write_run(tmp_path_factory.mktemp("runs") / "reference", model, tiny.tokens(model))
