"""MLflow tracking: one run per synthesis, closed at once, with its evaluations as children.

Belongs here: the only import of mlflow. Does not belong here: rows; only parameters, metrics, plots and reports.
"""

import contextlib
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets.workspace import Workspace


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
        for key, value in metrics.items():
            if value is not None and math.isfinite(value):
                self.client.log_metric(run, key, value)
        self.attach(run, files or {})
        self.client.set_terminated(run)
        return run

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
