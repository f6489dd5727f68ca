"""Releases become goods once, with their verdict; the settlement asset writes what the books say."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from assets.images.goods import deposit_images
from assets.images.place import ImagePlace
from assets.market import MONTHS, build_market, deposit_release, settlement_asset
from assets.released_report import PAGE, put_beside
from assets.workspace import Workspace
from hub.access.tables import StandingOffer
from hub.catalogue.record import PNG
from hub.catalogue.tables import Dataset
from hub.database.engine import Database
from hub.deployment import Deployment
from hub.errors import GoneError
from hub.keys import load_keys
from hub.market import goods
from hub.market.tables import Goods
from hub.people import accounts
from hub.people.roles import Role
from hub.people.tables import Person
from hub.settings import HubSettings
from models.phantoms import PHANTOMS
from orchestration.cli_hub import hub_app
from orchestration.cli_hub_images import images_id, published_images
from orchestration.hub_demo import dataset_id
from records.errors import GateError, ParameterError, StorageError
from records.files import sha256, write_atomically
from records.images.storage import image_bytes, write_images
from use_cases.registry import discover

STROKE = discover()["stroke"]
COHORT = STROKE.cohorts[0]


@pytest.fixture
def hub(tmp_path: Path) -> Deployment:
    settings = HubSettings(home=tmp_path / "hub", demo=True)
    made = Deployment(settings, Database(settings.url), load_keys(settings))
    made.database.create()
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "home")


def release(workspace: Workspace, name: str = "one", **changes: Any) -> str:
    """A release as the asset writes it."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = workspace.release("stroke", COHORT.name) / digest[:16]
    folder.mkdir(parents=True)
    manifest = {
        "candidate_sha256": digest,
        "released": True,
        "reasons": [],
        "rows": 2,
        "spend": {"epsilon": 1.5},
    } | changes
    (folder / "synthetic.csv").write_bytes(b"age\n61\n")
    (folder / "synthetic.parquet").write_bytes(b"PAR1")
    put_beside(folder, {"figures": [{"label": "Loss", "value": 0.02}], "tstr_auc": 0.8}, f"report of {digest}")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder.parent / "latest").write_text(f"{folder.name}\n")
    return digest


@pytest.fixture
def place(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> ImagePlace:
    monkeypatch.setattr("metrics.images.plots.pictures_plot", lambda *_: PNG)  # takes a second or two each
    use_case = discover()["lung"]
    return ImagePlace(use_case, use_case.images[0], None, workspace)


def image_release(place: ImagePlace, seed: int = 0, **params: Any) -> str:
    """A release of few simulated images, as the asset writes it."""
    schema = place.cohort.image
    table = PHANTOMS[schema.name](5, slices=2, size=schema.size, rng=np.random.default_rng(seed))
    digest = sha256(image_bytes(table))
    folder = place.workspace.release(place.name, place.cohort.name) / digest[:16]
    write_images(folder / "synthetic.npz", table)
    spend = {"epsilon": 2.0, "delta": 1e-5, "rho": 0.1, "neighbouring": "add or remove a patient"}
    manifest = {
        "candidate_sha256": digest, "released": True, "reasons": [], "rows": len(table), "spend": spend,
        "params": {"synthesizer": "auto", "family": "gaussian", "epsilon": 2.0} | params,
    }  # fmt: skip
    put_beside(folder, {"figures": [], "tstr_auc": 0.71}, f"report of {digest}")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder.parent / "latest").write_text(f"{folder.name}\n")
    return digest


@pytest.fixture
def holder(hub: Deployment) -> Person:
    roles, email = frozenset({Role.HOLDER}), "holder@example.org"
    with hub.database.write() as session:
        return accounts.create(session, now=hub.clock(), email=email, name="Holder", roles=roles, password=None)


