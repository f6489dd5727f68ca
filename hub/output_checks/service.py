"""The queue of output checks: submit, check, decide, take out.

Belongs here: steps and who may take them. Does not belong here: the rules on tables (``disclosure``, ``linked``).

Each step that brings an output nearer to the outside (handing in, approving, taking out) is checked against the signed
permit; a refusal is always possible.

References
----------
Regulation (EU) 2025/327, Articles 61(4) and 73(2): only non-personal data may be downloaded from the secure environment;
Article 61(1): only in accordance with the permit.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from hub.access.permits import held_by
from hub.access.tables import Permit
from hub.access.uses import SECURE, action_of_outputs, must_allow
from hub.audit.log import record
from hub.caller import Caller
from hub.database.base import new_id
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.output_checks.disclosure import Rules, check
from hub.output_checks.linked import check_linked
from hub.output_checks.reading import read_tables
from hub.output_checks.sealed import opened, seal
from hub.output_checks.table import Table
from hub.output_checks.tables import OutputRequest
from hub.people.roles import Role
from records.errors import ParameterError

RULES = Rules()
SHORTEST_REASON, MOST_FINDINGS, MOST_RELEASED = 20, 200, 50


def submit(caller: Caller, *, permit_id: str, description: str, filename: str, content: bytes) -> OutputRequest:
    """Hand in an output of one's permit; it is checked by rule at once.

    Raises
    ------
    NotFoundError, ForbiddenError, ParameterError
        The permit is not the caller's; does not allow outputs; or the output is no table or is not described.
    GoneError
        The permit was revoked or is over.
    """
    person = caller.must_have(Role.DEVELOPER)
    permit = _permitted(caller, permit_id, person.id)
    if not description.strip():
        raise ParameterError("an output must be described, got nothing; write what it shows and for which result")
    found = OutputRequest(
        id=new_id(), person_id=person.id, permit_id=permit.id, dataset_ids=permit.dataset_ids,
        description=description.strip(), filename=PurePosixPath(filename.replace("\\", "/")).name[:120] or "output.csv",
        size=len(content), sha256=hashlib.sha256(content).hexdigest(), state="waiting", submitted_at=caller.now,
    )  # fmt: skip
    found.findings = _findings(read_tables(found.filename, content), _released(caller, found))
    found.content = seal(caller.hub.keys.master, found.id, content)
    caller.session.add(found)
    record(caller.session, now=caller.now, actor=person.id, action="output.submitted", subject=f"output:{found.id}",
           permit=permit.id, sha256=found.sha256, breaches=breaches(found.findings))  # fmt: skip
    return found


def queue(caller: Caller) -> list[OutputRequest]:
    """What waits, oldest first, then what was decided lately."""
    caller.must_have(Role.CHECKER)
    waiting = sa.select(OutputRequest).where(OutputRequest.state == "waiting").order_by(OutputRequest.submitted_at)
    decided = sa.select(OutputRequest).where(OutputRequest.state != "waiting")
    latest = decided.order_by(OutputRequest.decided_at.desc()).limit(50)
    return [*caller.session.scalars(waiting), *caller.session.scalars(latest)]


def for_review(caller: Caller, output_id: str) -> OutputRequest:
    """An output that the caller may judge: a checker's, and not one's own."""
    checker = caller.must_have(Role.CHECKER)
    found = caller.session.get(OutputRequest, output_id)
    if found is None or found.person_id == checker.id:
        raise NotFoundError("an output must exist and be another person's, got an unknown one; look at the queue")
    return found


def mine(caller: Caller, output_id: str) -> OutputRequest:
    """One's own output."""
    found = caller.session.get(OutputRequest, output_id)
    if found is None or found.person_id != caller.somebody.id:
        raise NotFoundError("an output must be your own, got an unknown one; look at your list")
    return found


def all_mine(caller: Caller) -> list[OutputRequest]:
    """One's own outputs, newest first."""
    own = OutputRequest.person_id == caller.somebody.id
    return list(caller.session.scalars(sa.select(OutputRequest).where(own).order_by(OutputRequest.submitted_at.desc())))


def tables_of(caller: Caller, output: OutputRequest) -> list[Table]:
    """The output's tables, for one who may judge it."""
    return read_tables(output.filename, opened(caller.hub.keys.master, output.id, output.content))


def present_findings(caller: Caller, output: OutputRequest) -> list[dict[str, Any]]:
    """The findings beside what is released now, which may be more than when the output came."""
    if output.state != "waiting":
        return output.findings
    return _findings(tables_of(caller, output), _released(caller, output))


