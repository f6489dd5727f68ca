"""Errors of the hub, each with the HTTP status that the web layer answers.

Belongs here: what can go wrong with people, objects and states. Does not belong here: how it is shown (``web``).
"""

from typing import ClassVar

from records.errors import PhaseIVError


class HubError(PhaseIVError):
    """Base; ``status`` is an HTTP status code (RFC 9110)."""

    status: ClassVar[int] = 400


class NotFoundError(HubError):
    """There is no such object, or this person may not know that there is."""

    status = 404


class ForbiddenError(HubError):
    """The person's role does not allow this."""

    status = 403


class SignInError(HubError):
    """Nobody is signed in, or the proof of identity is wrong."""

    status = 401


class StateError(HubError):
    """The object's state does not allow this step."""

    status = 409


class GoneError(HubError):
    """The object was there and has been destroyed or has expired."""

    status = 410


class ThrottledError(HubError):
    """Too many attempts."""

    status = 429
