"""What a download says of itself, what is logged of it, and what a sweep leaves alone."""

import base64
import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.access.tables import Permit
from hub.audit.tables import Entry
from hub.delivery.tables import Order
from hub.deployment import Deployment
from hub.errors import GoneError
from hub.people.roles import Role
from hub.repository import vault
from hub.repository.package import pack
from hub.repository.tables import Artefact, ArtefactKey, DownloadToken
from records.errors import ParameterError

DATA = os.urandom(300_000)


@pytest.fixture
def permit(people: dict[Role, Any], issue_permit: Callable[..., str]) -> str:
    return issue_permit(people[Role.DEVELOPER], "synthetic", "set")


@pytest.fixture
def artefact(hub: Deployment, people: dict[Role, Any], permit: str, tmp_path: Path) -> str:
    package = tmp_path / "package.zip"
    package.write_bytes(DATA)
    with hub.database.write() as session:
        order = Order(
            permit_id=permit, offer_id="offer", person_id=people[Role.DEVELOPER].id, dataset_id="set", use_case="stroke",
            synthesizer="auto", epsilon=1.0, rows=10, formats=["csv"], created_at=hub.clock(), updated_at=hub.clock(),
            deadline=hub.clock(),
        )  # fmt: skip
        session.add(order)
        session.flush()
        return vault.deposit(
            session, hub, package=package, order=order, title="Set", facts={"rows": 10, "epsilon": 1.0, "report": "<h1>R</h1>"},
            expires_at=hub.clock() + timedelta(days=14), now=hub.clock(),
        ).id  # fmt: skip


def token_of(mine: Any, artefact: str) -> str:
    return mine.api("POST", f"/artefacts/{artefact}/token").json()["token"]


def logged(hub: Deployment, action: str) -> list[dict[str, Any]]:
    with hub.database.read() as session:
        return list(session.scalars(sa.select(Entry.detail).where(Entry.action == action)))


def test_headers_let_anybody_check_what_arrived(artefact: str, browser: Callable[..., Any]) -> None:
    mine = browser(Role.DEVELOPER)
    answer = mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token_of(mine, artefact)})
    digest = hashlib.sha256(answer.content)
    assert answer.content == DATA
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["cache-control"] == "no-store"


def test_downloads_and_refusals_are_logged(hub: Deployment, artefact: str, browser: Callable[..., Any]) -> None:
    mine, token = browser(Role.DEVELOPER), ""
    token = token_of(mine, artefact)
    for expected in (200, 403, 403):
        assert mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token}).status_code == expected
    assert len(logged(hub, "artefact.downloaded")) == 1
    assert logged(hub, "artefact.refused") == [{"status": 403}, {"status": 403}]
    assert mine.api("GET", "/artefacts/nothing/download", params={"token": token}).status_code == 404
    assert len(logged(hub, "artefact.refused")) == 2


def test_a_token_ends_after_ten_minutes(artefact: str, browser: Callable[..., Any], hub_clock: Any) -> None:
    mine = browser(Role.DEVELOPER)
    token = token_of(mine, artefact)
    hub_clock.forward(minutes=10)
    assert mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token}).status_code == 403


def test_only_hashes_of_tokens_are_stored(hub: Deployment, artefact: str, browser: Callable[..., Any]) -> None:
    token = token_of(browser(Role.DEVELOPER), artefact)
    with hub.database.read() as session:
        assert session.scalars(sa.select(DownloadToken.digest)).one() != token
    assert token.encode() not in Path(hub.database.url.removeprefix("sqlite:///")).read_bytes()


def test_after_the_end_nothing_is_shown_even_before_the_sweep(
    artefact: str, browser: Callable[..., Any], hub_clock: Any
) -> None:
    hub_clock.forward(days=14)
    mine = browser(Role.DEVELOPER)
    assert mine.get(f"/artefacts/{artefact}").status_code == 410
    assert mine.get(f"/artefacts/{artefact}/report").status_code == 410
    assert mine.api("POST", f"/artefacts/{artefact}/token").status_code == 410


def test_the_end_stops_a_stream_without_a_sweep(hub: Deployment, artefact: str, hub_clock: Any) -> None:
    frames = vault.read(hub, artefact)
    next(frames)
    hub_clock.forward(days=14)
    with pytest.raises(GoneError):
        list(vault.read(hub, artefact))
    assert next(frames), "what was proven before the next look is still sent"


def ends_in(hub: Deployment, permit: str, **step: float) -> None:
    """Let the permit end before the artefact does."""
    with hub.database.write() as session:
        session.get_one(Permit, permit).valid_until = hub.clock() + timedelta(**step)


