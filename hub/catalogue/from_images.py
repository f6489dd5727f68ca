"""Making a record of an image cohort from what is publicly known: its codebook, its source, its released synthetic images.

Belongs here: filling in a description of images. Does not belong here: measuring, drawing. Nothing of it is computed from images of
patients. What was simulated says so in title, description, keywords and type, so that no reader of any field takes it for real.

References
----------
RFC 3240: application/dicom. W3C: image/png. NIfTI has no registered media type and is told by EDAM's term.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.catalogue.from_evaluation import variable_of
from hub.catalogue.record import Agent, DatasetRecord, Distribution, Label, Sample
from hub.catalogue.vocabulary import REGULATION, THEME_HEALTH
from records.images.schema import ImageSchema, Modality, PrivacyUnit

MODALITIES = {Modality.CT: "computed tomography", Modality.MR: "magnetic resonance", Modality.DX: "digital radiography"}
MEDIA = {"dicom": "application/dicom", "nifti": None, "png": "image/png"}
SIMULATED = "PHANTOM: simulated from published anatomy, no patients. For trying out the way to such data; it tells nothing about people."
CATEGORY = "a"  # electronic health data from EHRs, to which images and their reports belong


def record_of_images(
    schema: ImageSchema, *, title: str, formats: Sequence[str], identifier: str, citation: str, licence: str, publisher: Agent, access_body: Agent,
    hub_url: str, dataset_id: str, keywords: list[str], images: int, spend: Mapping[str, Any],
    figures: Mapping[str, float], sample: Sample | None = None, plots: Mapping[str, str] | None = None,
) -> DatasetRecord:  # fmt: skip
    """The record of an image cohort with a release.

    Parameters
    ----------
    schema : ImageSchema
        Of what may be released.
    formats : sequence of str
        That can hold the images: dicom, nifti, png.
    images : int
        In the latest release.
    spend, figures : mapping
        Privacy of the release, and its rounded figures.
    plots : mapping
        Caption to PNG in base64, of synthetic images only.
    """
    size = f"{schema.size[0]} x {schema.size[1]} pixels"
    made = f"{MODALITIES[schema.modality].capitalize()} of the {schema.body_part.value}, {size}, labelled by {schema.label.label.lower()}"
    masks = (
        ", with masks of " + ", ".join(words for value, words in schema.mask.items() if value) if schema.mask else ""
    )
    unit = "image" if schema.privacy_unit is PrivacyUnit.IMAGE else "patient"
    words = [SIMULATED] if schema.phantom else []
    words += [
        f"{made}{masks}. Synthetic images can be ordered as {', '.join(formats)}; the privacy unit is one {unit}."
    ]
    kinds = ["SYNTHETIC_DATA", "TEST_DATA"] if schema.phantom else ["PERSONAL_DATA"]
    return DatasetRecord(
        title=title, description=" ".join(words), identifier=identifier, applicable_legislation=[REGULATION],  # type: ignore[list-item]
        keywords=[*keywords, "medical images", MODALITIES[schema.modality], schema.body_part.value, *(["phantom", "simulated"] if schema.phantom else [])],
        themes=[THEME_HEALTH], types=kinds, health_categories=[CATEGORY], provenance=citation, contact=publisher,  # type: ignore[arg-type]
        publisher=publisher, access_body=access_body, modality=schema.modality,
        distributions=[_form(name, hub_url, dataset_id) for name in formats],
        variables=[variable_of(column) for column in schema.table.columns], records=images,
        citation=citation, licence=licence, simulated=SIMULATED if schema.phantom else None,
        label=_label(schema, citation, spend, figures), sample=sample, plots=dict(plots or {}),
    )  # fmt: skip


def _form(name: str, hub_url: str, dataset_id: str) -> Distribution:
    return Distribution(
        title=f"Ask for synthetic images as {name.upper()}", access_url=f"{hub_url}/catalogue/{dataset_id}/request",  # type: ignore[arg-type]
        format=name.upper(), media_type=MEDIA[name], zipped=True,
    )  # fmt: skip


def _label(schema: ImageSchema, citation: str, spend: Mapping[str, Any], figures: Mapping[str, float]) -> Label:
    """The label of Article 78(3); what nobody has measured is left out rather than guessed."""
    window = f"{schema.window[0]:g} to {schema.window[1]:g} {schema.unit.value}"
    measured = {name: f"{value:.2f}" for name, value in figures.items()}
    if spend.get("epsilon") is not None:
        measured["privacy of the release"] = f"epsilon {spend['epsilon']:.3g}, delta {spend['delta']:g}"
    return Label(
        documentation={"images": f"{schema.modality.value}, {schema.body_part.value}, {window}", "source": citation},
        technical_quality={"validity": "every image is checked against the codebook when it is loaded"} | measured,
        management={"process": "automatic checks in each run, with lineage from release to raw images"},
        access={"time to provide": "synthetic images after the run of an order that a standing offer covers"},
        modifications={"de-identification": "pseudonyms, coarse columns, window and grid of the codebook"},
    )
