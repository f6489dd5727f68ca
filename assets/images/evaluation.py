"""The evaluation of synthetic images.

Belongs here: calling the metrics and attaching their figures. Does not belong here: the metrics themselves.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from assets.images.place import ImagePlace
from assets.manifest import manifest_of
from records.images.storage import ImageFile
from records.images.table import ImageTable

EVALUATION_SEED = 0
SHOWN = (
    ("utility", "tstr_auc"),
    ("utility", "trtr_auc"),
    ("utility", "tstr_loss"),
    ("privacy", "membership", "auc_upper"),
    ("privacy", "copies", "excess"),
    ("fidelity", "features", "synthetic", "frechet_share"),
    ("fidelity", "radiomics", "synthetic", "frechet_share"),
)


class ImageEvaluationConfig(dg.Config):
    """``seeds``: how often each classifier is trained."""

    seeds: int = 2


def image_report_asset(place: ImagePlace) -> dg.AssetsDefinition:
    """The asset ``image_report`` of an image cohort."""

    @dg.asset(
        **place.stored("reports", "torch"),
        description=place.described("Fidelity, utility on held-out patients, copies and membership, beside baselines."),
    )
    def image_report(
        context: dg.AssetExecutionContext, config: ImageEvaluationConfig, synthetic: ImageFile, deidentified: ImageFile
    ) -> dict:
        from assets.tracking import Tracking
        from deidentification.images import split_images
        from metrics.images.evaluation import evaluate_images

        manifest = manifest_of(place.workspace, place.name, synthetic.sha256)
        train, holdout = split_images(deidentified.table, place.cohort.image)
        evaluation = evaluate_images(
            train, holdout, synthetic.table, place.schema, seed=EVALUATION_SEED, baselines=baselines(place, train),
            candidate_sha256=synthetic.sha256, training_seeds=range(config.seeds), tell=context.log.info,
        )  # fmt: skip
        run = Tracking(place.workspace).record(
            place.use_case.key, "image evaluation", params={"candidate_sha256": synthetic.sha256},
            metrics=dict(numbers(evaluation)), tags={"dagster_run_id": context.run.run_id}, parent=manifest["mlflow_run"],
        )  # fmt: skip
        context.add_output_metadata({"mlflow_run_id": run, "candidate_sha256": synthetic.sha256, **_shown(evaluation)})
        return evaluation

    return image_report  # type: ignore[return-value]


def baselines(place: ImagePlace, train: ImageTable) -> dict[str, ImageTable]:
    """As many images as were learnt from, made from the codebook alone and no patient but the labels' exact shares.

    Nothing of them leaves but what a classifier scores that was trained on them.
    """
    import numpy as np

    from models.images.registry import build

    rng = np.random.default_rng(EVALUATION_SEED)
    made = {}
    for name in ("prior", "flat"):
        model = build(name, delta=place.use_case.delta).fit(train, place.schema, budget=None, rng=rng)
        made[name] = model.sample(len(train.patients), rng=rng)
    return made


def at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path, or nothing."""
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _shown(evaluation: dict[str, Any]) -> dict[str, float]:
    """The figures of the run's page."""
    values = {"_".join(path): at(evaluation, path) for path in SHOWN}
    return {name: float(value) for name, value in values.items() if value is not None}


def numbers(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """All finite numbers of the report, by dotted path; lists are left out."""
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from numbers(value, f"{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value)
