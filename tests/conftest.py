"""What all tests share: steady examples of hypothesis, homes with a ready MLflow store, and the data beside the project."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")

# As from a plain shell: commands started by tests must not inherit a SIGTERM that whoever started the tests ignores.
signal.signal(signal.SIGTERM, signal.SIG_DFL)

BESIDE = Path(__file__).parents[2] / "shared" / "data"


# Files stay on one core each; those that start servers or whole runs go first, so that no core waits for them at the end.
LONG = ("tests/hub/journeys", "tests/orchestration")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; within them the order stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes home folders whose MLflow store is migrated already, which takes seconds once and nothing afterwards."""
    from mlflow import MlflowClient

    store = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(f"sqlite:///{store}").search_experiments()

    def home() -> Path:
        folder = tmp_path_factory.mktemp("home")
        shutil.copy(store, folder / "mlflow.db")
        return folder

    return home


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the large cohorts, which are not part of the project; tests that need it are skipped without it."""
    folder = Path(os.environ.get("PHASEIV_SHARED_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip("PHASEIV_SHARED_DATA does not name a folder with the large cohorts")
    return folder
