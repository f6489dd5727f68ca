"""Signing in through a provider: a small one of the test's own, whose tokens a peer library signs."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from hub.deployment import Deployment
from hub.web.application import build

ISSUER, CLIENT = "https://login.example.org", "hub"


class Provider:
    """Answers as a provider does; ``claims`` changes what the token says."""

    def __init__(self) -> None:
        self.key, self.claims, self.nonce, self.challenge = RSAKey.generate_key(2048), {}, "", ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={
                "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys",
            })  # fmt: skip
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        sent = parse_qs(request.content.decode())
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        if create_s256_code_challenge(sent["code_verifier"][0]) != self.challenge:
            return httpx.Response(400)
        said = {"iss": ISSUER, "aud": CLIENT, "sub": "7", "exp": int(time.time()) + 60, "nonce": self.nonce,
                "email": "developer@example.org", "email_verified": True} | self.claims  # fmt: skip
        return httpx.Response(200, json={"id_token": jwt.encode({"alg": "RS256"}, said, self.key)})


@pytest.fixture
def sign_in(hub: Deployment, people: Any) -> Callable[..., httpx.Response]:
    settings = hub.settings.model_copy(update={"oidc_issuer": ISSUER, "oidc_client_id": CLIENT})
    application = build(Deployment(settings, hub.database, hub.keys, hub.clock))

    def attempt(**claims: Any) -> httpx.Response:
        provider = Provider()
        application.state.oidc_http = httpx.Client(transport=httpx.MockTransport(provider))
        browser = TestClient(application)
        sent = parse_qs(urlparse(browser.get("/oidc/start", follow_redirects=False).headers["location"]).query)
        provider.nonce, provider.challenge = sent["nonce"][0], sent["code_challenge"][0]
        state = claims.pop("state", sent["state"][0])
        provider.claims = claims
        browser.get(f"/oidc/callback?code=x&state={state}")
        return browser.get("/account", follow_redirects=False)

    return attempt


def test_a_known_person_is_signed_in(sign_in: Callable[..., httpx.Response]) -> None:
    assert sign_in().status_code == 200
    assert sign_in(email="changed@example.org").status_code == 200, "the subject was joined to the account"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"}, {"aud": "other"}, {"iss": "https://evil.example"}, {"exp": 1}, {"state": "other"},
        {"email_verified": False}, {"email": "stranger@example.org"},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_everything_else_is_refused(sign_in: Callable[..., httpx.Response], claims: dict[str, Any]) -> None:
    assert sign_in(**claims).status_code == 303
