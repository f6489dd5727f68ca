"""Who invoices and who is paid: names, addresses, VAT numbers and bank accounts.

Belongs here: these details, their checks and storage. Does not belong here: accounts of the books (``accounts``).

References
----------
ISO 13616 (IBAN, check by mod 97), ISO 9362 (BIC), ISO 3166-1 (countries); VAT numbers by their national check digits.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from stdnum import bic, iban
from stdnum.eu import vat as vat_number
from stdnum.exceptions import ValidationError as NumberError

from hub.audit.log import record
from hub.caller import Caller
from hub.errors import ForbiddenError, StateError
from hub.money.accounts import HUB
from hub.money.tables import Party as Stored
from hub.people.roles import Role
from records.errors import ParameterError

Words = Annotated[str, Field(max_length=70)]


class Party(BaseModel):
    """A seller or buyer; what is empty is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=70)]
    street: Words = ""
    city: Words = ""
    postal_code: Annotated[str, Field(max_length=16)] = ""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    vat_id: str = ""
    company_id: Annotated[str, Field(max_length=35)] = ""
    iban: str = ""
    bic: str = ""

    @field_validator("vat_id")
    @classmethod
    def _vat(cls, text: str) -> str:
        return _number(vat_number.validate, text, "must be a VAT number of the EU, such as FI20774740")

    @field_validator("iban")
    @classmethod
    def _iban(cls, text: str) -> str:
        return _number(iban.validate, text, "must be an IBAN with right check digits")

    @field_validator("bic")
    @classmethod
    def _bic(cls, text: str) -> str:
        return _number(bic.validate, text, "must be a BIC of 8 or 11 characters")


def read(values: Any) -> Party:
    """A party from a form or from JSON.

    Raises
    ------
    ParameterError
        A field is wrong; the message names it and never repeats it.
    """
    try:
        return Party.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{one['loc'][-1]} {one['msg'].removeprefix('Value error, ')}" for one in error.errors())
        raise ParameterError(f"billing details must be well formed, got {wrong}; mend these fields") from error


def of(caller: Caller, party: str) -> Party | None:
    """The details of a person, or of the hub; ``None`` if they were not given yet. For use within the rooms."""
    found = caller.session.get(Stored, party)
    return Party.model_validate(found.details) if found else None


def confirmed_at(caller: Caller, party: str) -> datetime | None:
    """When the details were kept last: whoever keeps them says by it that they are right."""
    found = caller.session.get(Stored, party)
    return found.updated_at if found else None


def known(caller: Caller, party: str) -> Party:
    """The details.

    Raises
    ------
    StateError
        They were not given yet.
    """
    if (found := of(caller, party)) is None:
        raise StateError("billing details must be given first, got none; fill in the page Billing")
    return found


def save(caller: Caller, details: Party, *, party: str | None = None) -> None:
    """Keep one's own details; the hub's are kept by an operator.

    Raises
    ------
    ForbiddenError
        The details are another's.
    """
    person = caller.somebody
    party = party or person.id
    if party != person.id and not (party == HUB and person.has(Role.OPERATOR)):
        raise ForbiddenError("billing details must be one's own, got another's; ask that person")
    caller.session.merge(Stored(id=party, details=details.model_dump(), updated_at=caller.now))
    record(caller.session, now=caller.now, actor=person.id, action="billing.changed", subject=f"party:{party}")


def _number(validate: Any, text: str, rule: str) -> str:
    if not text.strip():
        return ""
    try:
        return validate(text)
    except NumberError as error:
        raise ValueError(rule) from error
