"""The agreement as a document: who accepted what, signed, and verified by anybody without the hub.

Belongs here: making and verifying the document. Does not belong here: its storage and life (``agreements``), negotiation.

Each party's acceptance is a statement of its own: who, when, in which step, and the digest of the offer that was on the table.
The hub signs each statement when it is made, on behalf of the person who was signed in, and signs the whole agreement with both
statements in it. Whoever holds the document and the hub's public key can tell that both accepted the same offer and that nothing
was changed since; that the hub's sign-in was sound must be believed.

References
----------
RFC 8032 (Ed25519); RFC 8785 (canonical JSON: here text, whole numbers, true, false, lists and objects only); Dataspace Protocol
2025-1, section 7 (agreement).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.access import odrl
from hub.errors import ForbiddenError
from hub.market.protocol import Side
from hub.market.terms import CONTEXT, Terms
from records.errors import ParameterError

PARTY = {Side.CONSUMER: "assignee", Side.PROVIDER: "assigner"}
STATEMENT = "I accept this offer."


@dataclass(frozen=True)
class Verified:
    """What a genuine agreement tells: its parties, its end, and the key that signed it."""

    uid: str
    assigner: str
    assignee: str
    target: str
    until: str
    key: str


def acceptance(
    *, side: Side, person: str, name: str, offer: Mapping[str, Any], step: str, key: Ed25519PrivateKey, now: datetime
) -> dict[str, Any]:  # fmt: skip
    """A party's signed statement that it accepts ``offer``."""
    return odrl.sign(
        {"@type": "Acceptance", "party": PARTY[side], "person": odrl.person_iri(person), "name": name, "step": step,
         "statement": STATEMENT, "at": odrl.stamp(now), "offer": odrl.digest(offer)}, key, now,
    )  # fmt: skip


def agreed(
    uid: str, offer: Mapping[str, Any], terms: Terms, *, target: str, assignee: str, until: datetime,
    acceptances: Sequence[Mapping[str, Any]], subject: Mapping[str, Any], key: Ed25519PrivateKey, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """The signed agreement on ``offer``; ``subject`` says what is sold, by its digest where it lies ready."""
    return odrl.sign(
        {"@context": CONTEXT, "@type": "Agreement", "@id": f"urn:uuid:{uid}", "target": target, "timestamp": odrl.stamp(now),
         "assigner": offer["assigner"], "assignee": odrl.person_iri(assignee), **terms.policy(until=odrl.stamp(until)),
         "price": offer["price"], "split": offer["split"], "subject": {**subject, "offer": dict(offer)},
         "acceptance": list(acceptances)}, key, now,
    )  # fmt: skip


def verify_agreement(document: Any, key: Ed25519PublicKey | None = None) -> Verified:
    """Check a document's signature and both acceptances, without a network or a store.

    Parameters
    ----------
    key : Ed25519PublicKey or None
        The hub's key, from a source that is trusted; without it the document is only checked against itself.

    Raises
    ------
    ForbiddenError
        It was changed, was signed with another key, or the two parties did not accept the same offer.
    """
    if not isinstance(document, dict) or document.get("@type") != "Agreement":
        raise ForbiddenError("an agreement must be a signed document of this market, got another; ask for the original")
    odrl.verify(document, key)
    signer = document["proof"]["verificationMethod"]
    try:
        offer = document["subject"]["offer"]
        same = all(document[name] == offer[name] for name in ("assigner", "price", "split"))
        accepted = {one["party"]: one for one in document["acceptance"]}
        whole = set(accepted) == {"assigner", "assignee"} and len(document["acceptance"]) == 2
        fits = whole and all(_fits(one, document, odrl.digest(offer), signer) for one in accepted.values())
        told = Verified(
            document["@id"], document["assigner"], document["assignee"], document["target"], _until(document), signer
        )
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ForbiddenError("an agreement must be whole, got one with parts missing; ask for the original") from error
    if not (same and fits):
        raise ForbiddenError(
            "both parties must have accepted the offer that was agreed, got another; ask for the original"
        )
    return told


def key_of(text: str) -> Ed25519PublicKey:
    """A public key from its 64 hexadecimal digits, as the hub's page shows it.

    Raises
    ------
    ParameterError
        It is none.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError as error:
        raise ParameterError("a public key must be 64 hexadecimal digits, got another; copy it from the hub") from error


def _fits(one: Mapping[str, Any], document: Mapping[str, Any], offer: str, signer: str) -> bool:
    odrl.verify(one, key_of(signer))
    return (
        one["@type"] == "Acceptance" and one["person"] == document[one["party"]] and one["offer"] == offer
        and one["statement"] == STATEMENT and one["at"] <= document["timestamp"]
    )  # fmt: skip


def _until(document: Mapping[str, Any]) -> str:
    constraints = document["permission"][0]["constraint"]
    return next(one["rightOperand"] for one in constraints if one["leftOperand"] == "dateTime")