def offered(hub: Deployment) -> list[tuple[str, float]]:
    with hub.database.read() as session:
        found = session.scalars(sa.select(StandingOffer).order_by(StandingOffer.created_at))
        return [(one.synthesizer, one.epsilon) for one in found]


def test_the_offer_of_images_asks_what_the_release_asked_and_once(
    place: ImagePlace, hub: Deployment, holder: Person
) -> None:
    def again() -> list[tuple[str, float]]:
        published_images(place, hub, holder.email, "body@example.org", offer=True)
        return offered(hub)

    image_release(place)
    assert again() == again() == [("gaussian", 2.0)]
    image_release(place, seed=1, family="tilted", epsilon=4.0)
    assert again() == [("gaussian", 2.0), ("tilted", 4.0)]
    with hub.database.write() as session:
        for one in session.scalars(sa.select(StandingOffer)):
            one.withdrawn_at = hub.clock()
    assert again() == [("gaussian", 2.0), ("tilted", 4.0), ("tilted", 4.0)]
    image_release(place, seed=2, epsilon=None)
    with pytest.raises(ParameterError, match="without privacy"):
        again()


def test_images_do_not_take_the_entry_of_a_table(place: ImagePlace, hub: Deployment, holder: Person) -> None:
    use_case = place.use_case
    same_name = use_case.cohorts[0].model_copy(update={"name": place.cohort.name})
    assert images_id(place) != dataset_id(use_case, same_name)
    image_release(place)
    name = published_images(place, hub, holder.email, "body@example.org", offer=False)
    for change in ({"modality": ""}, {"modality": "CT", "cohort": "another"}):
        with hub.database.write() as session:
            session.execute(sa.update(Dataset).where(Dataset.id == name).values(change))
        with pytest.raises(ParameterError, match="must be of these images"):
            published_images(place, hub, holder.email, "body@example.org", offer=False)


def test_a_release_becomes_goods_once(workspace: Workspace, hub: Deployment, tmp_path: Path) -> None:
    digest = release(workspace)
    made = deposit_release(workspace, hub, STROKE, COHORT, "stroke")
    assert deposit_release(workspace, hub, STROKE, COHORT, "stroke") == made
    with hub.database.read() as session:
        found = session.get_one(Goods, made)
        assert (found.gate["candidate_sha256"], found.facts["epsilon"], found.facts["rows"]) == (digest, 1.5, 2)
        (tmp_path / "out.zip").write_bytes(b"".join(goods.read(hub, found)))
    with zipfile.ZipFile(tmp_path / "out.zip") as package:
        assert {"synthetic.csv", "synthetic.parquet", "manifest.json", "README.md", "SHA256SUMS"} == set(
            package.namelist()
        )
    release(workspace, "two")
    assert deposit_release(workspace, hub, STROKE, COHORT, "stroke") != made


def test_what_was_revoked_is_not_handed_over_again(workspace: Workspace, hub: Deployment, place: ImagePlace) -> None:
    def table() -> str:
        return deposit_release(workspace, hub, STROKE, COHORT, "stroke")

    def images() -> str:
        return deposit_images(place, hub, "lung")

    release(workspace)
    image_release(place)
    for deposit in (table, images):
        with hub.database.write() as session:
            goods.revoke(session, hub, deposit(), "a leak", hub.clock())
        with pytest.raises(GoneError, match="one that was revoked"):
            deposit()
    release(workspace, "two")
    assert table() == table()


def test_a_table_is_sold_with_the_report_that_judged_it(workspace: Workspace, hub: Deployment) -> None:
    digest = release(workspace)
    refused = json.dumps({"candidate_sha256": "another"}).encode()
    write_atomically(workspace.page("stroke").with_suffix(".json"), refused)  # of a run since
    with hub.database.read() as session:
        found = session.get_one(Goods, deposit_release(workspace, hub, STROKE, COHORT, "stroke"))
    assert (found.report, found.facts["figures"]) == (f"report of {digest}", {"Loss": 0.02, "tstr_auc": 0.8})


