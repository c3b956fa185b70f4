"""One synthetic run for all tests."""

from pathlib import Path

import pytest
import synthetic


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run; tests must not change it."""
    return synthetic.write_run(tmp_path_factory.mktemp("runs") / "0001-three-stage")
