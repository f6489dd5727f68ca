"""One running hub as a value: settings, store, keys and clock.

Belongs here: what every room needs of its surroundings. Does not belong here: HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.access.holidays import PublicHolidays
from hub.database.engine import Database
from hub.keys import Keys, load_keys
from hub.settings import HubSettings


def utc_now() -> datetime:
    """Present time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deployment:
    """``clock`` returns an aware UTC time; tests freeze it."""

    settings: HubSettings
    database: Database
    keys: Keys
    clock: Callable[[], datetime] = field(default=utc_now)

    @property
    def holidays(self) -> PublicHolidays:
        """Public holidays of the body's country."""
        return PublicHolidays(self.settings.country)

    @classmethod
    def from_settings(cls, settings: HubSettings) -> "Deployment":
        """The deployment that the environment describes."""
        return cls(settings, Database(settings.url), load_keys(settings))
