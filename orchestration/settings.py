"""Settings from the environment, all with the prefix ``PHASEIV_``.

Belongs here: what a deployment may choose. Does not belong here: what a disease is.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_settings import BaseSettings, SettingsConfigDict

from assets.workspace import Workspace

if TYPE_CHECKING:
    from hub.deployment import Deployment
    from hub.settings import HubSettings


class Settings(BaseSettings):
    """``PHASEIV_HOME``, ``PHASEIV_COHORTS__<USE_CASE>``, ``PHASEIV_INBOX``, ``PHASEIV_PSEUDONYM_KEY``,
    ``PHASEIV_OPT_OUT_KEY`` (the hub's, to match its list of objections), ``PHASEIV_MLFLOW_URI``,
    ``PHASEIV_LEDGER_URI`` (Postgres: ``postgresql+psycopg2://...``, extra ``postgres``), ``PHASEIV_FEDERATION__<USE_CASE>`` (a
    researcher's settings, by which the federated assets find the hospitals' parties).

    ``PHASEIV_IMAGES__<USE_CASE>`` is ``<image cohort>=<folder>``; without it a use case's phantoms are simulated.
    A cohort setting is ``<cohort>``, ``<place>`` (see ``use_cases.sources``; in the default cohort's schema) or
    ``<cohort>=<place>``, where the cohort may be an own codebook (YAML).
    """

    model_config = SettingsConfigDict(env_prefix="PHASEIV_", env_nested_delimiter="__")

    home: Path = Path(".phaseiv")
    cohorts: dict[str, str] = {}
    images: dict[str, str] = {}
    inbox: Path | None = None
    pseudonym_key: str | None = None
    opt_out_key: str | None = None
    mlflow_uri: str | None = None
    ledger_uri: str | None = None
    federation: dict[str, Path] = {}

    def workspace(self) -> Workspace:
        """The folders of this deployment."""
        return Workspace(self.home.resolve(), self.pseudonym_key, self.mlflow_uri, self.ledger_uri, self.opt_out_key)

    def hub(self) -> "HubSettings":
        """The hub beside it: its own settings, in this home unless they name another."""
        from hub.settings import HubSettings

        own = HubSettings()
        return own if "home" in own.model_fields_set else own.model_copy(update={"home": self.home.resolve() / "hub"})

    def open_hub(self) -> "Deployment":
        """The hub's store, which orders come from and go to."""
        from hub.deployment import Deployment

        return Deployment.from_settings(self.hub())
