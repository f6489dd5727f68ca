"""Identifiers with a form of their own: e-mail, telephone, IBAN, web and network addresses, labelled record numbers.

Belongs here: form and validity of one value. Does not belong here: national numbers (``national_ids``) or names.

References
----------
45 CFR 164.514(b)(2)(i)(D)-(R), the identifiers of Safe Harbor. ISO 13616-1 (IBAN, modulo 97). ITU-T E.123, E.164.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from stdnum import iban

_DATE_LIKE = re.compile(r"\d{2}[-/ .]\d{2}[-/ .]\d{4}")


@dataclass(frozen=True)
class Pattern:
    """A kind of identifier: its name, its form for ``re`` and polars, and whether a match of the form is one."""

    name: str
    pattern: str
    valid: Callable[[str], bool]


def _always(_: str) -> bool:
    return True


def _phone(number: str) -> bool:
    return 8 <= sum(c.isdigit() for c in number) <= 15 and not _DATE_LIKE.match(number.strip(" :;,"))


def _public_iban(number: str) -> bool:
    return iban.is_valid(number, check_country=False)  # a country's own digits are not needed to know it for one


def _network_address(number: str) -> bool:
    try:
        ipaddress.ip_address(number)
    except ValueError:
        return False
    return True


PATTERNS: tuple[Pattern, ...] = (
    Pattern("e-mail", r"(?i)\b[A-Z0-9._%+-]+@[A-Z0-9-]+(?:\.[A-Z0-9-]+)*\.[A-Z]{2,24}\b", _always),
    Pattern("web address", r"(?i)\b(?:https?|ftp)://[^\s\"<>]+|\bwww\.[A-Z0-9-]+\.[A-Z]{2,24}\b", _always),
    Pattern("IBAN", r"(?i)\b[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{0,4}\b", _public_iban),
    Pattern("telephone", r"(?:\+|\b00)[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}\b", _phone),
    Pattern("telephone", r"(?:^|[\s:;,])\(?0\d{1,4}\)?[ /-]\d{2,4}(?:[ -]?\d{2,4}){1,3}(?:$|[\s;,.])", _phone),
    Pattern("IP address", r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", _network_address),
    Pattern("IP address", r"(?i)\b[0-9A-F]{1,4}(?::[0-9A-F]{0,4}){3,7}[0-9A-F]\b", _network_address),
    Pattern(
        "record number",
        r"(?i)\b(?:MRN|NHC|SNS|utente|(?:patient|potilas|hospital|case|record|chart)[ _-]?(?:id|no|nr|number|nro))"
        r"\s*[:#.=]?\s*[A-Z]{0,4}-?\d{5,12}\b",
        _always,
    ),
)  # fmt: skip
