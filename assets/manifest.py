"""The candidate's manifest: how a synthetic table was made, bound to its sha256.

Belongs here: reading and writing that record, and the real tables it is judged against. Does not belong here: the
judgement (``metrics.gate``).
"""

import json
from typing import Any

import polars as pl

from assets.workspace import Workspace
from records.errors import StorageError
from records.files import TableFile, sha256, write_atomically
from records.schema import Column, Kind, Role
from use_cases.cohort import Cohort

HOSPITAL = "hospital_of_patient"


def data_version(parts: dict[str, TableFile]) -> str:
    """One sha256 for all hospitals' tables."""
    return sha256("".join(f"{name}:{part.sha256};" for name, part in sorted(parts.items())).encode())


def pooled(parts: dict[str, TableFile]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training and held-out patients of all hospitals; only the former may reach a synthesizer."""
    table = pl.concat([part.frame for _, part in sorted(parts.items())])
    return table.filter(~pl.col("holdout")), table.filter("holdout")


def with_hospital(parts: dict[str, TableFile], cohort: Cohort) -> tuple[pl.DataFrame, pl.DataFrame, Column | None]:
    """As ``pooled``, with each patient's hospital in a column of its own, and that column; ``None`` for one hospital."""
    if len(cohort.site_names) < 2:
        return *pooled(parts), None
    label = "Hospital" if cohort.sites.column else "Hospital (simulated split)"
    levels = {name: name for name in cohort.site_names}
    column = Column(name=HOSPITAL, label=label, role=Role.SITE, kind=Kind.CATEGORY, levels=levels)
    named = {
        name: TableFile(part.frame.with_columns(pl.lit(name, dtype=column.dtype).alias(HOSPITAL)), part.sha256)
        for name, part in parts.items()
    }
    return *pooled(named), column


def write_manifest(workspace: Workspace, use_case: str, manifest: dict[str, Any]) -> None:
    """Store the manifest of the newest candidate."""
    data = json.dumps(manifest, indent=1, sort_keys=True).encode()
    write_atomically(workspace.report([use_case, "synthetic"]), data)


def read_manifest(workspace: Workspace, use_case: str, candidate: TableFile) -> dict[str, Any]:
    """The manifest of a table; raises as ``manifest_of``."""
    return manifest_of(workspace, use_case, candidate.sha256)


def manifest_of(workspace: Workspace, name: str, candidate_sha256: str) -> dict[str, Any]:
    """The manifest of the candidate with that sha256; ``name`` is a use case, or the prefix of its images.

    Raises
    ------
    StorageError
        There is none, or it belongs to another candidate.
    """
    path = workspace.report([name, "synthetic"])
    manifest = json.loads(path.read_bytes()) if path.exists() else {}
    if manifest.get("candidate_sha256") != candidate_sha256:
        raise StorageError(
            f"the manifest of {name}/synthetic must belong to the stored candidate, got another's; "
            "materialise synthetic again"
        )
    return manifest
