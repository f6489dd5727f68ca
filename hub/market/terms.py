"""Offer terms as ODRL: purpose, duration, redistribution, territory, acknowledgement.

Belongs here: from terms to an offer and back, as JSON-LD that any RDF library reads. Does not belong here: price and split
(``prices``, ``sharing``), who accepted what (``agreement``).

The context stands in the document itself, so that it means the same without a network. Names and nesting are those of the
Dataspace Protocol's policies, in which rules have no target of their own.

References
----------
W3C ODRL Information Model 2.2 and Vocabulary 2.2; Dataspace Protocol 2025-1, section 7 (offers and agreements);
ISO 8601 (durations); Regulation (EU) 2025/327, Articles 53(1), 54 and 61(3).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.access.law import PROHIBITED_USES, PURPOSES, purpose_iri
from hub.access.odrl import EUROPEAN_UNION, prohibited_iri
from hub.market.sent import well_formed

PROFILE = "urn:phaseiv:market"
REIDENTIFY = f"{PROFILE}:reidentify"
Territory = Literal["EU", "EEA", "WORLD"]
SPATIAL: dict[str, tuple[str, ...]] = {
    "EU": (EUROPEAN_UNION,),
    "EEA": (EUROPEAN_UNION, *(f"http://publications.europa.eu/resource/authority/country/{c}" for c in ("ISL", "LIE", "NOR"))),
    "WORLD": (),
}  # fmt: skip
_IRI, _TERM, _JSON = {"@type": "@id"}, {"@type": "@vocab"}, {"@type": "@json"}
CONTEXT: dict[str, Any] = {
    "@vocab": "http://www.w3.org/ns/odrl/2/", "uid": "@id", "target": _IRI, "assigner": _IRI, "assignee": _IRI,
    "profile": _IRI, "action": _TERM, "leftOperand": _TERM, "operator": _TERM,
    "timestamp": f"{PROFILE}:timestamp", "price": {"@id": f"{PROFILE}:price", **_JSON},
    "split": {"@id": f"{PROFILE}:split", **_JSON}, "subject": {"@id": f"{PROFILE}:subject", **_JSON},
    "acceptance": {"@id": f"{PROFILE}:acceptance", **_JSON}, "proof": {"@id": f"{PROFILE}:proof", **_JSON},
}  # fmt: skip


class Terms(BaseModel):
    """What a buyer may do; ``purposes`` are letters of Article 53(1), ``months`` how long."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    purposes: Annotated[tuple[str, ...], Field(min_length=1, max_length=len(PURPOSES))]
    months: Annotated[int, Field(ge=1, le=120, strict=True)]
    redistribution: bool = False
    territory: Territory = "EU"
    acknowledgement: Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")] = ""

    @field_validator("purposes")
    @classmethod
    def _known(cls, letters: tuple[str, ...]) -> tuple[str, ...]:
        if not set(letters) <= set(PURPOSES):
            raise ValueError("must be letters of Article 53(1)")
        return tuple(sorted(set(letters)))

    def policy(self, *, until: str = "") -> dict[str, Any]:
        """Permissions and prohibitions; an agreement ends ``until`` a moment, an offer lasts some months."""
        lasting = (
            _constraint("dateTime", "lteq", until) if until else _constraint("elapsedTime", "lteq", f"P{self.months}M")
        )
        constraints = [
            _constraint("purpose", "isAnyOf", [{"@id": purpose_iri(letter)} for letter in self.purposes]), lasting,
            *([_constraint("spatial", "isAnyOf", [{"@id": one} for one in places])] if (places := SPATIAL[self.territory]) else []),
        ]  # fmt: skip
        duty = {"duty": [_attribution(self.acknowledgement)]} if self.acknowledgement else {}
        permitted = ["use", "distribute"] if self.redistribution else ["use"]
        forbidden = [{"@id": prohibited_iri(letter)} for letter in sorted(PROHIBITED_USES)]
        return {
            "profile": PROFILE,
            "permission": [{"action": action, "constraint": constraints, **duty} for action in permitted],
            "prohibition": [
                {"action": "use", "constraint": [_constraint("purpose", "isAnyOf", forbidden)]}, {"action": REIDENTIFY},
                *([] if self.redistribution else [{"action": "distribute"}]),
            ],
        }  # fmt: skip


def offer(uid: str, terms: Terms, *, assigner: str, price: dict[str, Any], split: dict[str, Any]) -> dict[str, Any]:
    """An ODRL offer without a target, as a catalogue holds it."""
    return {
        "@context": CONTEXT, "@type": "Offer", "@id": uid, "assigner": assigner, **terms.policy(), "price": price,
        "split": split,
    }  # fmt: skip


def read_terms(values: Any) -> Terms:
    """Terms from a form or from JSON.

    Raises
    ------
    ParameterError
        A field is wrong; the message names it.
    """
    with well_formed("offer terms"):
        return Terms.model_validate(values)


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _attribution(words: str) -> dict[str, Any]:
    return {"action": "attribute", "constraint": [_constraint("product", "eq", words)]}
