"""Who asks, when, and in which transaction: what every service function of the hub takes first.

Belongs here: that value and the checks all rooms share. Does not belong here: HTTP.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from hub.deployment import Deployment
from hub.errors import ForbiddenError, SignInError
from hub.people.roles import Role
from hub.people.tables import Person


@dataclass(frozen=True)
class Caller:
    """``person`` is ``None`` for a visitor who is not signed in; ``now`` is one time for the whole step."""

    session: Session
    now: datetime
    hub: Deployment
    person: Person | None = None

    @property
    def somebody(self) -> Person:
        """The person.

        Raises
        ------
        SignInError
            Nobody is signed in.
        """
        if self.person is None:
            raise SignInError("this step must be taken by somebody signed in, got nobody; sign in first")
        return self.person

    def has(self, *roles: Role) -> bool:
        """Whether somebody with one of ``roles`` asks."""
        return self.person is not None and self.person.has(*roles)

    def must_have(self, *roles: Role) -> Person:
        """The person, who has one of ``roles``.

        Raises
        ------
        SignInError, ForbiddenError
            Nobody is signed in; or the person has none of ``roles``.
        """
        if not self.somebody.has(*roles):
            needed = ", ".join(role.label for role in roles)
            raise ForbiddenError(f"this step must be taken as {needed}, got another role; ask the operator for it")
        return self.somebody
