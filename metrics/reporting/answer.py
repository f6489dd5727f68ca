"""The page of an answer that several hospitals computed: its figures and tables, who took part, and what it cost.

Belongs here: from plain values to one HTML page without network. Does not belong here: the computation.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.reporting.page import environment

MOST_ROWS, MOST_NESTED = 200, 3
Table = tuple[str, list[str], list[list[Any]]]


@dataclass(frozen=True)
class AnswerContext:
    """What the page shows; ``parties`` maps names to figures, ``provenance`` names to words."""

    title: str
    lead: str
    result: Mapping[str, Any]
    parties: Mapping[str, Mapping[str, Any]]
    guarantee: str
    provenance: Mapping[str, str]
    findings: Sequence[str] = ()
    picture: bytes | None = None


def answer_page(context: AnswerContext) -> str:
    """The page; long lists are cut, and the package has them whole."""
    picture = b64encode(context.picture).decode() if context.picture else None
    facts, tables = shown(context.result)
    template = environment().get_template("answer.html.j2")
    return template.render(c=context, facts=facts, tables=tables, picture=picture, most=MOST_ROWS)


def shown(result: Mapping[str, Any], prefix: str = "", depth: int = 0) -> tuple[dict[str, Any], list[Table]]:
    """Single values as facts, lists of alike entries as tables; what is nested deeper is left to the file."""
    facts: dict[str, Any] = {}
    tables: list[Table] = []
    for key, value in result.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping) and depth < MOST_NESTED:
            inner, more = shown(value, f"{name}: ", depth + 1)
            facts, tables = facts | inner, tables + more
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            tables += _tables(name, value)
        elif not isinstance(value, list | Mapping):
            facts[name] = value
    return facts, tables


def _tables(name: str, entries: Sequence[Mapping[str, Any]]) -> list[Table]:
    """One table of the entries, or, where each holds columns of numbers (a curve), one table of each."""
    single = [key for key in entries[0] if not isinstance(entries[0][key], list | Mapping)]
    made: list[Table] = [(name, single, [[entry.get(key) for key in single] for entry in entries])] if single else []
    for entry in entries:
        columns = {k: v for k, v in entry.items() if isinstance(v, list) and v and not isinstance(v[0], list | Mapping)}
        longest = max(map(len, columns.values()), default=0)
        alike = {key: values for key, values in columns.items() if len(values) == longest}
        if alike:
            words = " ".join(str(entry[key]) for key in single[:1])
            made.append(
                (f"{name} {words}".strip(), list(alike), [list(row) for row in zip(*alike.values(), strict=True)])
            )
    return made
