"""The synthetic images: debit, fit, sample, track.

Belongs here: one private question to the training patients' images. Does not belong here: judging them
(``evaluation``).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

from assets.images.learning import learnt
from assets.images.place import ImagePlace
from assets.manifest import write_manifest
from assets.synthesis import code_commit
from records.files import sha256, write_atomically
from records.images.storage import ImageFile, image_bytes, read_images, write_images
from records.images.table import ImageTable

if TYPE_CHECKING:
    from records.protocols import ImageSynthesizer


class ImageSynthesisConfig(dg.Config):
    """``epsilon`` null asks for no differential privacy; the gate then refuses the candidate.

    ``images`` is how many are drawn, by default as many as were learnt from (their noisy number).
    """

    synthesizer: str = "auto"
    epsilon: float | None = 10.0
    images: int | None = None
    seed: int = 0


def synthetic_images_asset(place: ImagePlace) -> dg.AssetsDefinition:
    """The asset ``synthetic`` of an image cohort."""

    @dg.asset(
        **place.stored("images", "numpy", "mlflow"),
        description=place.described(
            "Synthetic images, masks and clinical columns, learnt from training patients only."
        ),
    )
    def synthetic(
        context: dg.AssetExecutionContext, config: ImageSynthesisConfig, deidentified: ImageFile
    ) -> ImageTable:  # fmt: skip
        table, manifest = _answered(context, place, config, deidentified)
        write_manifest(place.workspace, place.name, manifest)
        context.add_output_metadata(_shown(manifest, table))
        return table

    return synthetic  # type: ignore[return-value]


def _answered(
    context: dg.AssetExecutionContext, place: ImagePlace, config: ImageSynthesisConfig, real: ImageFile
) -> tuple[ImageTable, dict[str, Any]]:  # fmt: skip
    """The images and their manifest; a private question asked again has its stored answer and costs nothing."""
    answer = _answer_file(place, config, real.sha256)
    if config.epsilon is not None and answer.exists():
        return read_images(answer).table, json.loads(answer.with_suffix(".json").read_bytes())
    model = learnt(place, config.synthesizer, config.epsilon, real, run_id=context.run.run_id, seed=config.seed)
    table = model.sample(config.images, rng=np.random.default_rng(config.seed))
    if warning := getattr(model, "warning_", None):
        context.log.warning(warning)
    manifest = _tracked(context, place, config, model, table, real.sha256)
    if config.epsilon is not None:
        write_atomically(answer.with_suffix(".json"), json.dumps(manifest).encode())
        write_images(answer, table)
    return table, manifest


def _answer_file(place: ImagePlace, config: ImageSynthesisConfig, version: str) -> Path:
    """Where the images of this question are kept.

    Images are drawn once. Other numbers of them and other seeds come from the same model, which is paid for once (``learning``).
    """
    from models.images.registry import chosen

    family = chosen(config.synthesizer, place.schema)  # what auto stands for may change
    values = (config.model_dump() | {"synthesizer": family}).values()
    asked = [version, place.schema.model_dump_json(), place.use_case.delta, *values]
    return place.workspace.home / "measurements" / f"{sha256(json.dumps(asked).encode())}.npz"


def described(
    place: ImagePlace, synthesizer: str, epsilon: float | None, model: "ImageSynthesizer", candidate: ImageFile, version: str
) -> dict[str, Any]:  # fmt: skip
    """The manifest of images that were drawn from a model, but for their run in MLflow."""
    from models.images.registry import chosen

    params = {
        "synthesizer": synthesizer, "family": chosen(synthesizer, place.schema), "epsilon": epsilon,
        "delta": place.use_case.delta, "neighbouring": model.privacy_.neighbouring, "cohort": place.cohort.name,
        "phantom": place.cohort.image.phantom, "data_version": version, "code_commit": code_commit(),
    }  # fmt: skip
    return {
        "candidate_sha256": candidate.sha256, "spend": model.privacy_.to_json(), "params": params, "rows": len(candidate.table)
    }  # fmt: skip


def _tracked(
    context: dg.AssetExecutionContext, place: ImagePlace, config: ImageSynthesisConfig, model: "ImageSynthesizer",
    table: ImageTable, version: str,
) -> dict[str, Any]:  # fmt: skip
    """The candidate's manifest, after its run went to MLflow."""
    from assets.tracking import Tracking

    candidate = ImageFile(table, sha256(image_bytes(table)))
    made = described(place, config.synthesizer, config.epsilon, model, candidate, version)
    made["params"] |= {"seed": config.seed}
    run = Tracking(place.workspace).record(
        place.use_case.key, f"image synthesis {config.synthesizer}", params=made["params"],
        metrics={"images": len(table), "rho": model.privacy_.rho, "epsilon_spent": model.privacy_.epsilon},
        tags={"dagster_run_id": context.run.run_id, "candidate_sha256": candidate.sha256},
        files={"spend.json": json.dumps(made["spend"], indent=1).encode()},
    )  # fmt: skip
    return made | {"mlflow_run": run}


def _shown(manifest: dict[str, Any], table: ImageTable) -> dict[str, Any]:
    return {
        "dagster/row_count": len(table), "mlflow_run_id": manifest["mlflow_run"], "phantom": table.phantom,
        "candidate_sha256": manifest["candidate_sha256"], "epsilon": str(manifest["params"]["epsilon"]),
    }  # fmt: skip
