"""Changes of a permit in force: extension and amendment, asked for, assessed and decided by different people.

Belongs here: the two changes. Does not belong here: signing (``permits``).

References
----------
Regulation (EU) 2025/327, Article 68(12) (extension once, by ten years at most, asked for one month before the end), 68(13)
(amendment).
"""

from typing import Any

from hub.access import permits
from hub.access.form import Form, Kind, completeness
from hub.access.law import EXTENSION_MONTHS, EXTENSIONS, extension_closes
from hub.access.service import own, read_form, reasons
from hub.access.steps import permit_of, take, visible
from hub.access.tables import Request
from hub.caller import Caller
from hub.errors import StateError
from records.errors import ParameterError

FIXED = ("kind", "dataset_ids", "applicant")


def difference(former: dict[str, Any], new: dict[str, Any]) -> dict[str, list[Any]]:
    """Field to its former and its new value, for fields that differ."""
    return {name: [former.get(name), value] for name, value in new.items() if former.get(name) != value}


def ask_extension(caller: Caller, request_id: str, *, months: int, words: str) -> Request:
    """Ask for more time, with reasons."""
    request = own(caller, request_id)
    permit = permit_of(caller.session, request)
    if permit.extensions >= EXTENSIONS:
        raise StateError("a permit must be extended once at most, got a second time; apply anew")
    if caller.now > extension_closes(permit.valid_until):
        raise StateError("an extension must be asked for one month before the end, got less; apply anew")
    if not 1 <= months <= EXTENSION_MONTHS:
        raise ParameterError(f"an extension must be of 1 to {EXTENSION_MONTHS} months, got {months}; choose fewer")
    take(caller, request, "ask_extension", words=reasons(words), months=months)
    request.change = {"kind": "extension", "months": months, "reasons": words}
    return request


def ask_amendment(caller: Caller, request_id: str, form: Form, words: str) -> Request:
    """Ask for other terms; only what differs is assessed.

    Raises
    ------
    ParameterError
        Nothing differs, what differs may not be amended, or the new form is not complete.
    """
    request = own(caller, request_id)
    changed = difference(request.form, form.model_dump(mode="json"))
    if not changed or set(changed) & set(FIXED):
        raise ParameterError(
            "an amendment must change terms but not kind, data sets or applicant, got else; apply anew"
        )
    if completeness(form, public_body=caller.somebody.public_body):
        raise ParameterError("the amended form must be complete, got open points; answer them")
    take(caller, request, "ask_amendment", words=reasons(words), fields=sorted(changed))
    request.change = {"kind": "amendment", "diff": changed, "reasons": words}
    return request


def recommend(caller: Caller, request_id: str, *, recommendation: str, words: str) -> Request:
    """The officer's recommendation on a change."""
    if recommendation not in ("grant", "refuse"):
        raise ParameterError("a recommendation on a change must be grant or refuse, got another; choose one")
    request = visible(caller, request_id)
    held = request.former
    take(caller, request, "recommend_change", words=reasons(words), recommendation=recommendation)
    request.former = held  # the state to come back to
    request.recommendation = recommendation
    return request


def grant(caller: Caller, request_id: str, words: str = "") -> Request:
    """Put the change into force."""
    request = visible(caller, request_id)
    change = request.change or {}
    take(caller, request, "grant_change", words=words, change=change.get("kind"))
    permit = permit_of(caller.session, request)
    if caller.now > permit.valid_until:
        raise StateError("the permit must be in force, got one that has expired; the applicant may apply anew")
    if change["kind"] == "extension":
        permits.extend(caller, permit, request.form, months=change["months"])
    else:
        request.form = request.form | {name: new for name, (_, new) in change["diff"].items()}
        permits.amend(caller, permit, request.form, request.dataset_ids)
    request.change = None
    return request


def refuse(caller: Caller, request_id: str, words: str) -> Request:
    """Leave the permit as it is."""
    request = take(caller, visible(caller, request_id), "refuse_change", words=reasons(words))
    request.change = None
    return request


def amended(request: Request, **fields: Any) -> Form:
    """The request's form with other answers."""
    return read_form({**request.form, **fields, "kind": Kind(request.kind)})
