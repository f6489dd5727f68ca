"""What lies ready to be sold: packages that the gate let pass, encrypted, each with its verdict.

Belongs here: taking them in from the data side, revoking, reading. Does not belong here: the gate (the data side judges), listings.

What the hub takes in is checked against its own verdict: the digest that was judged must be the digest that the package's manifest
names. Real data have no verdict of the gate and are refused.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record
from hub.caller import Caller
from hub.database.base import new_id
from hub.deployment import Deployment
from hub.errors import GoneError, NotFoundError, StateError
from hub.market.kinds import ARTEFACTS, Kind
from hub.market.tables import Goods
from hub.people.roles import Role
from hub.repository import cipher, vault
from records.errors import GateError, ParameterError

MANIFEST, LARGEST_MANIFEST, REVOKED = "manifest.json", 5_000_000, "its release was revoked"


def deposit(
    session: Session, hub: Deployment, *, package: Path, dataset_id: str, kind: Kind, title: str, formats: list[str],
    facts: Mapping[str, Any], gate: Mapping[str, Any], now: datetime,
) -> Goods:  # fmt: skip
    """Take in a package of released data.

    Parameters
    ----------
    facts : mapping
        Aggregates for its page (rows, epsilon, figures); ``report`` among them is the HTML report.
    gate : mapping
        The verdict: ``released`` must be true, ``candidate_sha256`` the digest that was judged.

    Raises
    ------
    GateError, ParameterError
        The gate did not let it pass, or judged another candidate; or a service or real data are deposited.
    """
    if kind not in ARTEFACTS:
        raise ParameterError("goods must be an artefact, got a service; list the service itself")
    _passed(package, gate)
    key, made_id = cipher.new_key(), new_id()
    vault.store(package, place(hub, made_id), key, made_id)
    made = Goods(
        id=made_id, dataset_id=dataset_id, kind=kind, title=title, formats=formats, gate=dict(gate),
        facts={name: value for name, value in facts.items() if name != "report"}, report=facts.get("report"),
        size=package.stat().st_size, sha256=vault.digest_of(package), wrapped=cipher.wrap(hub.keys.master, key),
        deposited_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(session, now=now, actor="system", action="goods.deposited", subject=f"goods:{made.id}", dataset=dataset_id,
           kind=kind, sha256=made.sha256, candidate=gate["candidate_sha256"])  # fmt: skip
    return made


def revoke(
    session: Session, hub: Deployment, goods_id: str, reason: str, now: datetime, *, actor: str = "system"
) -> None:
    """The gate's verdict does not hold any more: listings end, orders are credited, what was delivered is destroyed."""
    from hub.market.listings import end_of_goods
    from hub.market.purchases import of_revoked

    found = session.get(Goods, goods_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFoundError("the goods must exist, got unknown ones; look at your listings")
    if found.revoked_at is not None:
        raise StateError("goods must be revoked once, got a second time; nothing was changed")
    found.revoked_at, found.revoked_reason = now, reason
    session.flush()
    record(session, now=now, actor=actor, action="goods.revoked", subject=f"goods:{found.id}", reason=reason)
    end_of_goods(session, found.id, REVOKED, now)
    of_revoked(Caller(session, now, hub), found.id, REVOKED)


def revoked_by(caller: Caller, goods_id: str, reason: str) -> None:
    """The holder or the body revokes, with a reason."""
    found = caller.session.get(Goods, goods_id)
    if found is None or not (caller.has(Role.HEAD) or _holds(caller, found.dataset_id)):
        raise NotFoundError("the goods must exist, got unknown ones; look at your listings")
    if not reason.strip():
        raise ParameterError("reasons must be given, got nothing; write them")
    revoke(caller.session, caller.hub, goods_id, reason.strip()[:300], caller.now, actor=caller.somebody.id)


def sound(session: Session, goods_id: str) -> Goods:
    """Goods whose verdict holds, as the store has them now.

    Raises
    ------
    NotFoundError, GoneError
        There are none; or their release was revoked.
    """
    found = session.get(Goods, goods_id, populate_existing=True)
    if found is None:
        raise NotFoundError("the goods must exist, got unknown ones; look at your listings")
    if found.revoked_at is not None:
        raise GoneError("goods must have passed the gate, got some whose release was revoked; choose others")
    return found


def of_dataset(session: Session, dataset_id: str) -> list[Goods]:
    """What is ready of a data set, newest first."""
    ready = sa.select(Goods).where(Goods.dataset_id == dataset_id, Goods.revoked_at.is_(None))
    return list(session.scalars(ready.order_by(Goods.deposited_at.desc(), Goods.id)))


def of_candidate(session: Session, dataset_id: str, sha256: str) -> Goods | None:
    """What was made for a data set from the candidate of this digest, if it was handed over already.

    Raises
    ------
    GoneError
        Its release was revoked: the same data must not be sold as new goods.
    """
    made = session.scalars(sa.select(Goods).where(Goods.dataset_id == dataset_id)).all()
    found = [one for one in made if one.gate["candidate_sha256"] == sha256]
    if any(one.revoked_at is not None for one in found):
        raise GoneError("goods must be of a release that holds, got one that was revoked; release other data")
    return found[0] if found else None


def read(hub: Deployment, goods: Goods) -> Iterator[bytes]:
    """The package's bytes."""
    key = cipher.unwrap(hub.keys.master, goods.wrapped)
    with place(hub, goods.id).open("rb") as source:
        yield from cipher.decrypt(source, key, goods.id.encode())


def place(hub: Deployment, goods_id: str) -> Path:
    """The encrypted file."""
    return hub.settings.home / "market" / f"{goods_id}.aes"


def _holds(caller: Caller, dataset_id: str) -> bool:
    from hub.catalogue.tables import Dataset

    dataset = caller.session.get(Dataset, dataset_id)
    return dataset is not None and caller.has(Role.HOLDER) and dataset.holder_id == caller.somebody.id


def _passed(package: Path, gate: Mapping[str, Any]) -> None:
    digest = gate.get("candidate_sha256")
    if (
        gate.get("released") is not True
        or not isinstance(digest, str)
        or len(digest) != hashlib.sha256().digest_size * 2
    ):
        raise GateError(
            "goods must have passed the gate, got none of its verdicts or a refusal; real data are never sold"
        )
    try:
        with zipfile.ZipFile(package) as archive, archive.open(MANIFEST) as manifest:
            told = json.loads(manifest.read(LARGEST_MANIFEST))
        judged = told["candidate_sha256"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise GateError("a package must hold the manifest of its making, got none; pack it anew") from error
    if judged != digest:
        raise GateError("the gate must have judged these very data, got the verdict on others; judge them")
