"""Signing in through an OpenID provider (extra ``oidc``): authorisation code flow with PKCE.

Belongs here: from a provider's answer to an account. Does not belong here: cookies and pages.

References
----------
OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3.7 (validation of the ID token); RFC 7636 (PKCE); RFC 9700 (state, nonce).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.errors import SignInError
from hub.people.tables import Person
from hub.settings import HubSettings

ALGORITHMS = ["RS256", "ES256", "EdDSA"]
LEEWAY_SECONDS = 60


@dataclass(frozen=True)
class Attempt:
    """What the browser must bring back: unguessable, for one sign-in."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Attempt":
        """Fresh secrets."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


class Provider:
    """The OpenID provider of the settings; ``http`` is replaced in tests."""

    def __init__(self, settings: HubSettings, http: httpx.Client | None = None) -> None:
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            raise SignInError("signing in by a provider must be set up, got no issuer; sign in by password")
        self.issuer, self.client_id = settings.oidc_issuer.rstrip("/"), settings.oidc_client_id
        self.secret, self.redirect = settings.oidc_client_secret, f"{settings.public_url}/oidc/callback"
        self.http = http or httpx.Client(timeout=10)
        self.metadata = self._json(f"{self.issuer}/.well-known/openid-configuration")
        if self.metadata.get("issuer", "").rstrip("/") != self.issuer:
            raise SignInError("the provider must name itself as the settings do, got another issuer; ask the operator")

    def address(self, attempt: Attempt) -> str:
        """Where to send the browser."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect,
            "scope": "openid email profile", "state": attempt.state, "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self.metadata['authorization_endpoint']}?{urlencode(asked)}"

    def claims(self, code: str, attempt: Attempt) -> dict[str, Any]:
        """The checked claims of the ID token.

        Raises
        ------
        SignInError
            The code or the token is wrong.
        """
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect,
                "client_id": self.client_id, "code_verifier": attempt.verifier}  # fmt: skip
        if self.secret is not None:
            body["client_secret"] = self.secret
        answer = self.http.post(self.metadata["token_endpoint"], data=body)
        if answer.status_code != 200:
            raise SignInError("the provider must accept the code, got a refusal; sign in again")
        keys = KeySet.import_key_set(self._json(self.metadata["jwks_uri"]))  # type: ignore[arg-type]
        try:
            token = jwt.decode(answer.json()["id_token"], keys, algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS, iss={"essential": True, "value": self.metadata["issuer"]},
                aud={"essential": True, "value": self.client_id}, exp={"essential": True}, sub={"essential": True},
                nonce={"essential": True, "value": attempt.nonce},
            ).validate(token.claims)  # fmt: skip
        except (JoseError, KeyError, ValueError) as error:
            raise SignInError("the provider's token must be valid, got another; sign in again") from error
        return token.claims

    def _json(self, address: str) -> dict[str, Any]:
        try:
            return self.http.get(address).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise SignInError("the provider must answer, got no answer; try again later") from error


def person_of_claims(session: Session, claims: dict[str, Any], now: datetime) -> Person:
    """The account of a provider's subject; the first sign-in joins it to the account of its verified e-mail.

    Raises
    ------
    SignInError
        The operator has made no account for this person.
    """
    subject = f"{claims['iss']}#{claims['sub']}"
    person = session.scalar(sa.select(Person).where(Person.subject == subject, Person.active))
    if person is None and claims.get("email_verified") is True:
        same = Person.email == str(claims.get("email", "")).lower()
        person = session.scalar(sa.select(Person).where(same, Person.active, Person.subject.is_(None)))
    if person is None:
        raise SignInError("the person must have an account here, got none; ask the operator to make one")
    person.subject = subject
    record(session, now=now, actor=person.id, action="person.signed_in", subject=f"person:{person.id}", by="oidc")
    return person
