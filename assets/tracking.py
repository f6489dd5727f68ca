"""MLflow tracking: one run per synthesis, closed at once, with its evaluations as children.

Belongs here: the only import of mlflow. Does not belong here: rows; only parameters, metrics, plots and reports.
"""

import contextlib
import math
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets.workspace import Workspace

MOST_AT_ONCE = 1000  # what MLflow takes in one batch
FORBIDDEN = re.compile(r"[^\w\-. :/]")


class Tracking:
    """Writes finished runs to the workspace's MLflow store."""

    def __init__(self, workspace: Workspace) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(workspace.tracking_uri)
        self.artifacts = (workspace.home / "mlartifacts").as_uri()

    def record(
        self, use_case: str, name: str, *, params: Mapping[str, Any], metrics: Mapping[str, float | None],
        tags: Mapping[str, str], files: Mapping[str, bytes] | None = None, parent: str | None = None,
    ) -> str:  # fmt: skip
        """Write one run and close it; returns its id."""
        nested = {"mlflow.parentRunId": parent} if parent else {}
        tags = {**tags, **nested, "mlflow.runName": name}
        run = self.client.create_run(self._experiment(use_case), tags=tags).info.run_id
        for key, value in params.items():
            self.client.log_param(run, key, value)
        self._log(run, {k: v for k, v in metrics.items() if v is not None and math.isfinite(v)})
        self.attach(run, files or {})
        self.client.set_terminated(run)
        return run

    def _log(self, run: str, metrics: Mapping[str, float]) -> None:
        """One transaction for all: a figure each would take seconds. The first dot becomes the section of the page."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        named = {FORBIDDEN.sub("_", key.replace(".", "/", 1)): value for key, value in metrics.items()}
        entries = [Metric(key, value, now, 0) for key, value in named.items()]
        for start in range(0, len(entries), MOST_AT_ONCE):
            self.client.log_batch(run, metrics=entries[start : start + MOST_AT_ONCE])

    def attach(self, run: str, files: Mapping[str, bytes]) -> None:
        """Add files to a run, open or closed."""
        with tempfile.TemporaryDirectory() as folder:
            for name, data in files.items():
                Path(folder, name).write_bytes(data)
            if files:
                self.client.log_artifacts(run, folder)

    def _experiment(self, use_case: str) -> str:
        from mlflow.exceptions import MlflowException

        # Two runs may create the experiment at once; the loser finds the winner's.
        with contextlib.suppress(MlflowException):
            if self.client.get_experiment_by_name(use_case) is None:
                place = f"{self.artifacts}/{use_case}"
                self.client.create_experiment(use_case, artifact_location=place)
        return self.client.get_experiment_by_name(use_case).experiment_id  # type: ignore[union-attr]
