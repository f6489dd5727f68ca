"""The pages of the books, invoices and billing: who sees what, exports, payouts and statements by hand."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from hub.deployment import Deployment
from hub.money import books, invoices, parties, vat
from hub.money.accounts import HUB, bank, payable, paying, receivable, unmatched
from hub.money.check import check
from hub.money.invoice import Line
from hub.money.ledger import balance
from hub.money.notary import LocalNotary
from hub.money.tables import Payout
from hub.people.roles import Role
from hub.people.tables import Person
from tests.hub.money.test_payments import BUYER, HOLDER, statement
from tests.hub.money.test_payments import HUB as DETAILS

READERS = (Role.OPERATOR, Role.AUDITOR)
Browser = Callable[..., Any]
People = dict[Role, Person]


@pytest.fixture
def invoice(people: People, as_caller: Any) -> str:
    """The id of an invoice of 100.00 net to the developer, 90.00 of it the holder's."""
    for role, details in ((Role.DEVELOPER, BUYER), (Role.HOLDER, HOLDER)):
        with as_caller(people[role]) as caller:
            parties.save(caller, parties.read(details))
    with as_caller(people[Role.OPERATOR]) as caller:
        parties.save(caller, parties.read(DETAILS), party=HUB)
        shares = {HUB: 1_000, people[Role.HOLDER].id: 9_000}
        line = Line.of("Table <b>1</b>", 10_000, shares, vat.treatment("FI", "FI", business=True))
        return invoices.issue(caller, key="a", payer=people[Role.DEVELOPER].id, lines=[line]).id


def test_only_operators_and_auditors_see_the_books(invoice: str, browser: Browser) -> None:
    for role in Role:
        mine = browser(role)
        for path in ("/books", "/books/check", "/books/export.csv", "/books/export.json"):
            assert mine.get(path).status_code == (200 if role in READERS else 403), (role, path)
        for path in ("/books/check", "/books/trial-balance"):
            assert mine.api("GET", path).status_code == (200 if role in READERS else 403), (role, path)


def test_another_persons_invoice_is_not_there(invoice: str, browser: Browser) -> None:
    for role in Role:
        expected = 200 if role in (*READERS, Role.DEVELOPER, Role.HOLDER) else 404
        for ending in ("", "/pdf", "/ubl"):
            assert browser(role).get(f"/invoices/{invoice}{ending}").status_code == expected, (role, ending)


def test_amounts_are_named_where_the_table_is_stacked(invoice: str, browser: Browser) -> None:
    operator = browser(Role.OPERATOR)
    page = operator.get("/books").text
    account = re.search(r"/books/accounts/([0-9a-f]{32})", page)
    assert account is not None
    for text in (page, operator.get(account[0]).text, operator.get(f"/invoices/{invoice}").text):
        body = text.partition("<tbody>")[2].partition("</tbody>")[0]
        assert '<td class="n"' in body
        assert '<td class="n">' not in body
    assert "<b>1</b>" not in text, "what somebody wrote is escaped"


def test_exports_hold_every_entry(hub: Deployment, invoice: str, browser: Browser) -> None:
    auditor = browser(Role.AUDITOR)
    with hub.database.read() as session:
        kept = [{name: str("" if v is None else v) for name, v in row.items()} for row in books.rows(session)]
    assert len(kept) == 4
    assert list(csv.DictReader(io.StringIO(auditor.get("/books/export.csv").text))) == kept
    told = json.loads(auditor.get("/books/export.json").text)
    assert [one["cents"] for one in told["entries"]] == [int(one["cents"]) for one in kept]
    assert sum(one["cents"] for one in told["entries"]) == 0


def test_an_operator_books_a_statement_and_pays_once_a_day(
    hub: Deployment, people: People, invoice: str, browser: Browser, as_caller: Any
) -> None:
    operator = browser(Role.OPERATOR)
    with as_caller(people[Role.OPERATOR]) as caller:
        reference = invoices.visible(caller, invoice).reference
    assert reference is not None
    for _ in range(2):
        sent = operator.submit("/books/statements", files={"statement": statement((12_550, reference, ""))})
        assert sent.status_code == 200
    with hub.database.read() as session:
        assert balance(session, receivable(people[Role.DEVELOPER].id)) == 0
    files = [operator.submit("/books/payouts", key="2026-11-25") for _ in range(2)]
    assert files[0].text == files[1].text
    assert "<CtrlSum>90.00</CtrlSum>" in files[0].text
    assert operator.submit("/books/payouts", key="").status_code == 422
    assert browser(Role.AUDITOR).submit("/books/payouts", key="x").status_code == 403
    checked = operator.api("GET", "/books/check").json()
    assert checked["intact"]


