"""A hub of the test's own with a frozen clock and signed-in browsers; a real Postgres where one is installed."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from hub.access import permits
from hub.access.tables import Request
from hub.caller import Caller
from hub.database.engine import Database
from hub.deployment import Deployment
from hub.keys import Keys
from hub.people import accounts, passwords
from hub.people.roles import Role
from hub.people.sessions import SESSION_COOKIE, issue_token, open_session
from hub.people.tables import Person
from hub.settings import HubSettings
from hub.web.application import build
from tests.postgres import postgres

__all__ = ["postgres"]


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        """Move by days, hours, minutes or seconds."""
        self.now += timedelta(**step)


class Browser:
    """A browser of one person: reads pages, submits forms as the page would, and calls the API with a token."""

    def __init__(self, client: TestClient, person: Person | None, token: str | None) -> None:
        self.client, self.person = client, person
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **options: object) -> httpx.Response:
        """A page."""
        return self.client.get(path, **options)  # type: ignore[arg-type]

    def submit(self, path: str, files: object = None, **fields: object) -> httpx.Response:
        """A form with the CSRF token of this browser."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get("/").text)
        assert found is not None
        return self.client.post(path, data={"csrf": found[1], **fields}, files=files)  # type: ignore[arg-type]

    def api(self, method: str, path: str, **options: object) -> httpx.Response:
        """A call under ``/api/v1`` with the person's access token and no cookies."""
        self.client.headers.update(self.headers)
        try:
            return self.client.request(method, f"/api/v1{path}", **options)  # type: ignore[arg-type]
        finally:
            for name in self.headers:
                del self.client.headers[name]


@pytest.fixture(autouse=True, scope="session")
def _cheap_passwords() -> Iterator[None]:
    """Scrypt with a small cost: the tests make many accounts."""
    former, passwords.hashed.__kwdefaults__["cost"] = passwords.hashed.__kwdefaults__["cost"], 2**4
    yield
    passwords.hashed.__kwdefaults__["cost"] = former


@pytest.fixture
def hub_clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(tmp_path: Path, hub_clock: Clock) -> Deployment:
    """A hub in a folder of its own, with random keys."""
    settings = HubSettings(home=tmp_path / "hub")
    keys = Keys(os.urandom(32), Ed25519PrivateKey.generate())
    made = Deployment(settings, Database(settings.url), keys, hub_clock)
    made.database.create()
    return made


@pytest.fixture
def on_postgres(postgres: str, hub: Deployment) -> Deployment:
    """The same hub on an empty Postgres."""
    database = Database(postgres)
    with database.engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    database.create()
    return Deployment(hub.settings, database, Keys(hub.keys.master, Ed25519PrivateKey.generate()), hub.clock)


@pytest.fixture
def people(hub: Deployment) -> dict[Role, Person]:
    """One person of each role, all with the password ``correct horse battery``."""
    with hub.database.write() as session:
        return {
            role: accounts.create(
                session, now=hub.clock(), email=f"{role}@example.org", name=role.label, roles=frozenset({role}),
                password="correct horse battery",
            )
            for role in Role
        }  # fmt: skip


@pytest.fixture
def visitor(hub: Deployment) -> Browser:
    """Somebody who is not signed in."""
    return Browser(TestClient(build(hub)), None, None)


@pytest.fixture
def browser(hub: Deployment, people: dict[Role, Person]) -> Callable[[Role | Person], Browser]:
    """From a role or a person to a signed-in browser."""
    application = build(hub)

    def signed_in(who: Role | Person) -> Browser:
        person = who if isinstance(who, Person) else people[who]
        with hub.database.write() as session:
            cookie = open_session(session, person, hub.clock())
            token = issue_token(session, person, "test", hub.clock())
        return Browser(TestClient(application, cookies={SESSION_COOKIE: cookie}), person, token)

    return signed_in


@pytest.fixture
def as_caller(hub: Deployment) -> Callable[..., object]:
    """``with as_caller(person) as caller``: a caller in a writing transaction."""

    @contextmanager
    def opened(person: Person | None) -> Iterator[Caller]:
        with hub.database.write() as session:
            yield Caller(session, hub.clock(), hub, session.merge(person, load=True) if person else None)

    return opened


@pytest.fixture
def issue_permit(as_caller: Callable[..., object]) -> Callable[..., str]:
    """``issue_permit(person, "synthetic", "stroke", months=12)``: the id of a signed permit for research."""

    def issued(person: Person, kind: str, *dataset_ids: str, months: int = 12) -> str:
        with as_caller(person) as caller:  # type: ignore[attr-defined]
            request = Request(person_id=person.id, kind=kind, dataset_ids=list(dataset_ids), form={"purposes": ["e"]},
                              state="granted", created_at=caller.now, updated_at=caller.now)  # fmt: skip
            caller.session.add(request)
            caller.session.flush()
            return permits.issue(caller, request, months=months).id

    return issued
