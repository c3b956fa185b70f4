"""One synthetic directory of every kind for all tests."""

import shutil
from pathlib import Path

import pytest
import synthetic
import synthetic_tables
from test_plane import write_plane
from test_training import write_training


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run; tests must not change it."""
    return synthetic.write_run(tmp_path_factory.mktemp("runs") / "0001-three-stage")


@pytest.fixture(scope="session")
def folders(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a folder of each kind by name; tests must not change them."""
    top = tmp_path_factory.mktemp("folders")
    claimed = synthetic_tables.write_claims(Path(shutil.copytree(run_folder, top / "claimed")))
    return {
        "claimed": claimed,
        "trained": write_training(claimed, top / "trained"),
        "mixed": synthetic_tables.write_mixed(top / "mixed"),
        "sweep": synthetic_tables.write_sweep(top / "sweep"),
        "emergence": synthetic_tables.write_emergence(top / "emergence"),
        "evaluation": synthetic_tables.write_evaluation(top / "evaluation"),
        "information": synthetic_tables.write_information(top / "information"),
        "benchmarks": synthetic_tables.write_benchmarks(top / "benchmarks"),
        "plane": write_plane(top / "plane"),
    }