def test_the_hubs_billing_details_are_an_operators(hub: Deployment, invoice: str, browser: Browser) -> None:
    developer, operator = browser(Role.DEVELOPER), browser(Role.OPERATOR)
    assert DETAILS["iban"] in operator.get("/billing?hub=true").text
    assert DETAILS["iban"] not in developer.get("/billing?hub=true").text
    assert developer.submit("/billing", **BUYER, hub="yes").status_code == 403
    wrong = developer.submit("/billing", **BUYER | {"iban": "FI2112345600000786"})
    assert wrong.status_code == 422
    assert "FI2112345600000786" in wrong.text, "what was written is kept"
    assert developer.submit("/billing", **BUYER | {"name": "New Oy"}).status_code == 200
    assert "New Oy" in developer.get("/billing").text


def test_a_payout_that_the_bank_gave_back_is_paid_again_to_the_corrected_account(
    invoice: str, hub: Deployment, people: People, browser: Browser
) -> None:
    """By hand, and by a statement after it was paid; never to the account that did not take it; balanced at every step."""
    operator, holder, earner = browser(Role.OPERATOR), browser(Role.HOLDER), people[Role.HOLDER].id

    def standing() -> tuple[int, int]:
        with hub.database.read() as session:
            assert check(session, LocalNotary(hub.keys)).intact
            return -balance(session, payable(earner)), -balance(session, paying(earner))

    def newest() -> str:
        with hub.database.read() as session:
            return session.scalars(sa.select(Payout.id).order_by(Payout.at.desc())).first() or ""

    operator.submit("/books/payouts", key="monday")
    first = newest()
    assert standing() == (0, 9_000)
    assert f"/books/returned/{first}" in operator.get("/books/returned").text
    assert "correct the IBAN" not in holder.get("/billing").text
    operator.submit(f"/books/returned/{first}")
    assert standing() == (9_000, 0)
    page = operator.get("/books/returned").text
    assert "account not corrected or confirmed yet" in page
    assert HOLDER["iban"] not in page
    assert "correct the IBAN" in holder.get("/billing").text
    refused = operator.submit(f"/books/returned/{first}/again")
    assert refused.status_code == 409
    assert operator.submit("/books/payouts", key="tuesday").status_code == 409  # nor with everybody's payouts
    assert standing() == (9_000, 0)

    hub.clock.forward(minutes=1)  # type: ignore[attr-defined]
    holder.submit("/billing", **(HOLDER | {"iban": "PL27114020040000300201355387"}))
    assert "account corrected" in operator.get("/books/returned").text
    hub.clock.forward(minutes=1)  # type: ignore[attr-defined]
    again = operator.submit(f"/books/returned/{first}/again")
    assert again.content == operator.submit(f"/books/returned/{first}/again").content  # ordered once
    second = newest()
    assert second != first
    assert standing() == (0, 9_000)
    assert b"PL27114020040000300201355387" in again.content

    for cents, number in ((-9_000, 1), (9_000, 2)):  # paid, and days later it comes back
        told = statement((cents, "", second.replace("-", ""))).replace(b"B0", b"R%d" % number)
        operator.submit("/books/statements", files={"statement": ("s.xml", told, "application/xml")})
        assert standing() == ((0, 0) if cents < 0 else (9_000, 0))
    assert "account not corrected or confirmed yet" in operator.get("/books/returned").text
    with hub.database.read() as session:
        assert balance(session, bank()) == 0
        assert balance(session, unmatched()) == 0


def test_an_account_that_its_owner_confirms_after_a_return_is_paid_again(
    invoice: str, hub: Deployment, people: People, browser: Browser
) -> None:
    """Banks give back for reasons of their own, too; a second return asks again."""
    operator, holder = browser(Role.OPERATOR), browser(Role.HOLDER)

    def sent() -> list[str]:
        with hub.database.read() as session:
            return list(session.scalars(sa.select(Payout.id).order_by(Payout.at)))

    operator.submit("/books/payouts", key="0")
    for n in range(2):
        hub.clock.forward(minutes=1)  # type: ignore[attr-defined]
        last = sent()[-1]
        operator.submit(f"/books/returned/{last}")
        assert operator.submit(f"/books/returned/{last}/again").status_code == 409
        assert "account not corrected or confirmed yet" in operator.get("/books/returned").text
        assert "Save and confirm the account" in holder.get("/billing").text
        hub.clock.forward(minutes=1)  # type: ignore[attr-defined]
        holder.submit("/billing", **HOLDER)
        assert "Save and confirm the account" not in holder.get("/billing").text
        assert "account corrected or confirmed" in operator.get("/books/returned").text
        hub.clock.forward(minutes=1)  # type: ignore[attr-defined]
        assert HOLDER["iban"].encode() in operator.submit(f"/books/returned/{last}/again").content
        assert len(sent()) == n + 2
    with hub.database.read() as session:
        earner = people[Role.HOLDER].id
        assert (balance(session, payable(earner)), balance(session, paying(earner))) == (0, -9_000)
        assert check(session, LocalNotary(hub.keys)).intact


def test_only_operators_see_payouts(invoice: str, browser: Browser) -> None:
    for role in Role:
        assert browser(role).get("/books/returned").status_code == (200 if role is Role.OPERATOR else 403)
