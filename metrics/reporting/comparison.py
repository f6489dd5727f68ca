"""Candidates side by side: verdicts and headline figures, from their evaluations' JSON.

Belongs here: the comparison as rows and as one HTML page. Does not belong here: which figures (``headline``), or judging.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.reporting.headline import HEADLINES, Headline, at
from metrics.reporting.page import environment
from records.errors import ParameterError

CLOSE = 5e-4  # equal at the three digits that are shown


@dataclass(frozen=True)
class Compared:
    """One figure of all candidates: ``best`` marks which are best; all ``False`` where they are equal or unknown."""

    label: str
    better: str
    values: Sequence[float | None]
    best: Sequence[bool]
    references: Sequence[float | None]
    reference_label: str


def compare(documents: Sequence[Mapping[str, Any]]) -> list[Compared]:
    """Headline figures side by side; figures that no candidate has are left out.

    Parameters
    ----------
    documents : sequence of mapping
        Evaluations as ``phaseiv evaluate`` writes them, at least two.

    Raises
    ------
    ParameterError
        Fewer than two, or they were judged on different real patients.
    """
    if len(documents) < 2:
        raise ParameterError(f"a comparison must have at least two evaluations, got {len(documents)}; add another")
    if len(real := {at(d, "provenance.real_sha256") for d in documents}) > 1:
        raise ParameterError(
            f"evaluations must rest on the same real patients, got {len(real)} sets of them; evaluate them on one split"
        )
    rows = [_compared(figure, documents) for figure in HEADLINES]
    return [row for row in rows if any(value is not None for value in row.values)]


def comparison_page(names: Sequence[str], documents: Sequence[Mapping[str, Any]]) -> str:
    """The comparison as one HTML page without network."""
    return environment().get_template("comparison.html.j2").render(
        names=names, documents=documents, rows=compare(documents)
    )  # fmt: skip


def _compared(figure: Headline, documents: Sequence[Mapping[str, Any]]) -> Compared:
    values = [_number(at(d, figure.path)) for d in documents]
    references = [_number(at(d, figure.reference)) for d in documents]
    return Compared(
        figure.label, figure.better, values, _best(values, figure.better), references, figure.reference_label
    )


def _best(values: Sequence[float | None], better: str) -> list[bool]:
    known = [v for v in values if v is not None]
    if len(known) < 2 or max(known) - min(known) < CLOSE:
        return [False] * len(values)
    top = min(known) if better == "lower" else max(known)
    return [v is not None and abs(v - top) < CLOSE for v in values]


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
