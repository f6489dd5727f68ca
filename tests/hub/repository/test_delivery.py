"""Orders and artefacts: races, replays, foreign hands, cancellation, expiry, revocation; each ends in one state."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.delivery import orders
from hub.delivery.tables import Order, OrderState
from hub.deployment import Deployment
from hub.errors import GoneError, StateError
from hub.people.roles import Role
from hub.repository import vault
from hub.repository.package import pack
from hub.repository.tables import Artefact, ArtefactKey

BODY = b"row,value\n" * 50_000


@pytest.fixture
def permit(people: dict[Role, Any], issue_permit: Callable[..., str]) -> str:
    return issue_permit(people[Role.DEVELOPER], "synthetic", "set")


@pytest.fixture
def order(hub: Deployment, people: dict[Role, Any], permit: str) -> str:
    with hub.database.write() as session:
        made = Order(
            permit_id=permit, offer_id="offer", person_id=people[Role.DEVELOPER].id, dataset_id="set", use_case="stroke",
            synthesizer="auto", epsilon=1.0, rows=10, columns=None, formats=["csv"], created_at=hub.clock(),
            updated_at=hub.clock(), deadline=hub.clock() + orders.TIME_LIMIT,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made.id


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return pack({"synthetic.csv": BODY, "LICENCE": b"free"}, tmp_path / "package.zip")


@pytest.fixture
def deliver(hub: Deployment, order: str, package: Path) -> Callable[[], str]:
    def made() -> str:
        with hub.database.write() as session:
            orders.begin(session, order, "run", hub.clock())
            facts = {"rows": 10, "epsilon": 1.0, "figures": {"AUC": 0.7}, "report": "<h1>Report</h1>"}
            return orders.hand_over(session, hub, order, package=package, title="Set", shown=facts, now=hub.clock()).id

    return made


def state(hub: Deployment, order: str) -> str:
    with hub.database.read() as session:
        return session.get_one(Order, order).state


def test_delivery_through_the_api(deliver: Callable[[], str], package: Path, browser: Callable[..., Any]) -> None:
    artefact, mine = deliver(), browser(Role.DEVELOPER)
    token = mine.api("POST", f"/artefacts/{artefact}/token").json()["token"]
    answer = mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token})
    assert answer.content == package.read_bytes()
    assert mine.api("GET", f"/artefacts/{artefact}").json()["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token}).status_code == 403, "replayed"
    assert mine.api("GET", f"/artefacts/{artefact}").json()["downloads_left"] == vault.DOWNLOADS - 1


def test_pages_show_report_and_countdown(deliver: Callable[[], str], browser: Callable[..., Any]) -> None:
    artefact, mine = deliver(), browser(Role.DEVELOPER)
    page = mine.get(f"/artefacts/{artefact}").text
    assert "Destroyed in 14 days" in page
    report = mine.get(f"/artefacts/{artefact}/report")
    assert report.text == "<h1>Report</h1>"
    assert "sandbox" in report.headers["content-security-policy"]
    assert "script-src" not in report.headers["content-security-policy"]
    answer = mine.submit(f"/artefacts/{artefact}/token")
    assert answer.headers["content-type"] == "application/zip"


def test_nobody_else_reaches_it(
    deliver: Callable[[], str], browser: Callable[..., Any], hub: Deployment, as_caller: Callable[..., Any]
) -> None:
    from hub.people import accounts

    artefact, mine = deliver(), browser(Role.DEVELOPER)
    token = mine.api("POST", f"/artefacts/{artefact}/token").json()["token"]
    with hub.database.write() as session:
        other = accounts.create(
            session, now=hub.clock(), email="o@example.org", name="O", roles=frozenset({Role.DEVELOPER}), password=None
        )
    thief = browser(other)
    for method, path in (("GET", ""), ("POST", "/token"), ("GET", f"/download?token={token}")):
        assert thief.api(method, f"/artefacts/{artefact}{path}").status_code == 404
    for path in ("", "/report", f"/download?token={token}"):
        assert thief.get(f"/artefacts/{artefact}{path}").status_code == 404
    assert mine.api("GET", f"/artefacts/{artefact}/download", params={"token": token}).status_code == 200


def test_of_many_on_the_last_download_one_wins(
    deliver: Callable[[], str], hub: Deployment, browser: Callable[..., Any]
) -> None:
    artefact, mine = deliver(), browser(Role.DEVELOPER)
    tokens = [mine.api("POST", f"/artefacts/{artefact}/token").json()["token"] for _ in range(8)]
    with hub.database.write() as session:
        session.get_one(Artefact, artefact).downloads_left = 1
    statuses: list[int] = []
    windows = [browser(Role.DEVELOPER) for _ in tokens]

    def take(window: Any, token: str) -> None:
        statuses.append(window.api("GET", f"/artefacts/{artefact}/download", params={"token": token}).status_code)

    threads = [threading.Thread(target=take, args=pair) for pair in zip(windows, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [410] * 7


def test_expiry_destroys_the_key_for_good(
    deliver: Callable[[], str], hub: Deployment, hub_clock: Any, browser: Callable[..., Any]
) -> None:
    artefact = deliver()
    with hub.database.read() as session:
        wrapped = session.get_one(ArtefactKey, artefact).wrapped
    hub_clock.forward(days=15)
    mine = browser(Role.DEVELOPER)
    assert mine.get(f"/artefacts/{artefact}").status_code == 410, "gone at its time, swept or not"
    with hub.database.write() as session:
        assert vault.expire(session, hub, hub.clock()) == 1
        assert vault.expire(session, hub, hub.clock()) == 0
    page = mine.get(f"/artefacts/{artefact}")
    assert page.status_code == 410
    assert "key was destroyed" in page.text
    assert not vault.place(hub, artefact).exists()
    with pytest.raises(GoneError):
        vault.read(hub, artefact)
    with sqlite3.connect(hub.settings.home / "hub.db") as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert wrapped not in (hub.settings.home / "hub.db").read_bytes(), "the deleted key is overwritten"


def test_revocation_stops_a_stream(deliver: Callable[[], str], hub: Deployment, permit: str) -> None:
    artefact = deliver()
    frames = vault.read(hub, artefact)
    with hub.database.write() as session:
        orders.revoke_permit(session, permit, hub.clock())
    with pytest.raises(GoneError, match="while it was read"):
        list(frames)


def test_an_order_is_launched_and_begun_once(hub: Deployment, order: str) -> None:
    with hub.database.write() as session:
        assert [o.id for o in orders.waiting(session)] == [order]
        assert orders.launch(session, order, hub.clock())
        assert not orders.launch(session, order, hub.clock())
        orders.begin(session, order, "first", hub.clock())
        orders.begin(session, order, "first", hub.clock())
        with pytest.raises(StateError):
            orders.begin(session, order, "second", hub.clock())
        assert orders.waiting(session) == []


def test_what_a_cancelled_order_brings_is_refused(
    hub: Deployment, order: str, package: Path, as_caller: Callable[..., Any], people: Any
) -> None:
    with hub.database.write() as session:
        orders.begin(session, order, "run", hub.clock())
    with as_caller(people[Role.DEVELOPER]) as caller:
        orders.cancel(caller, order)
    with hub.database.write() as session:
        assert not orders.progress(session, order, "checking", hub.clock())
        with pytest.raises(StateError):
            orders.hand_over(session, hub, order, package=package, title="x", shown={}, now=hub.clock())
        assert orders.unwanted(session, hub.clock()) == [order]
    assert state(hub, order) == OrderState.CANCELLED
    assert not list(vault.folder(hub).glob("*")) if vault.folder(hub).exists() else True


def test_a_late_order_fails_with_words(
    hub: Deployment, order: str, hub_clock: Any, browser: Callable[..., Any]
) -> None:
    hub_clock.forward(minutes=31)
    with hub.database.write() as session:
        assert orders.overdue(session, hub.clock()) == [order]
        assert orders.overdue(session, hub.clock()) == []
        assert not orders.fail(session, order, "again", hub.clock())
    assert "within 30 minutes" in browser(Role.DEVELOPER).get(f"/orders/{order}").text


def test_a_crashed_deposit_leaves_nothing(hub: Deployment, order: str, package: Path, hub_clock: Any) -> None:
    import os

    with pytest.raises(RuntimeError), hub.database.write() as session:  # noqa: PT012
        orders.begin(session, order, "run", hub.clock())
        orders.hand_over(session, hub, order, package=package, title="x", shown={}, now=hub.clock())
        raise RuntimeError("the power went")
    assert state(hub, order) == OrderState.QUEUED
    (left,) = vault.folder(hub).glob("*")
    old = hub.clock().timestamp() - timedelta(hours=2).total_seconds()
    os.utime(left, (old, old))
    with hub.database.write() as session:
        vault.expire(session, hub, hub.clock())
    assert not left.exists()


def test_equal_files_make_equal_packages(tmp_path: Path) -> None:
    files = {"a.csv": BODY, "b.parquet": b"x" * 100}
    one, other = pack(files, tmp_path / "1.zip"), pack(dict(reversed(files.items())), tmp_path / "2.zip")
    assert one.read_bytes() == other.read_bytes()
