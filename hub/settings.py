"""Settings of the hub from the environment, prefix ``PHASEIV_HUB_``.

Belongs here: what a deployment may choose, and where its secrets come from. Does not belong here: legal limits
(``access.law``).
"""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class HubSettings(BaseSettings):
    """``home``, ``database_url``, ``master_key``, ``signing_key``, ``public_url``, ``demo``, ``body``,
    ``country``: whose public holidays the law's clocks know (ISO 3166-1; empty: weekends only).

    ``master_key`` (wraps the artefacts' keys) and ``signing_key`` (Ed25519, signs audit heads and permits) are 32 bytes
    in base64. With ``demo`` they are made and kept under ``home``; otherwise they must be set.
    """

    model_config = SettingsConfigDict(env_prefix="PHASEIV_HUB_")

    home: Path = Path(".phaseiv/hub")
    database_url: str | None = None
    master_key: str | None = None
    signing_key: str | None = None
    public_url: str = "http://127.0.0.1:8000"
    demo: bool = False
    body: str = "Health Data Access Body"
    country: str = "FI"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the store."""
        if self.database_url is not None:
            return self.database_url
        self.home.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self.home.resolve() / 'hub.db'}"

    @property
    def secure(self) -> bool:
        """Whether people come by TLS, so that cookies may be sent over it only."""
        return self.public_url.startswith("https://")
