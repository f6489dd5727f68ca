"""An invoice or credit note as EN 16931 in UBL 2.1.

Belongs here: the XML. Does not belong here: what an invoice is (``invoice``).

References
----------
EN 16931-1:2017 (model), CEN/TS 16931-3-2 (binding to UBL 2.1, ISO/IEC 19845); UNCL 1001 (380 invoice, 381 credit note), UNCL 4461
(58 SEPA credit transfer), UN/ECE Recommendation 20 (C62: one).
"""

from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from hub.money.currency import written
from hub.money.invoice import Document, Line, VatGroup
from hub.money.parties import Party
from hub.money.vat import OUTSIDE

ROOT = "urn:oasis:names:specification:ubl:schema:xsd:"
CBC, CAC = f"{{{ROOT}CommonBasicComponents-2}}", f"{{{ROOT}CommonAggregateComponents-2}}"
CUSTOMIZATION = "urn:cen.eu:en16931:2017"
NAMES = {"invoice": ("Invoice", "380"), "credit_note": ("CreditNote", "381")}
register_namespace("cbc", CBC[1:-1])
register_namespace("cac", CAC[1:-1])


def xml(document: Document) -> bytes:
    """The document as UTF-8 XML."""
    name, code = NAMES[document.kind]
    root = Element(f"{{{ROOT}{name}-2}}{name}")
    _text(root, "CustomizationID", CUSTOMIZATION)
    _text(root, "ID", document.number)
    _text(root, "IssueDate", document.issued_on.isoformat())
    if document.kind == "invoice" and document.due_on:
        _text(root, "DueDate", document.due_on.isoformat())
    _text(root, f"{name}TypeCode", code)
    if document.note:
        _text(root, "Note", document.note)
    _text(root, "DocumentCurrencyCode", document.currency)
    _credited(root, document)
    outside = document.lines[0].category == OUTSIDE
    _party(SubElement(root, f"{CAC}AccountingSupplierParty"), document.seller, outside=outside)
    _party(SubElement(root, f"{CAC}AccountingCustomerParty"), document.buyer, outside=outside)
    _payment(root, document)
    _tax(root, document)
    _totals(root, document)
    for number, line in enumerate(document.lines, start=1):
        _line(root, number, line, name, document.currency)
    return tostring(root, encoding="UTF-8", xml_declaration=True, default_namespace=None)


def _text(parent: Element, name: str, text: str, **attributes: str) -> Element:
    made = SubElement(parent, f"{CBC}{name}", attributes)
    made.text = text
    return made


def _amount(parent: Element, name: str, cents: int, currency: str) -> None:
    _text(parent, name, written(cents, currency), currencyID=currency)


def _credited(root: Element, document: Document) -> None:
    if document.credits:
        reference = SubElement(SubElement(root, f"{CAC}BillingReference"), f"{CAC}InvoiceDocumentReference")
        _text(reference, "ID", document.credits)
        if document.credits_on:
            _text(reference, "IssueDate", document.credits_on.isoformat())


def _party(parent: Element, party: Party, *, outside: bool) -> None:
    made = SubElement(parent, f"{CAC}Party")
    address = SubElement(made, f"{CAC}PostalAddress")
    for name, text in (("StreetName", party.street), ("CityName", party.city), ("PostalZone", party.postal_code)):
        if text:
            _text(address, name, text)
    _text(SubElement(address, f"{CAC}Country"), "IdentificationCode", party.country)
    if party.vat_id and not outside:  # BR-O-02: no VAT number where nothing is subject to VAT
        scheme = SubElement(made, f"{CAC}PartyTaxScheme")
        _text(scheme, "CompanyID", party.vat_id)
        _text(SubElement(scheme, f"{CAC}TaxScheme"), "ID", "VAT")
    entity = SubElement(made, f"{CAC}PartyLegalEntity")
    _text(entity, "RegistrationName", party.name)
    if party.company_id or (outside and party.vat_id):  # BR-CO-26: the seller is told by some number
        _text(entity, "CompanyID", party.company_id or party.vat_id)


def _payment(root: Element, document: Document) -> None:
    if not document.seller.iban or document.kind != "invoice":
        return
    means = SubElement(root, f"{CAC}PaymentMeans")
    _text(means, "PaymentMeansCode", "58")
    if document.reference:
        _text(means, "PaymentID", document.reference)
    account = SubElement(means, f"{CAC}PayeeFinancialAccount")
    _text(account, "ID", document.seller.iban)
    if document.seller.bic:
        _text(SubElement(account, f"{CAC}FinancialInstitutionBranch"), "ID", document.seller.bic)


def _tax(root: Element, document: Document) -> None:
    total = SubElement(root, f"{CAC}TaxTotal")
    _amount(total, "TaxAmount", document.tax, document.currency)
    for group in document.groups:
        part = SubElement(total, f"{CAC}TaxSubtotal")
        _amount(part, "TaxableAmount", group.taxable, document.currency)
        _amount(part, "TaxAmount", group.tax, document.currency)
        _category(part, "TaxCategory", group, reason=True)


def _category(parent: Element, name: str, of: Line | VatGroup, *, reason: bool) -> None:
    made = SubElement(parent, f"{CAC}{name}")
    _text(made, "ID", of.category)
    if of.category != OUTSIDE:  # BR-O-05: no rate
        _text(made, "Percent", f"{of.rate.normalize():f}")
    if reason and of.code:
        _text(made, "TaxExemptionReasonCode", of.code)
    if reason and of.reason:
        _text(made, "TaxExemptionReason", of.reason)
    _text(SubElement(made, f"{CAC}TaxScheme"), "ID", "VAT")


def _totals(root: Element, document: Document) -> None:
    made = SubElement(root, f"{CAC}LegalMonetaryTotal")
    sums = (("LineExtensionAmount", document.net), ("TaxExclusiveAmount", document.net),
            ("TaxInclusiveAmount", document.gross), ("PayableAmount", document.gross))  # fmt: skip
    for name, cents in sums:
        _amount(made, name, cents, document.currency)


def _line(root: Element, number: int, line: Line, name: str, currency: str) -> None:
    made = SubElement(root, f"{CAC}{name}Line")
    _text(made, "ID", str(number))
    _text(made, "InvoicedQuantity" if name == "Invoice" else "CreditedQuantity", "1", unitCode="C62")
    _amount(made, "LineExtensionAmount", line.cents, currency)
    item = SubElement(made, f"{CAC}Item")
    _text(item, "Name", line.words)
    _category(item, "ClassifiedTaxCategory", line, reason=False)
    _amount(SubElement(made, f"{CAC}Price"), "PriceAmount", line.cents, currency)
