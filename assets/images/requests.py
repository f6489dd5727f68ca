"""Synthetic images on demand: one partition for each order of the hub.

Belongs here: working off one order of images: learn, draw, measure, judge, hand over. Does not belong here: an order's life, which
images share with tables (``assets.requests``), or what is in the package (``order_package``).
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

from assets.images.evaluation import EVALUATION_SEED, ImageEvaluationConfig, baselines, numbers
from assets.images.io import image_path
from assets.images.learning import learnt
from assets.images.place import ImagePlace
from assets.images.synthesis import described
from assets.images.verdict import verdict_on
from assets.requests import ORDERS, Desk, OpenHub, must_have_columns, worked_off
from records.files import sha256
from records.images.storage import ImageFile, image_bytes, read_images

if TYPE_CHECKING:
    from hub.delivery.tables import Order


def requested_images_asset(place: ImagePlace, open_hub: OpenHub) -> dg.AssetsDefinition:
    """The asset ``requested`` of an image cohort, partitioned by order."""

    @dg.asset(
        **place.stored(None, "dicom", "nifti", "png"), partitions_def=ORDERS,
        deps=[dg.AssetKey([*place.prefix, "deidentified"])],
        description=place.described("Synthetic images made for one request of the hub, if the gate lets them pass."),
    )  # fmt: skip
    def requested(context: dg.AssetExecutionContext, config: ImageEvaluationConfig) -> dg.MaterializeResult:
        desk = Desk(open_hub(), context.partition_key, context.run.run_id)

        def deliver(order: "Order") -> dict[str, Any]:
            _must_be_made(order, place)
            candidate, manifest, evaluation = _made(order, desk, place, config.seeds)
            artefact = _delivered(order, desk, place, (candidate, manifest, evaluation))
            facts = {"candidate_sha256": candidate.sha256, "mlflow_run_id": manifest["mlflow_run"]}
            return {"artefact": artefact, "images": order.rows, "phantom": candidate.table.phantom, **facts}

        return worked_off(desk, place.cohort.name, deliver)

    return requested  # type: ignore[return-value]


def _must_be_made(order: "Order", place: ImagePlace) -> None:
    """Refuse before anything is paid for: a projection of unknown scale has no NIfTI."""
    from records.errors import ParameterError

    if not set(order.formats) <= set(place.formats):
        raise ParameterError(f"formats must be among {', '.join(place.formats)}, got others; ask for these")
    must_have_columns(order, place.schema.table.names)


def _made(
    order: "Order", desk: Desk, place: ImagePlace, seeds: int
) -> tuple[ImageFile, dict[str, Any], dict[str, Any]]:
    """The candidate, its manifest and its evaluation."""
    from assets.tracking import Tracking
    from deidentification.images import split_images
    from metrics.images.evaluation import evaluate_images

    real = read_images(image_path(place.workspace, [*place.prefix, "deidentified"]))
    model = learnt(place, order.synthesizer, order.epsilon, real, run_id=desk.run_id)
    # Two orders get different images of the same noisy answers: drawing costs no privacy.
    table = model.sample(order.rows, rng=np.random.default_rng())
    candidate = ImageFile(table, sha256(image_bytes(table)))
    desk.tell("measuring")
    train, holdout = split_images(real.table, place.cohort.image)
    evaluation = evaluate_images(
        train, holdout, table, place.schema, seed=EVALUATION_SEED, baselines=baselines(place, train),
        candidate_sha256=candidate.sha256, training_seeds=range(seeds),
    )  # fmt: skip
    desk.tell("checking")
    manifest = described(place, order.synthesizer, order.epsilon, model, candidate, real.sha256)
    manifest["params"]["order"] = order.id
    manifest["mlflow_run"] = Tracking(place.workspace).record(
        place.use_case.key, f"order of images {order.synthesizer}", params=manifest["params"],
        metrics=dict(numbers(evaluation)), files={},
        tags={"dagster_run_id": desk.run_id, "candidate_sha256": candidate.sha256},
    )  # fmt: skip
    return candidate, manifest, evaluation


def _delivered(
    order: "Order", desk: Desk, place: ImagePlace, made: tuple[ImageFile, dict[str, Any], dict[str, Any]]
) -> str:  # fmt: skip
    from assets.images.leaving import leaving
    from assets.images.order_package import papers, title_of, written_files
    from hub.delivery import orders
    from hub.repository.package import pack
    from records.errors import GateError

    candidate, manifest, evaluation = made
    verdict = verdict_on(place, manifest, candidate, evaluation)
    if not verdict.released:
        raise GateError("the gate refused the images: " + "; ".join(verdict.reasons))
    desk.tell("packing")
    summary, page = leaving(place, candidate.table, manifest, evaluation, verdict)
    files = written_files(place, candidate.table, manifest, order.formats, order.columns or ())
    files |= papers(place, manifest | verdict.to_json(), order.formats, page, summary)
    facts = {
        "rows": order.rows, "epsilon": order.epsilon, "candidate_sha256": candidate.sha256, "report": page,
        "figures": {f["label"]: f["value"] for f in summary["figures"]}, "phantom": candidate.table.phantom,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="order") as folder:
        package = pack(files, Path(folder) / "package.zip")
        with desk.hub.database.write() as session:
            return orders.hand_over(
                session, desk.hub, order.id, package=package, title=title_of(place), shown=facts, now=desk.hub.clock()
            ).id
