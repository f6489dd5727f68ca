"""A computation's description from the fields of its page.

Belongs here: from what was written to plain values. Does not belong here: whether they are right (``computations``).
"""

from typing import Any

from starlette.datastructures import FormData

FILTERS = 3
LISTED = ("positive", "shares", "participants")
PARAMETERS = (
    "bound", "by", "shares", "interval", "outcome", "positive", "horizon", "strata", "hidden", "rounds", "rate", "clip",
    "prior", "seed",
)  # fmt: skip
FIELDS = ("dataset_id", "purpose", "kind", "minimum_count", "epsilon", "rows", "collusion", "participants")
NUMBERS = ("epsilon", "horizon", "rate", "clip", "prior", "shares")


def answers(sent: FormData) -> dict[str, Any]:
    """Fields that were filled in; lists are separated by semicolons or lines, numbers may have a comma."""
    plain = {name: value for name in FIELDS if (value := _answer(sent, name)) not in ("", [])}
    given = {name: value for name in PARAMETERS if (value := _answer(sent, name)) not in ("", [])}
    if holders := _holders(_text(sent, "holders")):
        given["holders"] = holders
    columns = [value for value in sent.getlist("columns") if isinstance(value, str)]
    return {"kind": "", **plain, "columns": columns, "filters": _filters(sent), "parameters": given}


def _answer(sent: FormData, name: str) -> Any:
    text = _text(sent, name)
    if name in LISTED:
        parts = [part.strip() for part in text.replace("\n", ";").split(";")]
        return [_number(part) if name in NUMBERS else part for part in parts if part]
    return _number(text) if name in NUMBERS else text


def _filters(sent: FormData) -> list[dict[str, Any]]:
    rows = [{part: _text(sent, f"filter_{part}_{i}") for part in ("column", "op", "value")} for i in range(FILTERS)]
    return [{**row, "value": _value(row["op"], row["value"])} for row in rows if row["column"] or row["value"]]


def _value(op: str, text: str) -> Any:
    return [part.strip() for part in text.split(";") if part.strip()] if op == "in" else text


def _holders(text: str) -> dict[str, list[str]]:
    """Lines such as ``north: age, sex``."""
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    return {party.strip(): [n.strip() for n in names.split(",") if n.strip()] for party, _, names in lines}


def _number(text: str) -> str:
    return text.replace(",", ".")


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name)
    return value.strip() if isinstance(value, str) else ""
