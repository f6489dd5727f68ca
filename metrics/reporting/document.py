"""An evaluation as one JSON document, for machines: what the page says, and its provenance.

Belongs here: the document's form and its JSON Schema (``evaluation.schema.json``). Does not belong here: measuring.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metrics.gate import Verdict
from metrics.plain import plain

FORMAT = "phaseiv-evaluation/1"
SCHEMA = Path(__file__).parent / "evaluation.schema.json"


def evaluation_document(
    title: str, reports: Mapping[str, Mapping[str, Any]], spend: Mapping[str, Any], verdict: Verdict,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The document.

    Parameters
    ----------
    title : str
        Of the table.
    reports : mapping
        ``fidelity``, ``utility`` and ``privacy`` as ``metrics.evaluation.evaluate`` returns them.
    spend : mapping
        JSON of the privacy spend.
    provenance : mapping
        Hashes, versions and seeds; ``real_sha256`` names the real patients, so that only like is compared with like.
    """
    return plain(
        {
            "format": FORMAT, "title": title, "candidate_sha256": verdict.candidate_sha256,
            "counts": reports["fidelity"]["rows"], "verdict": verdict.to_json(), "spend": spend, **reports,
            "provenance": provenance,
        }
    )  # fmt: skip


def document_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every document fulfils."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))
