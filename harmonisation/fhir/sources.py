"""The resources in files: bundles, single resources and NDJSON.

Belongs here: bytes to resources with their place. Does not belong here: what a resource means (``reading``), or whether
it is right FHIR (``validity``).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harmonisation.fhir.problems import Problems
from records.errors import StorageError

ENDINGS = (".json", ".ndjson")


@dataclass(frozen=True)
class Entry:
    """A resource, ``<file>: <JSON path>`` where it stands, and its ``fullUrl`` if it stands in a bundle."""

    resource: dict[str, Any]
    where: str
    url: str | None = None


def entries(source: Path, problems: Problems) -> Iterator[Entry]:
    """All resources of a file, or of the files of a folder in order of name.

    Raises
    ------
    StorageError
        There is no such file or folder, or it holds no FHIR file.
    """
    files = sorted(p for p in source.rglob("*") if p.suffix in ENDINGS) if source.is_dir() else [source]
    if not files or not files[0].is_file():
        raise StorageError(f"{source.name} must hold files that end in {', '.join(ENDINGS)}, got none; name another")
    for file in files:
        yield from _lines(file, problems) if file.suffix == ".ndjson" else _document(file, problems)


def _lines(file: Path, problems: Problems) -> Iterator[Entry]:
    with file.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.strip():
                yield from _resource(line, f"{file.name}: line {number}", problems)


def _document(file: Path, problems: Problems) -> Iterator[Entry]:
    for entry in _resource(file.read_bytes(), f"{file.name}: $", problems):
        if entry.resource["resourceType"] == "Bundle":
            yield from _bundle(entry.resource, file.name, problems)
        else:
            yield entry


def _bundle(bundle: dict[str, Any], file: str, problems: Problems) -> Iterator[Entry]:
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        problems.add(f"{file}: $.entry", "be a list", "something else", "export the bundle again")
        return
    for number, entry in enumerate(listed):
        where = f"{file}: $.entry[{number}]"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if resource is None or not _is_resource(resource):
            problems.add(where, "hold a resource", "none", "export the bundle again")
        else:
            url = entry.get("fullUrl")
            yield Entry(resource, f"{where}.resource", url if isinstance(url, str) else None)


def _resource(data: bytes, where: str, problems: Problems) -> Iterator[Entry]:
    try:
        resource = json.loads(data)
    except (ValueError, RecursionError):
        problems.add(where, "be JSON in UTF-8", "something else", "export the file again, it may be cut off")
        return
    if _is_resource(resource):
        yield Entry(resource, where)
    else:
        problems.add(where, "be a resource", "no resourceType", "export FHIR R4 as JSON")


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)
