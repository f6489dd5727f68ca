"""Valuations that the data side handed over, and the splits that follow from them.

Belongs here: taking them in, whose they are, a listing's split by a valuation's digest. Does not belong here: measuring and the
document (``hub.valuation``), the rule of a split (``sharing``).

Who states numbers without a valuation may do so, and the agreement says so (``sharing.Basis``); who refers to a valuation gets its
numbers and no others.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.caller import Caller
from hub.catalogue.service import published
from hub.errors import NotFoundError, StateError
from hub.market.sharing import MEASURED_BY, Split, read_split
from hub.market.tables import Valuation
from hub.money.accounts import HUB
from hub.people.roles import Role
from hub.people.tables import Person
from records.errors import ParameterError

if TYPE_CHECKING:
    from hub.valuation.sealed import Sealed


def deposit(
    session: Session, document: Any, *, dataset_id: str, accounts: Mapping[str, str], now: datetime
) -> Valuation:  # fmt: skip
    """Take in a sealed valuation; the same one again, with the same accounts, changes nothing.

    Parameters
    ----------
    accounts : mapping
        By holder's name in the valuation, the id of the person who earns.

    Raises
    ------
    ParameterError
        Its numbers do not follow from each other, or a holder has no account of its own.
    StateError
        It is of another data set, or was handed over with other accounts.
    """
    from hub.valuation.sealed import read_sealed

    sealed, dataset = read_sealed(document), published(session, dataset_id)
    if (dataset.use_case, dataset.cohort) != (sealed.use_case, sealed.cohort):
        raise StateError(
            "a valuation must be of the data set's own patients, got another cohort's; choose its data set"
        )
    _must_be_holders(session, sealed, accounts)
    if (before := session.get(Valuation, sealed.sha256)) is not None:
        if before.accounts != dict(accounts) or before.dataset_id != dataset_id:
            raise StateError("a valuation must be handed over once, got other accounts; value the data again")
        return before
    made = Valuation(
        sha256=sealed.sha256, dataset_id=dataset_id, document=sealed.plain, accounts=dict(accounts), deposited_at=now
    )
    session.add(made)
    session.flush()
    record(session, now=now, actor="system", action="valuation.deposited", subject=f"valuation:{made.sha256}",
           dataset=dataset_id, holders=len(accounts))  # fmt: skip
    return made


def accounts_of(session: Session, emails: Mapping[str, str]) -> dict[str, str]:
    """Ids of accounts from their e-mails, by the same names; unknown ones are refused when they are used."""
    asked = {name: email.strip().lower() for name, email in emails.items()}
    known = sa.select(Person.email, Person.id).where(Person.email.in_(asked.values()))
    ids = {email: one for email, one in session.execute(known)}
    return {name: ids.get(email, "") for name, email in asked.items()}


def agreed_split(session: Session, dataset_id: str, given: Mapping[str, Any]) -> Split:
    """The split of a listing: a valuation's numbers if it refers to one, otherwise what the holders state.

    Raises
    ------
    ParameterError
        Numbers differ from the valuation's, or do not make a split.
    NotFoundError
        There is no such valuation of the data set.
    """
    source = str(given.get("source") or "").strip()
    if not source:
        return read_split(given)
    if not source.startswith(MEASURED_BY):
        raise ParameterError("the source of a split must be a valuation of the hub, got another; leave it out")
    found = session.get(Valuation, source.removeprefix(MEASURED_BY))
    if found is None or found.dataset_id != dataset_id:
        raise NotFoundError("the valuation must be one of the data set, got an unknown one; look at its valuations")
    ours = sealed_of(found).split(found.accounts)
    # The commission is the hub's and is agreed, not measured.
    measured = {**ours.plain(), **{k: given[k] for k in ("commission",) if k in given}}
    wanted = read_split(measured)
    if read_split({**measured, **given}) != wanted:
        raise ParameterError("a split must have the numbers of its valuation, got others; leave them out")
    return wanted


def carries(session: Session, dataset_id: str, split: Split) -> bool:
    """Whether a split has the words and numbers of the valuation that it refers to; one that refers to none states its own."""
    try:
        return agreed_split(session, dataset_id, split.plain()) == split
    except (ParameterError, NotFoundError, StateError):
        return False


def sealed_of(found: Valuation) -> "Sealed":
    """Its document.

    Raises
    ------
    StateError
        The store has another than was handed over.
    """
    from hub.valuation.sealed import read_sealed

    sealed = read_sealed(found.document, kept=True)
    if sealed.sha256 != found.sha256:
        raise StateError("a valuation must be as it was handed over, got another; ask the operator")
    return sealed


def of_caller(caller: Caller) -> list[Valuation]:
    """Valuations in which the caller's data were valued, newest first."""
    person = caller.must_have(Role.HOLDER).id
    every = caller.session.scalars(sa.select(Valuation).order_by(Valuation.deposited_at.desc(), Valuation.sha256))
    return [one for one in every if person in one.accounts.values()]


def mine(caller: Caller, sha256: str) -> tuple[Valuation, str]:
    """A valuation in which the caller's data were valued, and the caller's name in it.

    Raises
    ------
    NotFoundError
        There is none.
    """
    person, found = caller.must_have(Role.HOLDER).id, caller.session.get(Valuation, sha256)
    named = {account: holder for holder, account in found.accounts.items()} if found else {}
    if found is None or person not in named:
        raise NotFoundError("the valuation must be one of your data, got another; look at what you sell")
    return found, named[person]


def facts(found: Valuation) -> dict[str, Any]:
    """A valuation as plain values."""
    document = found.document
    return {
        "sha256": found.sha256, "source": f"{MEASURED_BY}{found.sha256}", "dataset_id": found.dataset_id,
        "utility": document["utility"], "terms": document["terms"], "versions": document["versions"],
        "holders": document["holders"], "deposited_at": found.deposited_at.isoformat(),
    }  # fmt: skip


def in_percent(session: Session, split: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Who earns how much of the revenue in percent, by name, largest first."""
    parts = read_split(split).shares()
    people = session.scalars(sa.select(Person).where(Person.id.in_(parts)))
    names = {one.id: one.organisation or one.name for one in people} | {HUB: "Health data hub"}
    found = [(names.get(one, one), float(100 * part)) for one, part in parts.items() if part or one != HUB]
    return sorted(found, key=lambda row: (-row[1], row[0]))


def _must_be_holders(session: Session, sealed: "Sealed", accounts: Mapping[str, str]) -> None:
    names = {one.holder for one in sealed.holders}
    if set(accounts) != names or len(set(accounts.values())) != len(names):
        raise ParameterError(
            f"each holder must have an account of its own, got accounts of {', '.join(sorted(accounts)) or 'nobody'}; "
            f"name one for each of {', '.join(sorted(names))}"
        )
    known = session.scalars(sa.select(Person).where(Person.id.in_(set(accounts.values())), Person.active))
    if {one.id for one in known if one.has(Role.HOLDER)} != set(accounts.values()):
        raise ParameterError("an account must be that of a holder, got another; ask the operator for accounts")
