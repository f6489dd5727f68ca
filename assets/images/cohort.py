"""Raw and de-identified images of one hospital.

Belongs here: the two assets that stay at the hospital. Does not belong here: what is learnt from them.
"""

from datetime import date

import dagster as dg

from assets.images.place import ImagePlace
from records.images.schema import ImageSchema
from records.images.storage import ImageFile
from records.images.table import ImageTable


class ImageCohortConfig(dg.Config):
    """How many patients and slices of each are simulated; loaded cohorts ignore it."""

    patients: int = 2500
    slices: int = 1
    seed: int = 0


def image_cohort_assets(place: ImagePlace) -> list[dg.AssetsDefinition]:
    """The assets ``raw_cohort`` and ``deidentified`` of an image cohort."""
    title, k = place.cohort.image.title, place.use_case.k

    @dg.asset(**place.stored("images", "numpy"), description=place.described(f"{title}, by its codebook."))
    def raw_cohort(context: dg.AssetExecutionContext, config: ImageCohortConfig) -> ImageTable:
        table = _simulated(place.cohort.image, config) if place.folder is None else _loaded(context, place)
        _describe(context, table)
        return table

    @dg.asset(
        **place.stored("images", "numpy"),
        description=place.described(
            f"Coarse clinical columns, patients below k = {k} flagged, whole patients held out."
        ),
    )
    def deidentified(context: dg.AssetExecutionContext, raw_cohort: ImageFile) -> ImageTable:
        from deidentification.images import deidentify_images

        made = deidentify_images(raw_cohort.table, place.cohort.image, k=k)
        _describe(context, made.table, k=k, **made.counts.to_json())
        return made.table

    return [raw_cohort, deidentified]  # type: ignore[return-value]


def _simulated(schema: ImageSchema, config: ImageCohortConfig) -> ImageTable:
    import numpy as np

    from models.phantoms import PHANTOMS

    rng = np.random.default_rng(config.seed)
    return PHANTOMS[schema.name](config.patients, slices=config.slices, size=schema.size, rng=rng)


def _loaded(context: dg.AssetExecutionContext, place: ImagePlace) -> ImageTable:
    """The folder's images; each refused series is a line of the run's log, by pseudonym."""
    from deidentification.kept_keys import HospitalKeys
    from deidentification.opt_out import OptOuts
    from deidentification.pseudonyms import key_from_text
    from use_cases.images import load_images

    workspace, today = place.workspace, date.today()
    keys = HospitalKeys.of(workspace.home, workspace.pseudonym_key, today=today)
    hub_key = key_from_text(workspace.opt_out_key) if workspace.opt_out_key else None
    register, key = workspace.opted_out, keys.current
    choices = OptOuts(register, today, key, hub_key, keys.former) if register.exists() else None
    assert place.folder is not None
    loaded = load_images(place.cohort, place.folder, key=key, opted_out=choices.of if choices else None)
    for refusal in loaded.report.refused:
        context.log.warning(str(refusal.problem()))
    report = loaded.report.to_json()
    context.add_output_metadata(
        {
            "refused": len(report.pop("refused")),
            "empty_levels": ", ".join(report.pop("empty_levels")) or "none",
            **report,
        }
    )
    return loaded.table


def _describe(context: dg.AssetExecutionContext, table: ImageTable, **facts: int) -> None:
    shape = f"{table.size[0]} x {table.size[1]}"
    shown = {"dagster/row_count": len(table), "patients": len(table.patients), "size": shape, "phantom": table.phantom}
    context.add_output_metadata({**shown, **facts})
