"""Permits as ODRL agreements: writing, signing, verifying and evaluating, fail-closed.

Belongs here: the agreement as a JSON-LD value. Does not belong here: its storage and life (``permits``).

The evaluator knows a closed list of keys, actions, operands and operators. Whatever it does not know refuses the use: a
constraint that nobody can check must never be passed over.

References
----------
W3C ODRL Information Model 2.2 and Vocabulary & Expression 2.2; RFC 8032 (Ed25519); RFC 8785 (canonical JSON: the values
here are text, lists and objects only, for which sorted keys without spaces are the canonical form).
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.access.form import Kind
from hub.access.law import PROHIBITED_USES, purpose_iri
from hub.errors import ForbiddenError

CONTEXT = "http://www.w3.org/ns/odrl.jsonld"
EUROPEAN_UNION = "http://publications.europa.eu/resource/authority/country/EUR"
ACTIONS = {Kind.PERMIT: "read", Kind.STATISTICS: "aggregate", Kind.SYNTHETIC: "derive", Kind.MPC: "execute"}
"""What each kind of permit allows; all four are actions of the ODRL vocabulary but ``read`` of a secure environment only."""
PROHIBITED_ACTION = "use"
SLACK = 1e-9  # of sums of epsilon
DATE_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
KEYS = frozenset(
    {"@context", "@type", "uid", "profile", "assigner", "assignee", "permission", "prohibition", "authorised", "proof"}
)
RULE_KEYS = frozenset({"action", "target", "constraint"})
PROFILE = "urn:phaseiv:odrl"
"""Our two operands beside those of the vocabulary: columns that a computation uses, and the epsilon of all of them."""
COLUMN, EPSILON = f"{PROFILE}:column", f"{PROFILE}:epsilon"


@dataclass(frozen=True)
class Use:
    """A use that is about to happen; ``place`` is where the hub processes, ``columns`` and ``epsilon`` (of all computations
    under the permit, this one included) are what it takes."""

    person_id: str
    action: str
    dataset_id: str
    purpose: str
    now: datetime
    place: str = EUROPEAN_UNION
    columns: frozenset[str] = frozenset()
    epsilon: float = 0.0


def agreement(
    *, uid: str, assigner: str, person_id: str, kind: Kind, dataset_ids: Sequence[str], purposes: Sequence[str],
    valid_from: datetime, valid_until: datetime, persons: Sequence[str] = (), columns: Sequence[str] | None = None,
    epsilon: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """An unsigned agreement; the uses of Article 54 are its prohibitions, ``columns`` and ``epsilon`` limit computations."""
    targets = [dataset_iri(one) for one in sorted(dataset_ids)]
    constraints = [
        _constraint("purpose", "isAnyOf", [purpose_iri(letter) for letter in sorted(purposes)]),
        _constraint("dateTime", "gteq", stamp(valid_from)),
        _constraint("dateTime", "lteq", stamp(valid_until)),
        _constraint("spatial", "eq", EUROPEAN_UNION),
        *([_constraint(COLUMN, "isPartOf", sorted(columns))] if columns is not None else []),
        *([_constraint(EPSILON, "lteq", str(float(epsilon)))] if epsilon is not None else []),
    ]
    profile = {} if columns is None and epsilon is None else {"profile": PROFILE}
    forbidden = [_constraint("purpose", "isAnyOf", [prohibited_iri(letter) for letter in sorted(PROHIBITED_USES)])]
    return {
        "@context": CONTEXT, "@type": "Agreement", "uid": f"urn:uuid:{uid}", **profile, "assigner": assigner,
        "assignee": person_iri(person_id), "authorised": sorted(persons),
        "permission": [{"action": ACTIONS[kind], "target": targets, "constraint": constraints}],
        "prohibition": [{"action": PROHIBITED_ACTION, "target": targets, "constraint": forbidden}],
    }  # fmt: skip


def sign(document: Mapping[str, Any], key: Ed25519PrivateKey, now: datetime) -> dict[str, Any]:
    """The document with a proof over its canonical JSON, time of signing and key included."""
    public = key.public_key().public_bytes_raw().hex()
    unsigned = {**document, "proof": {"type": "Ed25519", "created": stamp(now), "verificationMethod": public}}
    return {**unsigned, "proof": unsigned["proof"] | {"proofValue": key.sign(canonical(unsigned)).hex()}}


def verify(document: Mapping[str, Any], key: Ed25519PublicKey | None = None) -> None:
    """Refuse a document that was not signed as it is, or not with ``key``.

    Raises
    ------
    ForbiddenError
        The proof is missing, malformed or does not fit.
    """
    try:
        proof = dict(document["proof"])
        value = proof.pop("proofValue")
        named = Ed25519PublicKey.from_public_bytes(bytes.fromhex(proof["verificationMethod"]))
        if key is not None and named.public_bytes_raw() != key.public_bytes_raw():
            raise ValueError("another key")
        if bytes.fromhex(value).hex() != value or proof["type"] != "Ed25519" or len(proof) != 3:
            raise ValueError("not the canonical form")
        named.verify(bytes.fromhex(value), canonical({**document, "proof": proof}))
    except (InvalidSignature, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _refused("carry the body's valid signature", "none that fits") from error


def evaluate(document: Mapping[str, Any], use: Use) -> None:
    """Refuse the use unless one permission allows it and no prohibition forbids it; what is unknown refuses.

    Raises
    ------
    ForbiddenError
        The use is not allowed, or the agreement holds something that this evaluator does not know.
    """
    try:
        _known(document, KEYS)
        if (document["@context"], document["@type"]) != (CONTEXT, "Agreement"):
            raise _refused("be an ODRL agreement", "something else")
        if document.get("profile", PROFILE) != PROFILE:
            raise _refused("use the known profile", "another")
        if document["assignee"] != person_iri(use.person_id):
            raise _refused("be yours", "another person's")
        permitted = [_fits(rule, use, {use.action}) for rule in document["permission"]]
        forbidden = [_fits(rule, use, {use.action, PROHIBITED_ACTION}) for rule in document["prohibition"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _refused("be well formed", "something else") from error
    if any(forbidden) or not any(permitted):
        raise _refused("allow this use of these data for this purpose now", "one that does not")


def _fits(rule: Mapping[str, Any], use: Use, actions: set[str]) -> bool:
    _known(rule, RULE_KEYS)
    if rule["action"] not in {*ACTIONS.values(), PROHIBITED_ACTION}:
        raise _refused("name known actions", "another")
    if not (isinstance(rule["target"], list) and isinstance(rule["constraint"], list) and rule["constraint"]):
        raise _refused("name its data sets and constraints", "none")
    # Every constraint is evaluated, so that an unknown one refuses even where a known one already fails.
    held = [_holds(constraint, use) for constraint in rule["constraint"]]
    return rule["action"] in actions and dataset_iri(use.dataset_id) in rule["target"] and all(held)


def _holds(constraint: Mapping[str, Any], use: Use) -> bool:
    _known(constraint, frozenset({"leftOperand", "operator", "rightOperand"}))
    left, operator, right = constraint["leftOperand"], constraint["operator"], constraint["rightOperand"]
    if (left, operator) not in CONSTRAINTS:
        raise _refused("use known constraints", "another")
    return CONSTRAINTS[left, operator](use, right)


def _any_purpose(use: Use, right: Any) -> bool:
    if not isinstance(right, list):
        raise ValueError("a list of purposes is needed")
    return purpose_iri(use.purpose) in right


def _within_columns(use: Use, right: Any) -> bool:
    if not (isinstance(right, list) and all(isinstance(name, str) for name in right)):
        raise ValueError("a list of columns is needed")
    return use.columns <= set(right)


def _within_epsilon(use: Use, right: Any) -> bool:
    if not isinstance(right, str):
        raise ValueError("a number in text is needed")
    return use.epsilon <= float(right) + SLACK


CONSTRAINTS: dict[tuple[str, str], Callable[[Use, Any], bool]] = {
    ("purpose", "isAnyOf"): _any_purpose,
    ("dateTime", "gteq"): lambda use, right: use.now >= moment(right),
    ("dateTime", "lteq"): lambda use, right: use.now <= moment(right),
    ("spatial", "eq"): lambda use, right: use.place == right,
    (COLUMN, "isPartOf"): _within_columns,
    (EPSILON, "lteq"): _within_epsilon,
}


def limit(document: Mapping[str, Any], operand: str) -> Any:
    """The right side of a permission's constraint on ``operand``; ``None``: there is none."""
    found = (c for rule in document["permission"] for c in rule["constraint"] if c["leftOperand"] == operand)
    return next((constraint["rightOperand"] for constraint in found), None)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Canonical JSON."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(document: Mapping[str, Any]) -> str:
    """Hexadecimal sha256 of the canonical JSON, proof included."""
    return hashlib.sha256(canonical(document)).hexdigest()


def stamp(value: datetime) -> str:
    """An aware time as text."""
    return value.astimezone(UTC).strftime(DATE_FORMAT)


def moment(text: str) -> datetime:
    """A time that ``stamp`` wrote."""
    return datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC)


def person_iri(person_id: str) -> str:
    """A person's name in an agreement."""
    return f"urn:uuid:{person_id}"


def dataset_iri(dataset_id: str) -> str:
    """A data set's name in an agreement."""
    return f"urn:phaseiv:dataset:{dataset_id}"


def prohibited_iri(letter: str) -> str:
    """The European Legislation Identifier of a prohibited use of Article 54."""
    return f"http://data.europa.eu/eli/reg/2025/327/art_54/pnt_{letter}/oj"


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _known(value: Mapping[str, Any], keys: frozenset[str]) -> None:
    if not isinstance(value, Mapping) or not set(value) <= keys:
        raise _refused("hold known terms only", "an unknown one")


def _refused(rule: str, got: str) -> ForbiddenError:
    return ForbiddenError(f"a permit must {rule}, got {got}; ask the access body, or apply for another permit")
