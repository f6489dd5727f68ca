"""Where a deployment keeps its files, as one value the assets share.

Belongs here: paths under one home folder. Does not belong here: settings from the environment (``orchestration``).
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """A home folder; ``pseudonym_key``, ``mlflow_uri``, ``ledger_uri`` and ``opt_out_key`` may come from the environment."""

    home: Path
    pseudonym_key: str | None = None
    mlflow_uri: str | None = None
    ledger_uri: str | None = None
    opt_out_key: str | None = None

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the budget ledger."""
        if self.ledger_uri is not None:
            return self.ledger_uri
        self.home.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def opted_out(self) -> Path:
        """Register of the patients who opted out."""
        return self.home / "opted_out.jsonl"

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking store."""
        return self.mlflow_uri or f"sqlite:///{self.home / 'mlflow.db'}"

    def table(self, asset: list[str], partition: str | None = None) -> Path:
        """File of an asset's table."""
        folder = self.home.joinpath("storage", *asset)
        return folder / f"{partition}.parquet" if partition else folder.with_suffix(".parquet")

    def report(self, asset: list[str]) -> Path:
        """File of an asset's JSON report."""
        return self.home.joinpath("storage", *asset).with_suffix(".json")

    def release(self, use_case: str, cohort: str) -> Path:
        """Folder of the released table."""
        return self.home / "releases" / use_case / cohort

    def page(self, use_case: str) -> Path:
        """The HTML report of a use case."""
        return self.home / "reports" / f"{use_case}.html"