def test_the_permits_end_comes_first(
    hub: Deployment, artefact: str, permit: str, browser: Callable[..., Any], hub_clock: Any
) -> None:
    ends_in(hub, permit, days=2, hours=5)
    mine = browser(Role.DEVELOPER)
    page = mine.get(f"/artefacts/{artefact}").text
    assert "Destroyed in 2 days and 5 hours" in page
    assert "with your permit" in page
    assert mine.api("GET", f"/artefacts/{artefact}").json()["expires_at"].startswith("2026-11-27T17:00")
    hub_clock.forward(days=2, hours=5)
    mine = browser(Role.DEVELOPER)
    page = mine.get(f"/artefacts/{artefact}")
    assert page.status_code == 410
    assert "the permit&#39;s time is over" in page.text
    assert mine.get(f"/artefacts/{artefact}/report").status_code == 410
    refused = mine.api("POST", f"/artefacts/{artefact}/token")
    assert refused.status_code == 410
    assert "the permit's time is over" in refused.json()["detail"]
    with hub.database.write() as session:
        assert vault.expire(session, hub, hub.clock()) == 1
        assert session.get_one(Artefact, artefact).destroyed_reason == "the permit's time is over"
        assert session.get(ArtefactKey, artefact) is None


@pytest.mark.parametrize("ending", [{"valid_until": 0}, {"revoked_at": 0}])
def test_an_unused_token_is_worthless_once_the_permit_ends(
    hub: Deployment, artefact: str, permit: str, browser: Callable[..., Any], hub_clock: Any, ending: dict[str, int]
) -> None:
    mine = browser(Role.DEVELOPER)
    token = token_of(mine, artefact)
    with hub.database.write() as session:
        for name in ending:
            setattr(session.get_one(Permit, permit), name, hub.clock())
    answer = mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token})
    assert answer.status_code == 410
    assert logged(hub, "artefact.refused") == [{"status": 410}]


def test_the_permits_end_stops_a_running_stream(
    hub: Deployment, artefact: str, permit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub.database.write() as session:
        session.get_one(Artefact, artefact).expires_at += timedelta(days=300)
    monkeypatch.setattr(vault, "CHECK_EVERY", 1)
    frames = vault.read(hub, artefact)
    next(frames)
    ends_in(hub, permit, hours=-1)
    with pytest.raises(GoneError, match="while it was read"):
        next(frames)


def test_without_its_signed_permit_nothing_is_given(
    hub: Deployment, artefact: str, permit: str, browser: Callable[..., Any]
) -> None:
    mine = browser(Role.DEVELOPER)
    token = token_of(mine, artefact)
    with hub.database.write() as session:
        session.get_one(Permit, permit).odrl = {}
    assert mine.api("POST", f"/artefacts/{artefact}/token").status_code == 403
    assert mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token}).status_code == 403
    with hub.database.write() as session:
        session.get_one(Artefact, artefact).permit_id = "unknown"
    assert mine.get(f"/artefacts/{artefact}").status_code == 410
    with pytest.raises(GoneError):
        vault.read(hub, artefact)


def test_a_sweep_leaves_what_is_alive_and_what_is_being_written(hub: Deployment, artefact: str, hub_clock: Any) -> None:
    young = vault.folder(hub) / "tmp_young"
    old = vault.folder(hub) / "tmp_old"
    for path, age in ((young, timedelta(0)), (old, timedelta(hours=2))):
        path.write_bytes(b"x")
        at = (hub.clock() - age).timestamp()
        os.utime(path, (at, at))
    for _ in range(2):
        with hub.database.write() as session:
            assert vault.expire(session, hub, hub.clock()) == 0
    assert b"".join(vault.read(hub, artefact)) == DATA
    assert young.exists()
    assert not old.exists()


def test_a_sweep_forgets_old_tokens(
    hub: Deployment, artefact: str, browser: Callable[..., Any], hub_clock: Any
) -> None:
    token_of(browser(Role.DEVELOPER), artefact)
    hub_clock.forward(minutes=11)
    with hub.database.write() as session:
        vault.expire(session, hub, hub.clock())
        assert session.scalars(sa.select(DownloadToken)).all() == []


def test_the_stored_file_is_noise(hub: Deployment, artefact: str) -> None:
    stored = vault.place(hub, artefact).read_bytes()
    assert DATA[:64] not in stored
    assert len(stored) == len(DATA) + 16 * 5


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b"])
def test_a_package_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError, match="plain relative"):
        pack({name: b""}, tmp_path / "x.zip")
