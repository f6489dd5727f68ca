"""The release of synthetic images: the only image asset that publishes, and only what the gate lets pass.

Belongs here: enforcing the verdict and writing each format. Does not belong here: forming the verdict
(``metrics.images.gate``) or the formats (``records.images.writing``).
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from assets.images.leaving import leaving
from assets.images.order_package import made_by
from assets.images.place import ImagePlace
from assets.images.verdict import verdict_on
from assets.manifest import manifest_of
from assets.released_report import SUMMARY, put_beside
from records.files import write_atomically
from records.images.storage import ImageFile, write_images


def image_release_asset(place: ImagePlace) -> dg.AssetsDefinition:
    """The asset ``release`` of an image cohort."""

    @dg.asset(
        **place.stored(None, "dicom", "nifti", "png"),
        description=place.described(
            "The released synthetic images (DICOM, NIfTI, PNG: what can hold them), if the gate lets them pass."
        ),
    )
    def release(context: dg.AssetExecutionContext, synthetic: ImageFile, image_report: dict) -> dg.MaterializeResult:
        manifest = manifest_of(place.workspace, place.name, synthetic.sha256)
        verdict = verdict_on(place, manifest, synthetic, image_report)
        if not verdict.released:
            raise dg.Failure("Release refused: " + "; ".join(verdict.reasons), allow_retries=False)
        folder = place.workspace.release(place.name, place.cohort.name) / synthetic.sha256[:16]
        if not (folder / SUMMARY).exists():
            put_beside(folder, *leaving(place, synthetic.table, manifest, image_report, verdict))
        # The manifest is written last, so a folder that has one is whole and stays as it was published.
        if not (folder / "manifest.json").exists():
            _write(folder, place, synthetic, manifest)
            write_atomically(folder / "manifest.json", json.dumps(manifest | verdict.to_json(), indent=1).encode())
        write_atomically(folder.parent / "latest", f"{folder.name}\n".encode())
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.path(str(folder)), "dagster/row_count": manifest["rows"],
                "mlflow_run_id": manifest["mlflow_run"], "phantom": synthetic.table.phantom,
            }
        )  # fmt: skip

    return release  # type: ignore[return-value]


def _write(folder: Path, place: ImagePlace, synthetic: ImageFile, manifest: dict[str, Any]) -> None:
    from records.images.writing import formats_of, write_folder

    for form in formats_of(place.schema):
        # What a run that was cut off has left is not the release.
        if not (folder / form.value / "about.json").exists():
            write_folder(folder / form.value, synthetic.table, place.schema, made_by(manifest), form=form)
    write_images(folder / "synthetic.npz", synthetic.table)
