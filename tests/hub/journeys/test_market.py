"""A sale from listing to refund in a real browser over a real server; the books are whole after each step."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, expect

from hub.caller import Caller
from hub.catalogue import service as catalogue
from hub.database.engine import Database
from hub.database.migration import migrate
from hub.deployment import Deployment
from hub.keys import Keys
from hub.market import goods
from hub.market.agreement import verify_agreement
from hub.market.kinds import Kind
from hub.money.accounts import payable, receivable
from hub.money.check import check
from hub.money.ledger import balance
from hub.money.notary import LocalNotary
from hub.money.tables import Entry, Invoice
from hub.people import accounts
from hub.people.roles import Role
from hub.people.tables import Person
from hub.settings import HubSettings
from tests.hub.journeys.conftest import PASSWORD, Visitor, alone, billed
from tests.hub.market.conftest import BUYER, DATASET, HUB, packed, record, verdict
from tests.hub.money.test_payments import statement
from tests.orchestration.test_servers import free_port

pytestmark = pytest.mark.slow
Window = Callable[..., Visitor]


@dataclass(frozen=True)
class Place:
    """A running hub, its people, and its address."""

    deployment: Deployment
    people: dict[str, Person]
    hub: str
    folder: Path

    def whole(self) -> int:
        """Look at every row of the books; returns how many transactions there are."""
        with self.deployment.database.read() as session:
            found = check(session, LocalNotary(self.deployment.keys))
            assert found.intact, found.faults
            return found.transactions

    def owed(self, place: Any) -> int:
        with self.deployment.database.read() as session:
            return balance(session, place)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The hub alone, migrated, with people of each role, a data set, and a package that passed the gate."""
    home = tmp_path_factory.mktemp("market")
    port = free_port()
    settings = HubSettings(home=home, public_url=f"http://127.0.0.1:{port}", demo=True)
    deployment = Deployment(settings, Database(settings.url), Keys(os.urandom(32), Ed25519PrivateKey.generate()))
    migrate(deployment.database)
    people = _filled(deployment, home)
    with alone(deployment, port):
        yield Place(deployment, people, settings.public_url, home)


def _filled(hub: Deployment, folder: Path) -> dict[str, Person]:
    now = hub.clock()
    with hub.database.write() as session:
        people = {
            name: accounts.create(session, now=now, email=f"{name}@demo.example.org", name=f"{role.label} {name}",
                                  roles=frozenset({role}), password=PASSWORD, organisation=f"{name} org")
            for name, role in [*((str(role), role) for role in Role), ("second", Role.HOLDER)]
        }  # fmt: skip
        holder = Caller(session, now, hub, people["holder"])
        catalogue.draft(holder, DATASET, record(), use_case="stroke", cohort="copenhagen")
        catalogue.publish(holder, DATASET)
        goods.deposit(
            session, hub, package=packed(folder), dataset_id=DATASET, kind=Kind.TABLE, title="Stroke, synthetic", formats=["csv"],
            facts={"rows": 2, "epsilon": 1.0, "figures": {"tstr_auc": 0.71}, "report": "<h1>R</h1>"}, gate=verdict(), now=now,
        )  # fmt: skip
    return people


