"""Payments against the schemas of ISO 20022 in others' packages; statements from outside; payouts, holds and refunds."""

from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from hub.deployment import Deployment
from hub.errors import ForbiddenError, StateError
from hub.money import camt, holds, invoices, parties, payouts, vat
from hub.money.accounts import bank, held, payable, paying, receivable, unmatched
from hub.money.check import check
from hub.money.gateway import PaymentGateway
from hub.money.invoice import Line
from hub.money.ledger import balance
from hub.money.notary import LocalNotary
from hub.money.sepa import BankTransfer, latin
from hub.people.roles import Role
from hub.people.tables import Person
from records.errors import ParameterError

IBAN = "FI2112345600000785"
HUB = {
    "name": "Hub Ääkkönen",
    "city": "Helsinki",
    "country": "FI",
    "vat_id": "FI20774740",
    "iban": IBAN,
    "bic": "NDEAFIHH",
}
BUYER = {"name": "Models Oy", "country": "FI", "iban": "FI1410093000123458"}
HOLDER = {"name": "Szpital Łódź <&> Ørsted", "country": "PL", "iban": "PL61109010140000071219812874"}
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def schema(package: str, name: str) -> etree.XMLSchema:
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return etree.XMLSchema(etree.parse(next(Path(spec.submodule_search_locations[0]).rglob(name))))