def decide(caller: Caller, output_id: str, *, approve: bool, reasons: str, seen: str) -> OutputRequest:
    """Approve or refuse; ``seen`` is the digest of the findings the checker looked at.

    Raises
    ------
    StateError
        It was decided before, or another release has brought new findings.
    ForbiddenError, GoneError
        It is to be approved, and its permit does not allow it any more.
    ParameterError
        Reasons are missing where they must be given.
    """
    output = for_review(caller, output_id)
    if output.state != "waiting":
        raise StateError(f"an output must wait for its decision, got one that is {output.state}; look at the queue")
    if approve:
        _permitted(caller, output.permit_id, output.person_id, output.dataset_ids)
    findings = present_findings(caller, output)
    if digest(findings) != seen:
        raise StateError("the decision must rest on the present findings, got older ones; reload the page")
    reasons = reasons.strip()
    if len(reasons) < SHORTEST_REASON and (not approve or breaches(findings)):
        raise ParameterError(
            f"a refusal, or an approval in spite of a breach, must have reasons of {SHORTEST_REASON} characters or more, "
            f"got {len(reasons)}; write them"
        )
    output.findings, output.reasons = findings, reasons
    output.state, output.checker_id = "approved" if approve else "refused", caller.somebody.id
    output.decided_at = caller.now
    record(caller.session, now=caller.now, actor=caller.somebody.id, action=f"output.{output.state}",
           subject=f"output:{output.id}", sha256=output.sha256, breaches=breaches(findings))  # fmt: skip
    return output


def take_out(caller: Caller, output_id: str) -> tuple[OutputRequest, bytes]:
    """One's approved output.

    Raises
    ------
    ForbiddenError, GoneError
        It waits or was refused; or its permit does not allow it any more.
    """
    output = mine(caller, output_id)
    if output.state != "approved":
        raise ForbiddenError(f"an output must be approved to leave, got one that is {output.state}; wait or mend it")
    _permitted(caller, output.permit_id, output.person_id, output.dataset_ids)
    record(caller.session, now=caller.now, actor=caller.somebody.id, action="output.downloaded",
           subject=f"output:{output.id}", sha256=output.sha256)  # fmt: skip
    return output, opened(caller.hub.keys.master, output.id, output.content)


def own_permits(caller: Caller) -> list[Permit]:
    """The caller's permits for a secure environment that are in force."""
    mine = (Permit.person_id == caller.somebody.id) & Permit.revoked_at.is_(None) & Permit.kind.in_(SECURE)
    valid = (Permit.valid_from <= caller.now) & (caller.now < Permit.valid_until)
    return list(caller.session.scalars(sa.select(Permit).where(mine, valid).order_by(Permit.valid_from)))


def breaches(findings: Sequence[dict[str, Any]]) -> int:
    """How many findings must be mended or justified."""
    return sum(finding["weight"] == "breach" for finding in findings)


def digest(findings: Sequence[dict[str, Any]]) -> str:
    """What tells one list of findings from another."""
    return hashlib.sha256(json.dumps(findings, sort_keys=True).encode()).hexdigest()


def facts(output: OutputRequest) -> dict[str, Any]:
    """For the API."""
    names = ("id", "permit_id", "description", "filename", "size", "sha256", "state", "findings", "reasons")
    times = {
        "submitted_at": output.submitted_at.isoformat(),
        "decided_at": output.decided_at.isoformat() if output.decided_at else None,
    }
    return {name: getattr(output, name) for name in names} | times


def _permitted(caller: Caller, permit_id: str, person_id: str, dataset_ids: Sequence[str] | None = None) -> Permit:
    """The permit, if its signed agreement allows outputs on these data sets (by default: on all of its own) now."""
    permit = held_by(caller.session, permit_id, person_id)
    used = permit.dataset_ids if dataset_ids is None else dataset_ids
    return must_allow(
        caller, permit_id, person_id=person_id, action=action_of_outputs(permit), dataset_ids=used
    )  # fmt: skip


def _released(caller: Caller, output: OutputRequest) -> list[Table]:
    """Tables of approved outputs over the same data sets, whoever asked for them."""
    approved = sa.select(OutputRequest).where(OutputRequest.state == "approved", OutputRequest.id != output.id)
    latest = caller.session.scalars(approved.order_by(OutputRequest.decided_at.desc()))
    same = [o for o in latest if set(o.dataset_ids) & set(output.dataset_ids)]
    return [table for other in same[:MOST_RELEASED] for table in tables_of(caller, other)]


def _findings(tables: Sequence[Table], released: Sequence[Table]) -> list[dict[str, Any]]:
    """All findings, breaches first; tables of one output are linked to each other, too."""
    found = []
    for i, table in enumerate(tables):
        others = [t for t in [*tables[:i], *released] if set(t.variables) & set(table.variables)]
        found += [*check(table, RULES), *check_linked(table, others, RULES)]
    found.sort(key=lambda f: f.weight)
    if len(found) > MOST_FINDINGS:
        raise ParameterError(f"an output must have at most {MOST_FINDINGS} findings, got {len(found)}; mend it first")
    return [asdict(f) for f in found]
