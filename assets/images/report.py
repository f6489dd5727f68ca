"""The page that shows synthetic images: written for released and refused ones alike.

Belongs here: storing the page and handing it to MLflow. Does not belong here: what it says (``metrics.images.report``).
No real image is drawn on it unless the cohort is a phantom.
"""

import base64
import json

import dagster as dg

from assets.images.place import ImagePlace
from assets.images.verdict import verdict_on
from assets.manifest import manifest_of
from records.files import write_atomically
from records.images.storage import ImageFile


def image_page_asset(place: ImagePlace) -> dg.AssetsDefinition:
    """The asset ``report`` of an image cohort."""

    @dg.asset(
        **place.stored("reports", "html"),
        description=place.described("One self-contained HTML page: verdict, picture grids, plots, provenance."),
    )
    def report(
        context: dg.AssetExecutionContext, synthetic: ImageFile, deidentified: ImageFile, image_report: dict
    ) -> dict:  # fmt: skip
        from assets.tracking import Tracking
        from deidentification.images import split_images
        from metrics.images.gate import ImageLimits
        from metrics.images.report import ImageReport, render_image_report, report_plots

        manifest = manifest_of(place.workspace, place.name, synthetic.sha256)
        verdict = verdict_on(place, manifest, synthetic, image_report)
        shown = split_images(deidentified.table, place.cohort.image)[0] if place.cohort.image.phantom else None
        limits = ImageLimits.model_validate(dict(place.use_case.image_limits))
        plots = report_plots(image_report, synthetic.table, place.schema, train=shown, limits=limits)
        page = render_image_report(
            ImageReport(
                title=f"{place.use_case.title}: synthetic images", use_case=place.use_case.title,
                citation=place.cohort.source.citation, licence=place.cohort.source.licence, evaluation=image_report,
                spend=manifest["spend"], verdict=verdict, plots=plots,
                provenance={key: str(value) for key, value in manifest["params"].items()},
            )
        ).encode()  # fmt: skip
        write_atomically(place.page, page)
        files = {"report.html": page, "evaluation.json": json.dumps(image_report, indent=1).encode()}
        Tracking(place.workspace).attach(manifest["mlflow_run"], files)
        grid = dg.MetadataValue.md(f"![pictures](data:image/png;base64,{base64.b64encode(plots['pictures']).decode()})")
        context.add_output_metadata(
            {"report": dg.MetadataValue.path(str(place.page)), "released": verdict.released, "pictures": grid}
        )
        return {
            "use_case": place.name, "released": verdict.released, "reasons": verdict.reasons,
            "epsilon": manifest["params"]["epsilon"], "candidate_sha256": synthetic.sha256,
        }  # fmt: skip

    return report  # type: ignore[return-value]
