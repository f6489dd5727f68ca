"""The decision-support study: what a classifier gains or loses by synthetic images, by number of real patients.

Belongs here: running the study and its plot. Does not belong here: the learning curves
(``metrics.images.decision_support``). Its figures are exact, of real patients: research, not part of a release.
"""

import base64

import dagster as dg

from assets.images.place import ImagePlace
from assets.manifest import manifest_of
from records.files import write_atomically
from records.images.storage import ImageFile


class StudyConfig(dg.Config):
    """Numbers of real patients (all are added), and seeds of each."""

    sizes: list[int] = [50, 100, 200, 500]  # noqa: RUF012, pydantic copies it
    seeds: int = 3


def decision_support_asset(place: ImagePlace) -> dg.AssetsDefinition:
    """The asset ``decision_support`` of an image cohort."""

    @dg.asset(
        **place.stored("reports", "torch", "mlflow"),
        description=place.described(
            "AUC of a classifier trained on real, synthetic and both, from 50 patients to all."
        ),
    )
    def decision_support(
        context: dg.AssetExecutionContext, config: StudyConfig, synthetic: ImageFile, deidentified: ImageFile
    ) -> dict:
        from assets.tracking import Tracking
        from deidentification.images import split_images
        from metrics.images import decision_support as study
        from metrics.images.plots import decision_support_plot

        manifest = manifest_of(place.workspace, place.name, synthetic.sha256)
        train, holdout = split_images(deidentified.table, place.cohort.image)
        found = study.decision_support(
            train, synthetic.table, holdout, place.schema, sizes=config.sizes, seeds=range(config.seeds)
        )
        picture = decision_support_plot(found)
        write_atomically(place.page.with_name(f"{place.group}_study.png"), picture)
        run = Tracking(place.workspace).record(
            place.use_case.key, "decision support study", params={"sizes": config.sizes, "seeds": config.seeds},
            metrics={f"{row['source']}.auc_{row['patients']}_patients": row["auc"]["value"] for row in found["rows"]},
            tags={"dagster_run_id": context.run.run_id, "candidate_sha256": synthetic.sha256},
            files={"decision_support.png": picture}, parent=manifest["mlflow_run"],
        )  # fmt: skip
        shown = dg.MetadataValue.md(f"![study](data:image/png;base64,{base64.b64encode(picture).decode()})")
        context.add_output_metadata({"mlflow_run_id": run, "phantom": found["phantom"], "curves": shown})
        return found

    return decision_support  # type: ignore[return-value]