def statement(*entries: tuple[int, str, str], closing: int | None = None, iban: str = IBAN) -> bytes:
    """Movements as (cents, reference or words, end-to-end id), after an opening balance of 1.00."""

    def amount(cents: int) -> str:
        return f'<Amt Ccy="EUR">{abs(cents) / 100:.2f}</Amt><CdtDbtInd>{"CRDT" if cents >= 0 else "DBIT"}</CdtDbtInd>'

    def ends(code: str, cents: int) -> str:
        return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount(cents)}<Dt><Dt>2026-11-25</Dt></Dt></Bal>"

    body = "".join(
        f"<Ntry>{amount(cents)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-25</Dt></BookgDt>"
        f"<AcctSvcrRef>B{n}</AcctSvcrRef><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{to_end or 'NOTPROVIDED'}</EndToEndId></Refs>"
        + (f"<RmtInf><Strd><CdtrRefInf><Ref>{words}</Ref></CdtrRefInf></Strd></RmtInf>" if words else "")
        + "</TxDtls></NtryDtls></Ntry>"
        for n, (cents, words, to_end) in enumerate(entries)
    )
    total = 100 + sum(cents for cents, _, _ in entries) if closing is None else closing
    return (
        f'<Document xmlns="{NAMESPACE}"><BkToCstmrStmt><GrpHdr><MsgId>m</MsgId><CreDtTm>2026-11-25T12:00:00</CreDtTm></GrpHdr>'
        f"<Stmt><Id>s1</Id><CreDtTm>2026-11-25T12:00:00</CreDtTm><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"
        f"{ends('OPBD', 100)}{ends('CLBD', total)}{body}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


@pytest.fixture
def sold(people: dict[Role, Person], as_caller: Any) -> Callable[[Any, str], Any]:
    """An invoice of 100.00 net, 90.00 of it the holder's."""
    for role, details in ((Role.DEVELOPER, BUYER), (Role.HOLDER, HOLDER)):
        with as_caller(people[role]) as caller:
            parties.save(caller, parties.read(details))
    with as_caller(people[Role.OPERATOR]) as caller:
        parties.save(caller, parties.read(HUB), party="hub")

    def sell(caller: Any, key: str) -> Any:
        line = Line.of(
            "Table", 10_000, {"hub": 1_000, people[Role.HOLDER].id: 9_000}, vat.treatment("FI", "FI", business=True)
        )
        return invoices.issue(caller, key=key, payer=people[Role.DEVELOPER].id, lines=[line])

    return sell


def test_from_invoice_to_payout_and_refund(
    hub: Deployment, people: dict[Role, Person], as_caller: Any, sold: Any
) -> None:
    holder, buyer = people[Role.HOLDER].id, people[Role.DEVELOPER].id
    gateway: PaymentGateway = BankTransfer()
    with as_caller(people[Role.OPERATOR]) as caller:
        session, own = caller.session, parties.known(caller, "hub")
        first, second = sold(caller, "1"), sold(caller, "2")
        told = statement((12_550, first.reference, ""), (12_550, second.reference, ""), (777, "", ""))
        assert schema("camt053", "camt.053.001.08.xsd").validate(etree.fromstring(told))
        assert payouts.receive(caller, gateway.read(told, own)) == {"matched": 2, "unmatched": 1, "before": 0}
        assert payouts.receive(caller, gateway.read(told, own)) == {"matched": 0, "unmatched": 0, "before": 3}
        assert balance(session, bank()) == 25_877
        assert balance(session, unmatched()) == -777
        assert invoices.open_amount(session, first) == 0

        holds.hold(caller, holder, 9_000, f"invoice:{second.id}", key="dispute")
        assert payouts.owed(caller) == {holder: 9_000}
        (order,) = payouts.order(caller, key="today")
        assert [one.id for one in payouts.order(caller, key="today")] == [order.id]
        with pytest.raises(StateError, match="amount and an IBAN"):
            payouts.order(caller, key="tomorrow")
        xml = payouts.file_of(caller, order.file, gateway)
        assert xml == payouts.file_of(caller, order.file, gateway)
        checker = schema("sepaxml", "pain.001.001.09.xsd")
        assert checker.validate(etree.fromstring(xml)), checker.error_log
        assert b"<CtrlSum>90.00</CtrlSum>" in xml
        assert b"Szpital Lodz ?+? Orsted" in xml

        out = statement((-9_000, "", order.id.replace("-", "")))
        receipts = [type(one)(f"x{one.id}", *list(vars(one).values())[1:]) for one in gateway.read(out, own)]
        assert payouts.receive(caller, receipts)["matched"] == 1
        assert payouts.state_of(caller, order) == "paid"
        assert balance(session, paying(holder)) == 0

        invoices.credit(caller, second.id, key="resolved")
        assert balance(session, held(holder)) == balance(session, payable(holder)) == 0
        assert balance(session, receivable(buyer)) == -12_550
        (back,) = payouts.refund(caller, buyer, key="resolved")
        assert balance(session, receivable(buyer)) == 0
        payouts.returned(caller, back.id)
        assert balance(session, receivable(buyer)) == -12_550
        with pytest.raises(StateError, match="on its way"):
            payouts.returned(caller, back.id)
    with hub.database.read() as session:
        assert check(session, LocalNotary(hub.keys)).intact


def test_holds_keep_to_what_is_there(people: dict[Role, Person], as_caller: Any, sold: Any) -> None:
    holder = people[Role.HOLDER].id
    with as_caller(people[Role.OPERATOR]) as caller:
        sold(caller, "1")
        with pytest.raises(StateError, match="more than is left"):
            holds.hold(caller, holder, 9_001, "dispute:1", key="a")
        number = holds.hold(caller, holder, 5_000, "dispute:1", key="a")
        assert holds.hold(caller, holder, 5_000, "dispute:1", key="a") == number
        with pytest.raises(StateError, match="must be held"):
            holds.release(caller, holder, 5_001, "dispute:1", key="b")
        with pytest.raises(StateError, match="must be held"):
            holds.release(caller, holder, 1, "dispute:2", key="b")
        assert payouts.owed(caller) == {holder: 4_000}
        holds.release(caller, holder, 5_000, "dispute:1", key="b")
        assert payouts.owed(caller) == {holder: 9_000}


def test_only_an_operator_pays(people: dict[Role, Person], as_caller: Any, sold: Any) -> None:
    with as_caller(people[Role.HOLDER]) as caller, pytest.raises(ForbiddenError):
        payouts.order(caller, key="mine")


@pytest.mark.parametrize(
    "file",
    [b"", b"<x/>", b"\x00", statement((5, "", ""), closing=7), statement(iban="FI1410093000123458"),
     b'<!DOCTYPE x [<!ENTITY a "b">]><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&a;</Document>',
     b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>'],
)  # fmt: skip
def test_bad_statements_are_refused(file: bytes) -> None:
    with pytest.raises(ParameterError, match="a statement must"):
        camt.read(file, IBAN)


@pytest.mark.parametrize("day", [b"", b"<BookgDt><Dt>today</Dt></BookgDt>"])
def test_an_entry_without_its_day_is_refused(day: bytes) -> None:
    told = statement((5, "", "")).replace(b"<BookgDt><Dt>2026-11-25</Dt></BookgDt>", day)
    with pytest.raises(ParameterError, match="must have its day"):
        camt.read(told, IBAN)


def test_entries_of_one_reference_are_each_read_and_always_alike() -> None:
    told = statement((5, "", ""), (5, "", ""), (0, "", "")).replace(b">B1<", b">B0<")
    found = camt.read(told, IBAN)
    assert [one.cents for one in found] == [5, 5], "what moved nothing is left out"
    assert len({one.id for one in found}) == 2
    assert found == camt.read(told, IBAN)


@pytest.mark.parametrize("amount", [b"1e999999", b"NaN", b"1_0", b"", b"9" * 40, b"0.01" + b"0" * 30 + b"1", b"1.005"])
def test_amounts_that_are_none_are_refused(amount: bytes) -> None:
    with pytest.raises(ParameterError, match="an amount must"):
        camt.read(statement((5, "", "")).replace(b">0.05<", b">" + amount + b"<"), IBAN)


def test_a_reference_is_found_in_free_text_too() -> None:
    told = statement((5, "X", "")).replace(
        b"<Strd><CdtrRefInf><Ref>X</Ref></CdtrRefInf></Strd>", b"<Ustrd>Invoice RF18 5390 0754 7034</Ustrd>"
    )
    (found,) = camt.read(told, IBAN)
    assert (found.reference, found.cents, found.on) == ("RF18539007547034", 5, date(2026, 11, 25))


def test_letters_of_sepa() -> None:
    assert latin("Ääkkönen & Søn, Łódź ☃", 70) == "Aakkonen + Son, Lodz ?"
    assert latin("", 70) == "-"
    assert len(latin("x" * 200, 140)) == 140