def test_images_are_sold_with_the_report_that_judged_them(place: ImagePlace, hub: Deployment) -> None:
    """A run that the gate refused afterwards has left another evaluation."""
    digest = image_release(place)
    write_atomically(place.workspace.report([*place.prefix, "image_report"]), b'{"candidate_sha256": "another"}')
    with hub.database.read() as session:
        found = session.get_one(Goods, deposit_images(place, hub, "lung"))
        assert (found.report, found.facts["figures"]) == (f"report of {digest}", {"tstr_auc": 0.71})
        with zipfile.ZipFile(BytesIO(b"".join(goods.read(hub, found)))) as package:
            assert package.read("report.html").decode() == found.report
            assert json.loads(package.read("evaluation.json"))["tstr_auc"] == 0.71
    digest = image_release(place, seed=1)
    (place.workspace.release(place.name, place.cohort.name) / digest[:16] / PAGE).unlink()
    with pytest.raises(StorageError, match="report beside it"):
        deposit_images(place, hub, "lung")


def test_what_was_not_released_is_no_goods(workspace: Workspace, hub: Deployment) -> None:
    with pytest.raises(ParameterError, match="must have a release"):
        deposit_release(workspace, hub, STROKE, COHORT, "stroke")
    release(workspace, released=False)
    with pytest.raises(GateError):
        deposit_release(workspace, hub, STROKE, COHORT, "stroke")


def test_the_settlement_is_an_asset_of_each_month(workspace: Workspace, hub: Deployment) -> None:
    asset = settlement_asset(workspace, lambda: hub)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], partition_key="2026-03-01", instance=instance)
    assert result.success
    written = json.loads((workspace.home / "market" / "settlement-2026-03.json").read_bytes())
    assert (written["month"], written["rows"]) == ("2026-03", [])
    definitions = build_market(workspace, lambda: hub)
    assert [one.name for one in definitions.schedules or []] == ["market_monthly"]
    assert MONTHS.get_first_partition_key() == "2026-01-01"


def test_the_command_verifies_an_agreement_without_a_hub(
    tmp_path: Path, agreement: Callable[[], dict[str, Any]]
) -> None:
    document = agreement()
    path = tmp_path / "agreement.jsonld"
    path.write_text(json.dumps(document))
    key = document["proof"]["verificationMethod"]
    told = CliRunner().invoke(hub_app, ["verify-agreement", str(path), "--key", key])
    assert (told.exit_code, "genuine: urn:uuid:" in told.output) == (0, True)
    path.write_text(json.dumps(document | {"assignee": "urn:uuid:another"}))
    assert CliRunner().invoke(hub_app, ["verify-agreement", str(path), "--key", key]).exit_code == 1
    assert CliRunner().invoke(hub_app, ["verify-agreement", str(path), "--key", "x"]).exit_code == 1
    path.write_text("no JSON")
    assert CliRunner().invoke(hub_app, ["verify-agreement", str(path)]).exit_code == 1


@pytest.fixture
def agreement(hub: Deployment) -> Callable[[], dict[str, Any]]:
    """A document that both parties accepted."""
    from hub.market.agreement import acceptance, agreed
    from hub.market.protocol import Side
    from hub.market.terms import Terms, offer

    def made() -> dict[str, Any]:
        now, key = hub.clock(), hub.keys.signing
        terms = Terms(purposes=("e",), months=12)
        told = offer("urn:x", terms, assigner="urn:uuid:holder", price={"kind": "free"}, split={})
        signed = [
            acceptance(side=side, person=who, name=who, offer=told, step="s", key=key, now=now)
            for side, who in ((Side.CONSUMER, "buyer"), (Side.PROVIDER, "holder"))
        ]
        return agreed(
            "1",
            told,
            terms,
            target="urn:t",
            assignee="buyer",
            until=now,
            acceptances=signed,
            subject={},
            key=key,
            now=now,
        )

    return made
