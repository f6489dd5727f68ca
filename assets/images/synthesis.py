"""The synthetic images: debit, fit, sample, track.

Belongs here: one private question to the training patients' images. Does not belong here: judging them
(``evaluation``).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

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
    model = _fitted(place, config, real, context.run.run_id)
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

    Images are drawn once: other numbers of them, and other seeds, are other questions and cost again.
    """
    asked = [version, place.schema.model_dump_json(), place.use_case.delta, *config.model_dump().values()]
    return place.workspace.home / "measurements" / f"{sha256(json.dumps(asked).encode())}.npz"


def _fitted(place: ImagePlace, config: ImageSynthesisConfig, real: ImageFile, run_id: str) -> "ImageSynthesizer":
    """The fitted synthesizer; a private question is debited before anything is measured.

    Raises
    ------
    BudgetError
        The cohort's budget does not hold the question; nothing was measured.
    """
    from deidentification.images import images_to_hand_out, split_images
    from hub.budget import BudgetLedger
    from models.images.registry import build, chosen
    from records.accounting import epsilon_to_rho

    use_case, schema = place.use_case, place.schema
    model = build(chosen(config.synthesizer, schema), delta=use_case.delta)
    if config.epsilon is None:
        train, _ = split_images(images_to_hand_out(real.table), place.cohort.image)
        return model.fit(train, schema, budget=None, rng=np.random.default_rng(config.seed))
    train, _ = split_images(real.table, place.cohort.image)
    rho = epsilon_to_rho(config.epsilon, use_case.delta)
    BudgetLedger(place.workspace.ledger_url).debit(
        schema.name, rho=rho, total_rho=use_case.budget_rho, epsilon=config.epsilon, delta=use_case.delta,
        question=f"images: {config.synthesizer}", account="release", run_id=run_id,
    )  # fmt: skip
    return model.fit(train, schema, budget=rho, rng=np.random.default_rng())


def _tracked(
    context: dg.AssetExecutionContext, place: ImagePlace, config: ImageSynthesisConfig, model: "ImageSynthesizer",
    table: ImageTable, version: str,
) -> dict[str, Any]:  # fmt: skip
    """The candidate's manifest, after its run went to MLflow."""
    from assets.tracking import Tracking
    from models.images.registry import chosen

    sha, spend = sha256(image_bytes(table)), model.privacy_.to_json()
    params = {
        "synthesizer": config.synthesizer, "family": chosen(config.synthesizer, place.schema), "epsilon": config.epsilon,
        "delta": place.use_case.delta, "seed": config.seed, "neighbouring": model.privacy_.neighbouring,
        "cohort": place.cohort.name, "phantom": place.cohort.image.phantom, "data_version": version,
        "code_commit": code_commit(),
    }  # fmt: skip
    run = Tracking(place.workspace).record(
        place.use_case.key, f"image synthesis {config.synthesizer}", params=params,
        metrics={"images": len(table), "rho": model.privacy_.rho, "epsilon_spent": model.privacy_.epsilon},
        tags={"dagster_run_id": context.run.run_id, "candidate_sha256": sha},
        files={"spend.json": json.dumps(spend, indent=1).encode()},
    )  # fmt: skip
    return {"candidate_sha256": sha, "mlflow_run": run, "spend": spend, "params": params, "rows": len(table)}


def _shown(manifest: dict[str, Any], table: ImageTable) -> dict[str, Any]:
    return {
        "dagster/row_count": len(table), "mlflow_run_id": manifest["mlflow_run"], "phantom": table.phantom,
        "candidate_sha256": manifest["candidate_sha256"], "epsilon": str(manifest["params"]["epsilon"]),
    }  # fmt: skip
