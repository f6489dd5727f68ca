"""Reading a bank's statement, camt.053.

Belongs here: from the file to booked movements. Does not belong here: what they are booked on (``payouts``).

The file comes from outside: entities and document types are refused, and the sums must fit the balances that the bank tells.

References
----------
ISO 20022 camt.053.001.02 and later (their elements used here have the same names); ISO 11649 (RF reference).
"""

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from stdnum import iso11649

from hub.money.currency import cents_of
from hub.money.gateway import Receipt
from records.errors import ParameterError

LARGEST_FILE = 20_000_000
NAMESPACE = re.compile(r"^\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d\d\}Document$")
REFERENCE = re.compile(r"RF\d{2}[A-Z0-9]{1,21}")
SHORTEST = 5


def read(statement: bytes, iban: str) -> list[Receipt]:
    """Booked movements of the account ``iban``, in order; what moved nothing is left out.

    Raises
    ------
    ParameterError
        The file is no statement, of another account, or its sums do not fit its balances.
    """
    root = _parsed(statement)
    found, counted = [], Counter[str]()
    for one in root.findall("{*}BkToCstmrStmt/{*}Stmt"):
        if _of(one, "Acct", "Id", "IBAN") != iban:
            raise ParameterError("a statement must be of the hub's own account, got another; choose the right file")
        entries = enumerate(one.findall("{*}Ntry"))
        receipts = [_apart(part, counted) for at, entry in entries for part in _entry(one, at, entry, iban)]
        _must_fit(one, receipts)
        found += receipts
    if not found and not root.findall("{*}BkToCstmrStmt"):
        raise ParameterError("a statement must be a camt.053 file, got another; fetch it from the bank again")
    return found


def _apart(receipt: Receipt, counted: Counter[str]) -> Receipt:
    """Some banks give several entries of a file one reference: each is booked, not the first alone."""
    counted[receipt.id] += 1
    more = counted[receipt.id] - 1
    return replace(receipt, id=f"{receipt.id}:{more}") if more else receipt


def _parsed(statement: bytes) -> Element:
    try:
        root = fromstring(statement[: LARGEST_FILE + 1], forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ParameterError(
            "a statement must be a camt.053 file, got another; fetch it from the bank again"
        ) from error
    if not NAMESPACE.match(root.tag):
        raise ParameterError("a statement must be a camt.053 file, got another; fetch it from the bank again")
    return root


def _entry(statement: Element, at: int, entry: Element, iban: str) -> list[Receipt]:
    """An entry as its parts: a batch has one for each transaction in it."""
    status = _of(entry, "Sts", "Cd") or _of(entry, "Sts")
    if status != "BOOK":
        return []
    bank_id = _of(entry, "AcctSvcrRef") or f"{_of(statement, 'Id')}:{at}"
    day = _day(entry)
    total = _signed(entry, entry)
    details = entry.findall("{*}NtryDtls/{*}TxDtls")
    parts = [(_signed(one, entry) if len(details) > 1 else total, one) for one in details] or [(total, entry)]
    if sum(cents for cents, _ in parts) != total:
        parts = [(total, entry)]  # the bank tells no amount of each; the whole is booked as one
    name = sha256(f"{iban}:{bank_id}".encode()).hexdigest()[:32]
    code = _amount(entry).get("Ccy", "")
    return [Receipt(f"{name}:{n}", cents, code, day, _reference(one), _of(one, "Refs", "EndToEndId"))
            for n, (cents, one) in enumerate(parts) if cents]  # fmt: skip


def _day(entry: Element) -> date:
    try:
        return date.fromisoformat((_of(entry, "BookgDt", "Dt") or _of(entry, "BookgDt", "DtTm"))[:10])
    except ValueError as error:
        raise ParameterError(
            "each booked entry of a statement must have its day, got none; fetch it from the bank again"
        ) from error


def _signed(part: Element, entry: Element) -> int:
    found = part.find("{*}Amt") if part is entry else _first(part, "{*}Amt", "{*}AmtDtls/{*}TxAmt/{*}Amt")
    if found is None:
        return 0
    sign = _of(part, "CdtDbtInd") or _of(entry, "CdtDbtInd")
    cents = cents_of(found.text or "", found.get("Ccy", ""))
    return cents if sign == "CRDT" else -cents


def _amount(entry: Element) -> Element:
    found = entry.find("{*}Amt")
    if found is None:
        raise ParameterError("each entry of a statement must have an amount, got none; fetch it from the bank again")
    return found


def _reference(part: Element) -> str:
    told = [one.text or "" for one in part.iterfind(".//{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref")]
    told += [one.text or "" for one in part.iterfind(".//{*}RmtInf/{*}Ustrd")]
    for text in told:
        for found in REFERENCE.findall("".join(text.upper().split())):
            # Without its spaces, words may follow the reference: its check digits tell where it ends.
            for end in range(len(found), SHORTEST - 1, -1):
                if iso11649.is_valid(found[:end]):
                    return found[:end]
    return ""


def _must_fit(statement: Element, receipts: list[Receipt]) -> None:
    """Opening balance and movements must give the closing balance, where the bank tells both."""
    ends: dict[str, int] = {}
    for balance in statement.findall("{*}Bal"):
        ends[_of(balance, "Tp", "CdOrPrtry", "Cd")] = _signed(balance, balance)
    if {"OPBD", "CLBD"} <= ends.keys() and ends["OPBD"] + sum(one.cents for one in receipts) != ends["CLBD"]:
        raise ParameterError("a statement must fit its own balances, got another sum; fetch it from the bank again")


def _first(part: Element, *paths: str) -> Any:
    return next((found for path in paths if (found := part.find(path)) is not None), None)


def _of(part: Element, *names: str) -> str:
    return (part.findtext("/".join(f"{{*}}{name}" for name in names)) or "").strip()