@pytest.fixture
def window(chromium: Browser, servers: Place) -> Iterator[Window]:
    """Opens windows on this hub."""
    contexts = []

    def opened(name: str, **options: Any) -> Visitor:
        context = chromium.new_context(locale="en-GB", accept_downloads=True, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        return Visitor(context, servers.hub).sign_in(name)

    yield opened
    for context in contexts:
        context.close()


def listed(page: Page, hub: str, title: str, *, amount: str, split: str = "", at_once: bool = False) -> None:
    """The holder fills in the form for the package."""
    page.goto(f"{hub}/holder/market")
    page.get_by_label("What", exact=True).select_option(index=0)
    page.get_by_label("Title").fill(title)
    page.get_by_label("Amount, without VAT").fill(amount)
    page.locator("input[name=purposes][value=e]").check()
    if at_once:
        page.get_by_label("The hub agrees on my behalf").check()
    if split:
        page.get_by_text("Service, frontier and split").click()
        page.get_by_label("Split of the revenue").fill(split)
    page.get_by_role("button", name="List it").click()


def test_from_listing_to_refund(window: Window, servers: Place, tmp_path: Path) -> None:
    holder, second, developer = window("holder"), window("second"), window("developer")
    arbiter, operator = window("arbiter"), window("operator")
    people = servers.people
    billed(operator.page, servers.hub, HUB, "/billing?hub=true")
    billed(developer.page, servers.hub, BUYER)

    # The holder lists; a fraction of a cent is refused at the form; the second holder consents to the split.
    split = (
        f'{{"utility": "KNN-Shapley, k = 5, AUC", "contributions": {{"{people["holder"].id}": "3", '
        f'"{people["second"].id}": "1"}}, "commission": "0.05"}}'
    )
    listed(holder.page, servers.hub, "Stroke table", amount="100.005", split=split)
    expect(holder.page.get_by_role("alert")).to_contain_text("at most 2 decimals")
    listed(holder.page, servers.hub, "Stroke table", amount="100.00", split=split)
    expect(holder.page.get_by_text("waits for consent")).to_be_visible()
    second.open("/holder/market").get_by_role("button", name="Consent").click()
    listed(holder.page, servers.hub, "Stroke table at once", amount="150", at_once=True)
    assert servers.whole() == 0

    # The developer searches, compares and asks.
    page = developer.open("/market")
    page.get_by_role("searchbox").fill("stroke")
    page.get_by_role("button", name="Search", exact=True).click()
    for box in page.locator("input[name=id]").all():
        box.check()
    page.get_by_role("button", name="Compare side by side").click()
    expect(page.get_by_role("columnheader")).to_have_count(2)
    page.get_by_role("link", name="Stroke table", exact=True).click()
    page.get_by_role("button", name="Ask for it on these terms").click()
    expect(page.get_by_text("The other side is next.")).to_be_visible()
    negotiation = page.url

    # Both sides sign and verify; the document is verified without the hub.
    holder.page.goto(negotiation)
    holder.page.get_by_role("button", name="Agree and sign").click()
    page.goto(negotiation)
    page.get_by_role("button", name="Verify the agreement").click()
    holder.page.goto(negotiation)
    holder.page.get_by_role("button", name="Put it in force").click()
    page.goto(holder.page.url)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the document").click()
    waiting.value.save_as(tmp_path / "agreement.jsonld")
    document = json.loads((tmp_path / "agreement.jsonld").read_text())
    assert (
        verify_agreement(document, servers.deployment.keys.signing.public_key()).assignee
        == f"urn:uuid:{people['developer'].id}"
    )
    assert servers.whole() == 0

    # Bought: an invoice, nothing delivered before it is paid.
    page.get_by_role("button", name="Buy with obligation to pay").click()
    expect(page.get_by_text("with reference RF")).to_be_visible()
    purchase = page.url
    assert servers.whole() == 3  # the invoice and two holds

    # The bank's statement pays it; the data are delivered, the money is split.
    with servers.deployment.database.read() as session:
        invoice = session.scalars(sa.select(Invoice)).one()
    operator.open("/books").locator("input[type=file]").set_input_files(
        {
            "name": "s.xml",
            "mimeType": "application/xml",
            "buffer": statement((invoice.gross, invoice.reference or "", "")),
        }
    )
    operator.page.get_by_role("button", name="Book the statement").click()
    assert servers.whole() == 6
    page.goto(purchase)
    # Three quarters and one quarter of 95 %: buyers see whole percent only, holders what they earn.
    for told in ("71 %", "24 %"):
        expect(page.get_by_role("cell", name=told, exact=True)).to_be_visible()
    expect(page.get_by_text("23.75", exact=False)).to_have_count(0)
    second.page.goto(purchase)
    expect(second.page.get_by_text("71.25", exact=False).first).to_be_visible()
    expect(second.page.get_by_text("23.75", exact=False).first).to_be_visible()
    assert servers.owed(payable(people["second"].id)) == -2375
    page.get_by_role("link", name="To the data and their report").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    waiting.value.save_as(tmp_path / "goods.zip")
    assert (tmp_path / "goods.zip").read_bytes() == (servers.folder / "goods.zip").read_bytes()

    # The buyer complains, the arbiter refunds: credit note, data destroyed, money to be paid back.
    page.goto(purchase)
    page.get_by_label("What is wrong?").fill("The column age is empty.")
    page.get_by_role("button", name="Open a dispute").click()
    expect(page.get_by_text("second org")).to_be_visible()
    dispute = page.url
    assert servers.whole() == 8
    arbiter.page.goto(dispute)
    arbiter.page.get_by_label("Reasons").fill("It is empty, indeed.")
    arbiter.page.get_by_role("button", name="Refund the buyer").click()
    expect(arbiter.page.get_by_role("link", name="Credit note")).to_be_visible()
    servers.whole()
    assert servers.owed(payable(people["second"].id)) == 0
    assert servers.owed(receivable(people["developer"].id)) == -invoice.gross
    operator.open("/books").get_by_text("Paid too much").wait_for()
    with operator.page.expect_download():
        operator.page.get_by_role("button", name="Pay it back").click()
    servers.whole()
    assert servers.owed(receivable(people["developer"].id)) == 0
    page.goto(purchase)
    expect(page.get_by_text("refunded").first).to_be_visible()
    for visitor in (holder, second, developer, arbiter, operator):
        assert [one for one in visitor.complaints if "422" not in one] == []  # the form that was refused on purpose


def test_on_listed_terms_the_hub_agrees_at_once_without_scripts(window: Window, servers: Place) -> None:
    developer = window("developer", java_script_enabled=False)
    page = developer.open("/market")
    page.get_by_role("link", name="Stroke table at once").click()
    page.get_by_role("button", name="Ask for it on these terms").click()
    page.get_by_role("button", name="Verify the agreement").click()
    expect(page.get_by_text("in force", exact=True)).to_be_visible()
    page.get_by_role("button", name="Buy with obligation to pay").click()
    page.get_by_role("button", name="Cancel the purchase").click()
    expect(page.get_by_text("its invoice credited")).to_be_visible()
    servers.whole()


def test_a_tampered_row_of_the_books_is_found_on_the_page(window: Window, servers: Place) -> None:
    auditor = window("auditor")
    expect(auditor.open("/books/check").get_by_text("intact", exact=True)).to_be_visible()
    raw = servers.deployment.database.engine.raw_connection()
    try:
        cursor = raw.cursor()
        names = cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'money_entries'"
        ).fetchall()
        for name, _ in names:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute("UPDATE money_entries SET cents = cents + 1 WHERE number = 1 AND line = 1")
        for _, sql in names:
            cursor.execute(sql)
    finally:
        raw.close()
    page = auditor.open("/books/check")
    expect(page.get_by_text("not intact")).to_be_visible()
    with servers.deployment.database.read() as session:
        assert session.scalar(sa.select(Entry.number).where(Entry.number == 1, Entry.line == 1)) == 1
        faults = check(session, LocalNotary(servers.deployment.keys)).faults
    assert any(one.number == 1 for one in faults)
