"""The report of one candidate: a single HTML page without network, for a decision maker first, then for the expert.

Belongs here: what the page needs and rendering it. Does not belong here: measuring, judging, drawing, or the words
(``words``, ``templates/report.html.j2``).
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from metrics.attacks.audited import audit_under
from metrics.gate import Verdict
from metrics.plots.prediction import MODELS
from metrics.reporting.finnish import finnish_summary
from metrics.reporting.units import readable
from metrics.reporting.words import FIGURES, GLOSSARY, LEDGER_LABELS, PROVENANCE_LABELS, UNKNOWN
from records.discretisation import discrete_columns
from records.schema import Column, Kind, Schema

TEMPLATES = Path(__file__).parent / "templates"
MOST_LEVELS_SHOWN = 12
RAISED = dict(zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True))
NARROW = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class ReportContext:
    """Everything a report shows, as plain values.

    Parameters
    ----------
    title, use_case : str
    cohort_title, citation, licence : str
    defects : sequence of str
        Known defects of the source data.
    simulated_sites : bool
        Whether hospitals are a simulated split.
    schema : Schema
        Of the synthetic table.
    counts : mapping
        ``real``, ``train``, ``holdout``, ``synthetic`` rows.
    utility, fidelity, privacy, spend : mapping
        JSON of the reports and of the privacy spend.
    verdict : Verdict
    plots : mapping of str to bytes
        PNG by name, see ``plots.candidate_plots``; ``frontier`` is shown too if given.
    provenance : mapping of str to str
        Hashes, seeds, versions, run ids: shown as they are.
    ledger : mapping or None
        Balance of the cohort's privacy budget, for instance ``total_rho``, ``spent_rho``, ``remaining_rho``.
    document : mapping
        The evaluation's JSON, from which the Finnish summary is written; empty leaves it out.
    own : bool
        Whether the table is a candidate for release that this system made, or was only brought to be evaluated.
    """

    title: str
    use_case: str
    cohort_title: str
    citation: str
    licence: str
    schema: Schema
    counts: Mapping[str, int]
    utility: Mapping[str, Any]
    fidelity: Mapping[str, Any]
    privacy: Mapping[str, Any]
    spend: Mapping[str, Any]
    verdict: Verdict
    defects: tuple[str, ...] = ()
    simulated_sites: bool = False
    plots: Mapping[str, bytes] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    ledger: Mapping[str, Any] | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    own: bool = True


def render_report(context: ReportContext) -> str:
    """The page as HTML, with styles and images inside."""
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            c=context,
            figures=_figures(context),
            codebook=[_codebook_row(column, context.schema) for column in context.schema.columns],
            glossary=GLOSSARY,
            ledger_labels=LEDGER_LABELS,
            provenance_labels=PROVENANCE_LABELS,
            models=MODELS,
            unknown=UNKNOWN,
            audit=audit_under(context.spend.get("epsilon")),
            finnish=finnish_summary(context.document) if context.document else [],
        )
    )


def environment() -> Environment:
    """Templates with the number formats of all pages."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {"figure": figure, "interval": interval, "cell": cell, "percent": percent, "tiny": tiny}
    made.filters["sentence"] = lambda words: words[0].upper() + words[1:].rstrip(".") + "."
    return made


def figure(value: float | None, digits: int = 2) -> str:
    """A number for people: thousands separated, ``not available`` for ``None``."""
    if value is None or isinstance(value, str):
        return value or UNKNOWN
    return f"{value:,}" if isinstance(value, int) else _minus(f"{value:.{digits}f}")


def tiny(value: float | None) -> str:
    """A small probability: powers of ten as such, others to two digits."""
    if value is None or value <= 0:
        return UNKNOWN if value is None else "0"
    digits, power = f"{value:.1e}".split("e")
    if int(power) >= -2:
        return f"{value:g}"
    ten = "10" + "".join(RAISED[d] for d in str(int(power)))
    return ten if float(digits) == 1 else f"{float(digits):g} × {ten}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage."""
    return UNKNOWN if value is None else f"{100 * value:.{digits}f}{NARROW}%"


def interval(source: Mapping[str, Any], key: str, digits: int = 2) -> str:
    """The 95 % interval of ``key``, from ``key_lower`` to ``key_upper``."""
    bounds = [source.get(f"{key}_{end}") for end in ("lower", "upper")]
    if None in bounds:
        return "no interval"
    return _minus(f"95{NARROW}% CI {bounds[0]:.{digits}f} to {bounds[1]:.{digits}f}")


def _minus(number: str) -> str:
    """The number with a true minus sign."""
    return number.replace("-", "\N{MINUS SIGN}")


def cell(value: Any) -> str:
    """Any value of a table cell: floats to four digits, lists joined."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _figures(context: ReportContext) -> list[dict[str, str]]:
    """Images in reading order, base64, with their words."""
    return [
        {**words, "name": name, "image": b64encode(context.plots[name]).decode("ascii")}
        for name, words in FIGURES.items()
        if name in context.plots
    ]


def _codebook_row(column: Column, schema: Schema) -> dict[str, Any]:
    known = {c.name for c in discrete_columns(schema)}
    return {
        "name": column.name,
        "label": column.label,
        "role": column.role.value + (" (known too late: never a predictor)" if column.leakage else ""),
        "kind": column.kind.value,
        "values": _values(column) if column.name in known or column.kind is Kind.DATE else "free",
        "missing": "yes" if column.missing else "no",
        "codes": [f"{system} {code}" for system, code in column.codes.items()],
    }


def _values(column: Column) -> str:
    if column.kind is Kind.CATEGORY:
        labels = list(column.levels.values())
        more = f" and {len(labels) - MOST_LEVELS_SHOWN} more" if len(labels) > MOST_LEVELS_SHOWN else ""
        return "; ".join(labels[:MOST_LEVELS_SHOWN]) + more
    if column.kind is Kind.DATE:
        return f"{column.earliest} to {column.latest}"
    return f"{column.minimum:g} to {column.maximum:g} {readable(column.unit)}".strip()
