"""What is in a package of synthetic images: folders in the asked formats, manifest, report, licence, read-me.

Belongs here: gathering the files, for orders and for goods. Does not belong here: packing and encryption (``hub.repository``),
the formats (``records.images.writing``).
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets.images.place import ImagePlace
from records.images.schema import ImageSchema
from records.images.table import INDEX, ImageTable

README = """# {title}

{phantom}{rows} synthetic images. Nobody stands behind any of them: they were drawn from a model that saw {seen} through
noise only (differential privacy, epsilon {epsilon:.3g}, delta {delta:g}, neighbours: {neighbouring}).

| folder | what it is |
|---|---|
{folders}
Each folder holds `about.json` (how the images were made, window, units) and `images.csv` (a line an image: file, labels, clinical
columns, mask). The report tells how far the images may be trusted. The manifest binds them to their making: the sha256 of the images
that were judged is {sha256}. They were not made for diagnosis.
"""
LICENCE = """These synthetic images may be used for the purposes of the permit or agreement under which you got them (Regulation (EU)
2025/327, Articles 53 and 61). You must not try to re-identify anybody, nor use them for what Article 54 prohibits.
Acknowledge the source: {citation}
Terms of the source: {licence}
"""
PHANTOM = "PHANTOM: simulated from published anatomy. No patient was seen, and what is measured says nothing about patients.\n\n"
WORDS = {
    "dicom": "DICOM, one file an image, masks as DICOM Segmentation (application/dicom)",
    "nifti": "NIfTI-1 with JSON beside each image",
    "png": "PNG of 16 bits (image/png)",
}


def title_of(place: ImagePlace) -> str:
    """The title under which images leave the house; simulated ones say so."""
    words = f"Synthetic images: {place.cohort.image.title}"
    return f"{words} (simulated, no patients)" if place.cohort.image.phantom else words


def written_files(
    place: ImagePlace, table: ImageTable, manifest: Mapping[str, Any], formats: Sequence[str], columns: Sequence[str] = ()
) -> dict[str, bytes]:  # fmt: skip
    """The images as files by name, in each asked format; ``columns`` limits what stands beside them (labels always do)."""
    from records.images.writing import Format, write_folder

    schema = chosen_schema(place.schema, columns)
    kept = replace(table, rows=table.rows.select(*INDEX, *schema.table.names))
    made: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="images") as place_:
        for form in (Format(one) for one in dict.fromkeys(formats)):
            write_folder(Path(place_) / form.value, kept, schema, made_by(manifest), form=form)
        return made | files_below(Path(place_))


def made_by(manifest: Mapping[str, Any]) -> Any:
    """Who made the images, as each format states it."""
    from importlib.metadata import version

    from records.images.writing import MadeBy

    params, spend = manifest["params"], manifest["spend"]
    return MadeBy(
        f"PHASE IV AI {params['family']}", version("phaseiv"), manifest["mlflow_run"],
        epsilon=spend["epsilon"], delta=spend["delta"] if spend["epsilon"] is not None else None,
    )  # fmt: skip


def files_below(folder: Path) -> dict[str, bytes]:
    """All files of a folder by their relative names."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def papers(
    place: ImagePlace, manifest: Mapping[str, Any], formats: Sequence[str], page: str, summary: Mapping[str, Any]
) -> dict[str, bytes]:  # fmt: skip
    """Everything beside the images."""
    spend, source = manifest["spend"], place.cohort.source
    phantom = place.cohort.image.phantom
    readme = README.format(
        title=title_of(place), phantom=PHANTOM if phantom else "", seen="the simulated patients" if phantom else "the patients",
        rows=manifest["rows"], epsilon=spend["epsilon"], delta=spend["delta"], neighbouring=spend["neighbouring"],
        folders="".join(f"| {name} | {WORDS[name]} |\n" for name in formats), sha256=manifest["candidate_sha256"],
    )  # fmt: skip
    return {
        "manifest.json": json.dumps(manifest, indent=1).encode(), "README.md": readme.encode(),
        "LICENCE": LICENCE.format(citation=source.citation, licence=source.licence).encode(),
        "report.html": page.encode(), "evaluation.json": json.dumps(summary, indent=1).encode(),
    }  # fmt: skip


def chosen_schema(schema: ImageSchema, columns: Sequence[str]) -> ImageSchema:
    """The schema with its labels and the asked columns only; none asked for is all."""
    if not columns:
        return schema
    wanted = [name for name in schema.table.names if name in {*schema.labels, *columns}]
    return schema.model_copy(update={"table": schema.table.select(wanted)})
