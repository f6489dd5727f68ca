"""Released images in the hub: as goods of the market, and as an entry of the catalogue.

Belongs here: from a release to a package and to a description. Does not belong here: rules (``hub``), making the release.
"""

import base64
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.images.order_package import files_below, papers, title_of
from assets.images.place import ImagePlace
from assets.released_report import beside, figures_of
from records.errors import ParameterError
from records.images.storage import ImageFile, read_images

if TYPE_CHECKING:
    from hub.catalogue.record import Agent, DatasetRecord, Sample
    from hub.deployment import Deployment

SAMPLE_ROWS = 8


def deposit_images(place: ImagePlace, hub: "Deployment", dataset_id: str) -> str:
    """Hand the latest released images to the market as goods; the same ones again are not handed over twice.

    Returns
    -------
    str
        The goods' id.

    Raises
    ------
    ParameterError
        Nothing was released yet.
    StorageError
        The release has no report.
    GateError, GoneError
        The release has no verdict of the gate; it was revoked.
    """
    from hub.market import goods
    from hub.market.kinds import Kind
    from hub.repository.package import pack

    folder, manifest = latest(place)
    with hub.database.read() as session:
        if known := goods.of_candidate(session, dataset_id, manifest["candidate_sha256"]):
            return known.id
    released = read_images(folder / "synthetic.npz")
    summary, page = beside(folder)
    facts = {
        "rows": manifest["rows"], "epsilon": manifest["spend"]["epsilon"], "phantom": released.table.phantom,
        "figures": figures_of(summary), "report": page,
    }  # fmt: skip
    gate = {name: manifest.get(name) for name in ("released", "reasons", "candidate_sha256")}
    files = {f"{form}/{name}": data for form in place.formats for name, data in files_below(folder / form).items()}
    files |= papers(place, manifest, place.formats, page, summary)
    with tempfile.TemporaryDirectory(prefix="goods") as made, hub.database.write() as session:
        return goods.deposit(
            session, hub, package=pack(files, Path(made) / "goods.zip"), dataset_id=dataset_id, kind=Kind.IMAGES,
            title=title_of(place), formats=list(place.formats), facts=facts, gate=gate, now=hub.clock(),
        ).id  # fmt: skip


def described_images(
    place: ImagePlace, *, hub_url: str, dataset_id: str, publisher: "Agent", access_body: "Agent"
) -> "DatasetRecord":
    """The catalogue's entry of an image cohort, with pictures and rows of the latest release.

    Raises
    ------
    ParameterError
        Nothing was released yet: an entry without pictures that passed the gate says too little.
    """
    from hub.catalogue.from_images import record_of_images
    from metrics.images.plots import pictures_plot

    folder, manifest = latest(place)
    released = read_images(folder / "synthetic.npz")
    summary, _ = beside(folder)
    phantom = " of the simulated phantom" if released.table.phantom else ""
    picture = base64.b64encode(pictures_plot(released.table, place.schema)).decode()
    return record_of_images(
        place.schema, title=title_of(place), formats=place.formats, identifier=f"urn:phaseiv:{place.cohort.name}", publisher=publisher,
        access_body=access_body, hub_url=hub_url, dataset_id=dataset_id, citation=place.cohort.source.citation,
        licence=place.cohort.source.licence, keywords=[place.use_case.key],
        images=manifest["rows"], spend=manifest["spend"], figures={f["label"]: f["value"] for f in summary["figures"]},
        sample=_sample(released), plots={f"Released synthetic images{phantom}; no patient is shown": picture},
    )  # fmt: skip


def latest(place: ImagePlace) -> tuple[Path, dict[str, Any]]:
    """Folder and manifest of the latest release.

    Raises
    ------
    ParameterError
        There is none.
    """
    releases, key = place.workspace.release(place.name, place.cohort.name), place.use_case.key
    if not (releases / "latest").exists():
        raise ParameterError(
            f"{place.name} must have a release, got none; run `phaseiv run {key} --modality image` first"
        )
    folder = releases / (releases / "latest").read_text().strip()
    return folder, json.loads((folder / "manifest.json").read_bytes())


def _sample(released: ImageFile) -> "Sample":
    from hub.catalogue.record import Sample
    from records.images.table import INDEX

    head = released.table.rows.drop(list(INDEX)).head(SAMPLE_ROWS)
    rows = [[v if isinstance(v, int | float) else None if v is None else str(v) for v in row] for row in head.rows()]
    return Sample(columns=head.columns, rows=rows, candidate_sha256=released.sha256)
