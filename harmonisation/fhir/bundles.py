"""Resources as files: one bundle a patient, or one line a resource.

Belongs here: bundles, NDJSON and folders. Does not belong here: what a resource holds (``writing``).

References
----------
HL7 FHIR R4 (4.0.1): Bundle, "Resolving references in Bundles"; FHIR Bulk Data Access 2.0 (NDJSON, a file a resource type).
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import polars as pl

from harmonisation.fhir.writing import Resource, patients
from records.folders import whole_folder
from records.schema import Schema

BundleType = Literal["collection", "transaction"]


def bundles(frame: pl.DataFrame, schema: Schema, *, kind: BundleType, synthetic: bool = False) -> Iterator[Resource]:
    """One bundle for each row; references within it are by ``fullUrl``.

    Parameters
    ----------
    frame : polars.DataFrame, n rows in schema form
    kind : {"collection", "transaction"}
        A transaction asks a server to create each resource; a collection only holds them.
    """
    for resources in patients(frame, schema, synthetic=synthetic):
        urls = {f"{r['resourceType']}/{r['id']}": _url(schema, r) for r in resources}
        made = [{"fullUrl": _url(schema, r), "resource": _linked(r, urls)} for r in resources]
        if kind == "transaction":
            made = [entry | {"request": {"method": "POST", "url": entry["resource"]["resourceType"]}} for entry in made]
        yield {"resourceType": "Bundle", "type": kind, "entry": made}


def write_bundles(
    frame: pl.DataFrame, schema: Schema, folder: Path, *, kind: BundleType = "transaction", synthetic: bool = False
) -> int:
    """Write a bundle a patient into a new folder, whole or not at all; returns how many.

    Raises
    ------
    StorageError
        The folder has files already or cannot be written.
    """
    count = 0
    with whole_folder(folder) as target:
        for count, bundle in enumerate(bundles(frame, schema, kind=kind, synthetic=synthetic), start=1):
            (target / f"bundle-{count:06}.json").write_bytes(_dumped(bundle))
    return count


def ndjson(frame: pl.DataFrame, schema: Schema, *, synthetic: bool = False) -> dict[str, bytes]:
    """``fhir/<resource type>.ndjson`` to its lines, for each type that occurs."""
    lines: dict[str, list[bytes]] = {}
    for resources in patients(frame, schema, synthetic=synthetic):
        for resource in resources:
            lines.setdefault(f"fhir/{resource['resourceType']}.ndjson", []).append(_dumped(resource) + b"\n")
    return {name: b"".join(made) for name, made in lines.items()}


def _url(schema: Schema, resource: Resource) -> str:
    name = f"urn:phaseiv:{schema.name}:{resource['resourceType']}/{resource['id']}"
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


def _linked(resource: Resource, urls: dict[str, str]) -> Resource:
    """The resource with its references by ``fullUrl``."""
    links = {
        name: {"reference": urls[value["reference"]]}
        for name, value in resource.items()
        if isinstance(value, dict) and value.get("reference") in urls
    }
    return resource | links


def _dumped(value: Resource) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
