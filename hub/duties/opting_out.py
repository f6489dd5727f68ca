"""The right to opt out: intake, opting back in, and the list for the data side.

Belongs here: pseudonyms of people who have opted out. Does not belong here: taking them out of data, which the data side
does before each new permit.

The identifier is never stored: only its HMAC under a key derived from the hub's master key, since the identifiers are few
enough to try them all against a plain hash.

References
----------
Regulation (EU) 2025/327, Article 71(1) (at any time, without a reason, reversible) and (3) (permits issued afterwards).
"""

import hmac
import re
import unicodedata
from datetime import timedelta

import sqlalchemy as sa

from hub.audit.log import record
from hub.caller import Caller
from hub.deployment import Deployment
from hub.duties.tables import OptOut
from hub.people import throttle
from hub.people.roles import Role
from hub.people.throttle import Limit
from records.errors import ParameterError

CONTEXT = b"opt-out:v1:"
INTAKE = Limit("opt-out", "objections must not be sent", 10, timedelta(hours=1))


def pseudonym(hub: Deployment, national_id: str) -> str:
    """HMAC-SHA-256 of the normalised identifier.

    Raises
    ------
    ParameterError
        It is no identifier.
    """
    plain = re.sub(r"[\s.]", "", unicodedata.normalize("NFKC", national_id)).upper()
    if not re.fullmatch(r"[A-Z0-9+\-/]{6,30}", plain) or not any(c.isdigit() for c in plain):
        raise ParameterError(
            "a national identifier must be 6 to 30 letters and digits, got another form; write it anew"
        )
    return hmac.digest(hospitals_key(hub), plain.encode(), "sha256").hex()


def hospitals_key(hub: Deployment) -> bytes:
    """The key under which identifiers are hashed; a hospital that has it can tell which of its patients objected."""
    return hmac.digest(hub.keys.master, CONTEXT, "sha256")


def opt_out(caller: Caller, national_id: str, *, address: str = "") -> None:
    """Object to secondary use from now on; doing so twice changes nothing.

    Raises
    ------
    ParameterError, ThrottledError
        It is no identifier; too many objections from this address or account, or for this person.
    """
    key = _admitted(caller, national_id, address)
    found = caller.session.get(OptOut, key, with_for_update=True)
    if found is None:
        caller.session.add(OptOut(pseudonym=key, at=caller.now))
    elif found.withdrawn_at is not None:
        found.at, found.withdrawn_at = caller.now, None
    _told(caller, "registered")


def opt_in(caller: Caller, national_id: str, *, address: str = "") -> None:
    """Withdraw the objection; the answer is the same whether there was one, and so are the limits."""
    found = caller.session.get(OptOut, _admitted(caller, national_id, address), with_for_update=True)
    if found is not None and found.withdrawn_at is None:
        found.withdrawn_at = caller.now
    _told(caller, "withdrawn")


def export(caller: Caller) -> list[str]:
    """Pseudonyms of all who have opted out, sorted, for the data side."""
    person = caller.must_have(Role.OPERATOR)
    found = list(caller.session.scalars(_valid().order_by(OptOut.pseudonym)))
    record(caller.session, now=caller.now, actor=person.id, action="opt_out.exported", subject="opt_out:list",
           count=len(found))  # fmt: skip
    return found


def matching(caller: Caller, pseudonyms: list[str]) -> list[str]:
    """Which of these pseudonyms have opted out."""
    caller.must_have(Role.OPERATOR)
    return sorted(caller.session.scalars(_valid().where(OptOut.pseudonym.in_(pseudonyms))))


def _admitted(caller: Caller, national_id: str, address: str) -> str:
    """The pseudonym; every attempt counts, mistakes too, so that nobody can try identifiers through."""
    senders = [INTAKE.key("address", address)]
    if caller.person is not None:
        senders.append(INTAKE.key("email", caller.person.email))
    _counted(caller, senders)
    key = pseudonym(caller.hub, national_id)
    _counted(caller, [INTAKE.key("person", key)])
    return key


def _counted(caller: Caller, keys: list[str]) -> None:
    INTAKE.check(caller.session, keys, caller.now)
    throttle.count(caller.session, keys, caller.now)


def _valid() -> sa.Select[str]:
    return sa.select(OptOut.pseudonym).where(OptOut.withdrawn_at.is_(None))


def _told(caller: Caller, verb: str) -> None:
    # Who it was is not told to the log: neither the pseudonym nor the account.
    record(caller.session, now=caller.now, actor="visitor", action=f"opt_out.{verb}", subject="opt_out:list")
