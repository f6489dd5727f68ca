"""What of a release's report may leave, kept beside the release: later runs, also refused ones, have others.

Belongs here: writing and reading it, for tables and images alike. Does not belong here: what may leave (``metrics``).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from records.errors import StorageError
from records.files import write_atomically

SUMMARY, PAGE = "evaluation.json", "report.html"


def put_beside(folder: Path, summary: Mapping[str, Any], page: str) -> None:
    """Keep summary and page with the release that they judged; the summary comes last."""
    write_atomically(folder / PAGE, page.encode())
    write_atomically(folder / SUMMARY, json.dumps(summary, indent=1).encode())


def beside(folder: Path) -> tuple[dict[str, Any], str]:
    """Summary and page of a release.

    Raises
    ------
    StorageError
        It has none.
    """
    try:
        return json.loads((folder / SUMMARY).read_bytes()), (folder / PAGE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StorageError(
            "a release must have its report beside it, got none; ask the same question again, which costs nothing"
        ) from error


def figures_of(summary: Mapping[str, Any]) -> dict[str, float]:
    """The figures by their label, and the accuracy that the market compares by."""
    accuracy = summary["tstr_auc"]
    return {f["label"]: f["value"] for f in summary["figures"]} | ({} if accuracy is None else {"tstr_auc": accuracy})
