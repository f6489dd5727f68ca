"""Verification without the hub: ``python -m hub.audit.offline export.json --public-key HEX [--head kept.json]``.

Belongs here: the command and the form of an export. Does not belong here: the check (``verify``). Needs no store, no key
of the hub and no network.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.audit.head import Head, public_key_of
from hub.audit.verify import Fields, Verdict, verify
from records.errors import ParameterError, PhaseIVError

FORMAT = "phaseiv-audit-export-v1"


def verify_export(document: Any, public_key: str, kept: Sequence[Head] = ()) -> Verdict:
    """Verify an export; its own public key is never believed.

    Raises
    ------
    ParameterError
        The document is no export.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ParameterError(f"an export must have the format {FORMAT}, got another file; export the log again")
    heads = [Head.read(json.dumps(head)) for head in document["heads"]]
    return verify(_entries(document["entries"]), [*heads, *kept], public_key_of(public_key))


def told(verdict: Verdict) -> str:
    """A verdict in words."""
    if verdict.intact:
        return f"INTACT: {verdict.size} entries, {verdict.heads} signed heads\nroot {verdict.root}"
    place = ""
    if verdict.first_wrong is not None:
        more = f" to {verdict.last_wrong}" if verdict.last_wrong != verdict.first_wrong else ""
        place = f"\nfirst wrong entry: {verdict.first_wrong}{more}"
    return f"NOT INTACT: {verdict.reason}{place}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if the log is whole, 1 if not, 2 if the files cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m hub.audit.offline", description="Verify an exported audit log.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--public-key", required=True, help="of the hub, in hexadecimal, kept apart from it")
    parser.add_argument("--head", type=Path, action="append", default=[], help="a head that was kept; may be repeated")
    asked = parser.parse_args(arguments)
    try:
        kept = [Head.read(path.read_bytes()) for path in asked.head]
        verdict = verify_export(json.loads(asked.export.read_bytes()), asked.public_key, kept)
    except (PhaseIVError, OSError, ValueError, KeyError, TypeError) as error:
        print(f"the files cannot be read: {error}", file=sys.stderr)
        return 2
    print(told(verdict))
    return 0 if verdict.intact else 1


def _entries(listed: Iterable[Any]) -> Iterable[Fields]:
    for entry in listed:
        try:
            yield {**entry, "at": datetime.fromisoformat(entry["at"])}
        except (ValueError, TypeError):
            yield entry  # its digest will not fit


if __name__ == "__main__":
    raise SystemExit(main())
