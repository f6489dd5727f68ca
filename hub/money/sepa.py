"""Bank transfer: payouts as a pain.001 file, statements as camt.053.

Belongs here: writing the payment file. Does not belong here: reading statements (``camt``), who is paid (``payouts``).

References
----------
ISO 20022 pain.001.001.09; EPC132-08, SEPA credit transfer, customer-to-PSP implementation guidelines (Latin letters, euro, charges
shared, at most 140 characters of remittance information).
"""

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from hub.money import camt
from hub.money.currency import EURO, written
from hub.money.gateway import Receipt, Transfer
from hub.money.parties import Party
from records.errors import ParameterError

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "&": "+"}
)


class BankTransfer:
    """Files that an operator hands to the bank and fetches from it; a ``PaymentGateway``."""

    def instruct(self, transfers: Sequence[Transfer], debtor: Party, *, id: str, at: datetime, on: date) -> bytes:
        """The pain.001.001.09 file.

        Raises
        ------
        ParameterError
            There is nothing to pay, an amount is not above 0, or the debtor has no IBAN.
        """
        if not transfers or any(one.cents <= 0 for one in transfers):
            raise ParameterError("a payment file must pay somebody more than 0, got another; wait for earnings")
        if not debtor.iban:
            raise ParameterError("the paying party must have an IBAN, got none; fill in its billing details")
        root = Element("Document", xmlns=NAMESPACE)
        order = SubElement(root, "CstmrCdtTrfInitn")
        _header(order, transfers, debtor, id, at)
        _payment(order, transfers, debtor, id, on)
        return tostring(root, encoding="UTF-8", xml_declaration=True)

    def read(self, statement: bytes, creditor: Party) -> list[Receipt]:
        """The movements of a camt.053 statement."""
        return camt.read(statement, creditor.iban)


def latin(text: str, most: int) -> str:
    """Text in the letters that all banks of SEPA take, cut to ``most`` characters."""
    plain = unicodedata.normalize("NFKD", text.translate(LETTERS))
    kept = "".join(letter if letter in ALLOWED else "?" for letter in plain if not unicodedata.combining(letter))
    return kept.strip().lstrip("/")[:most] or "-"


def _header(order: Element, transfers: Sequence[Transfer], debtor: Party, id: str, at: datetime) -> None:
    header = SubElement(order, "GrpHdr")
    _text(header, "MsgId", id[:35])
    _text(header, "CreDtTm", at.strftime("%Y-%m-%dT%H:%M:%S"))
    _sums(header, transfers)
    _text(SubElement(header, "InitgPty"), "Nm", latin(debtor.name, 70))


def _sums(parent: Element, transfers: Sequence[Transfer]) -> None:
    _text(parent, "NbOfTxs", str(len(transfers)))
    _text(parent, "CtrlSum", written(sum(one.cents for one in transfers), EURO))


def _payment(order: Element, transfers: Sequence[Transfer], debtor: Party, id: str, on: date) -> None:
    payment = SubElement(order, "PmtInf")
    _text(payment, "PmtInfId", id[:35])
    _text(payment, "PmtMtd", "TRF")
    _sums(payment, transfers)
    _text(SubElement(SubElement(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _text(SubElement(payment, "ReqdExctnDt"), "Dt", on.isoformat())
    _text(SubElement(payment, "Dbtr"), "Nm", latin(debtor.name, 70))
    _account(payment, "DbtrAcct", debtor.iban)
    institution = SubElement(SubElement(payment, "DbtrAgt"), "FinInstnId")
    if debtor.bic:
        _text(institution, "BICFI", debtor.bic)
    else:
        _text(SubElement(institution, "Othr"), "Id", "NOTPROVIDED")
    _text(payment, "ChrgBr", "SLEV")
    for one in transfers:
        _transfer(payment, one)


def _transfer(payment: Element, one: Transfer) -> None:
    made = SubElement(payment, "CdtTrfTxInf")
    _text(SubElement(made, "PmtId"), "EndToEndId", one.id.replace("-", "")[:35])
    _text(SubElement(made, "Amt"), "InstdAmt", written(one.cents, EURO), Ccy=EURO)
    if one.bic:
        _text(SubElement(SubElement(made, "CdtrAgt"), "FinInstnId"), "BICFI", one.bic)
    _text(SubElement(made, "Cdtr"), "Nm", latin(one.name, 70))
    _account(made, "CdtrAcct", one.iban)
    _text(SubElement(made, "RmtInf"), "Ustrd", latin(one.words, 140))


def _account(parent: Element, name: str, iban: str) -> None:
    _text(SubElement(SubElement(parent, name), "Id"), "IBAN", iban)


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = text
