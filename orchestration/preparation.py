"""What every command does first: paths and settings that Dagster and MLflow read from the environment.

Belongs here: preparing a home, and ending a command with words. Does not belong here: commands (``cli``).
"""

import os
import signal
from pathlib import Path

import typer

from orchestration.settings import Settings
from records.errors import StorageError
from records.files import write_atomically

# No reports to Dagster, no invitation on its pages.
INSTANCE = b"telemetry:\n  enabled: false\nnux:\n  enabled: false\n"


def prepare() -> Settings:
    """Paths and telemetry settings that Dagster and MLflow read from the environment."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        # Inherited from some supervisors. Dagster ends the processes that copy its logs by SIGTERM, and would wait forever.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    settings = Settings()
    home = settings.home.resolve()
    os.environ["PHASEIV_HOME"] = str(home)
    os.environ.setdefault("DAGSTER_HOME", str(home / "dagster"))
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    instance = Path(os.environ["DAGSTER_HOME"], "dagster.yaml")
    try:
        if not instance.exists():
            write_atomically(instance, INSTANCE)
    except (StorageError, OSError) as error:
        raise ended(str(error), code=1) from error
    return Settings()


def ended(words: str, *, code: int) -> typer.Exit:
    """What to raise after telling why a command ends."""
    typer.echo(words, err=True)
    return typer.Exit(code)
