"""The image path of a use case: a released folder in three formats, refusals that leave it as it was, and its way through the hub."""

import json
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pydicom
import pytest

from assets.factory import storage
from assets.images.factory import build_images, image_job, images_on_demand_job
from assets.images.goods import deposit_images
from assets.images.place import ImagePlace
from assets.workspace import Workspace
from hub.access import offers, service
from hub.access.form import Form, Kind
from hub.budget import BudgetLedger
from hub.caller import Caller
from hub.catalogue import service as catalogue
from hub.database.engine import Database
from hub.delivery import orders
from hub.delivery.tables import Order
from hub.deployment import Deployment
from hub.keys import load_keys
from hub.market import goods, listings
from hub.market.tables import Goods
from hub.people import accounts
from hub.people.roles import Role
from hub.people.tables import Person
from hub.repository import vault
from hub.repository.tables import Artefact
from hub.settings import HubSettings
from metrics.images import classifiers, segmentation
from orchestration.cli_hub_images import published_images
from records.errors import ParameterError
from records.files import sha256
from records.images import read_images
from use_cases.registry import UseCase, discover

pytestmark = pytest.mark.slow
FEW = {"patients": 90, "slices": 2}
STEPS = 20  # of training: whether classifiers are any good is shown elsewhere
# So few patients cannot show that nobody is told apart; the limits of the use case refuse them.
LOOSE = {
    "max_membership_auc_upper": 1.0, "max_tstr_loss": 1.0, "min_tstr_auc_lower": 0.0, "max_frechet_share": 1e9,
    "max_radiomics_share": 1e9, "max_similarity_excess": 1.0, "max_copies_excess": 1.0, "min_images": 10,
}  # fmt: skip


def small(limits: dict[str, float]) -> UseCase:
    """The lung use case with phantoms of 32 x 32 points."""
    use_case = discover()["lung"]
    cohort = use_case.images[0]
    image = cohort.image.model_copy(update={"size": (32, 32), "spacing": (11.0, 11.0)})
    return use_case.model_copy(update={"images": (cohort.model_copy(update={"image": image}),), "image_limits": limits})


def defined(use_case: UseCase, workspace: Workspace, hub: Deployment | None = None) -> dg.Definitions:
    def open_hub() -> Deployment:
        assert hub is not None
        return hub

    return dg.Definitions.merge(
        build_images(use_case, workspace, open_hub), dg.Definitions(resources=storage(workspace))
    )


def ran(
    use_case: UseCase, home: Path, only: Sequence[str] | None = None, **synthesis: Any
) -> dg.ExecuteInProcessResult:  # fmt: skip
    """The image job of the use case, or some of its assets."""
    workspace = Workspace(home)
    definitions = defined(use_case, workspace)
    config = {"raw_cohort": FEW, "synthetic": {"images": 60, **synthesis}, "image_report": {"seeds": 1}}
    chosen = {name: values for name, values in config.items() if only is None or name in only}
    ops = {f"{use_case.key}__phantom_images__{name}": {"config": values} for name, values in chosen.items()}
    keys = None if only is None else [dg.AssetKey([use_case.key, "phantom_images", name]) for name in only]
    job = definitions.resolve_job_def(image_job(use_case.key))
    return job.execute_in_process(run_config={"ops": ops}, raise_on_error=False, asset_selection=keys)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (classifiers, segmentation):
            patch.setattr(module, "STEPS", STEPS)
        yield


@pytest.fixture(scope="module")
def released(quick: None, new_home: Any) -> tuple[UseCase, Path, Path]:
    use_case, home = small(LOOSE), new_home()
    result = ran(use_case, home)
    assert result.success, [str(e.step_failure_data) for e in result.all_events if e.is_step_failure]
    return use_case, home, home / "releases" / "lung" / "phantom_images" / "lung_ct_phantom"


def test_images_leave_in_three_formats_that_say_what_they_are(released: tuple[UseCase, Path, Path]) -> None:
    _, _, folder = released
    newest = folder / (folder / "latest").read_text().strip()
    manifest = json.loads((newest / "manifest.json").read_text())
    assert manifest["candidate_sha256"] == sha256((newest / "synthetic.npz").read_bytes())
    assert manifest["params"]["phantom"] is True
    table = read_images(newest / "synthetic.npz").table
    assert (len(table), table.phantom) == (60, True)
    for form in ("dicom", "nifti", "png"):
        about = json.loads((newest / form / "about.json").read_text())
        assert "phantom" in json.dumps(about).lower()
        assert len((newest / form / "images.csv").read_text().splitlines()) == 61


def test_a_question_asked_again_costs_nothing_and_gives_the_same_images(released: tuple[UseCase, Path, Path]) -> None:
    use_case, home, folder = released
    ledger = BudgetLedger(Workspace(home).ledger_url)
    spent, newest = ledger.spent("lung_ct_phantom"), (folder / "latest").read_text()
    assert spent > 0
    assert ran(use_case, home, only=("synthetic", "release")).success
    assert ledger.spent("lung_ct_phantom") == spent
    assert (folder / "latest").read_text() == newest


def test_refused_images_leave_the_former_release(released: tuple[UseCase, Path, Path]) -> None:
    _, home, folder = released
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = ran(small({}), home, only=("synthetic", "image_report", "report", "release"), seed=1, epsilon=1.0)
    failed = [event for event in result.all_events if event.is_step_failure]
    assert [event.node_name for event in failed] == ["lung__phantom_images__release"]
    assert "not measurable" in str(failed[0].step_failure_data.user_failure_data)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    page = (home / "reports" / "lung_phantom_images.html").read_text()
    assert "phantom" in page.lower()


@pytest.fixture(scope="module")
def place(released: tuple[UseCase, Path, Path]) -> ImagePlace:
    use_case, home, _ = released
    return ImagePlace(use_case, use_case.images[0], None, Workspace(home))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    settings = HubSettings(home=tmp_path_factory.mktemp("hub"), demo=True)
    made = Deployment(settings, Database(settings.url), load_keys(settings))
    made.database.create()
    return made


@pytest.fixture(scope="module")
def people(hub: Deployment) -> dict[Role, Person]:
    with hub.database.write() as session:
        return {
            role: accounts.create(
                session, now=hub.clock(), email=f"{role}@example.org", name=role.label, roles=frozenset({role}), password=None
            )
            for role in (Role.HOLDER, Role.HEAD, Role.DEVELOPER)
        }  # fmt: skip


@pytest.fixture(scope="module")
def entry(place: ImagePlace, hub: Deployment, people: dict[Role, Person]) -> str:
    """The published data set, with an approved offer of what the release asked."""
    with pytest.raises(ParameterError, match="must have an account"):
        published_images(place, hub, "nobody@example.org", "body@example.org", offer=False)
    name = published_images(place, hub, people[Role.HOLDER].email, "body@example.org", offer=False)
    with hub.database.write() as session:
        holder = acting(session, hub, people[Role.HOLDER])
        with pytest.raises(ParameterError, match="formats must be among dicom, nifti, png"):
            offered(holder, name, formats=["csv"])
        with pytest.raises(ParameterError, match="synthesizer must be one of auto, gaussian"):
            offered(holder, name, synthesizer="aim")
        offers.approve(acting(session, hub, people[Role.HEAD]), offered(holder, name).id)
    return name


def acting(session: Any, hub: Deployment, person: Person) -> Caller:
    return Caller(session, hub.clock(), hub, session.get(Person, person.id))


def offered(holder: Caller, name: str, **changes: Any) -> Any:
    terms = {
        "synthesizer": "auto",
        "epsilon": 10.0,
        "max_rows": 100,
        "purposes": ["e"],
        "formats": list(offers.IMAGE_FORMATS),
    }
    return offers.propose(holder, name, valid_until=holder.now.replace(year=holder.now.year + 1), **(terms | changes))


def ordered(hub: Deployment, developer: Person, name: str, **asked: Any) -> str:
    """The order of a request that the offer grants."""
    words = dict.fromkeys(("applicant", "functions", "intended_use", "safeguards"), "A sufficient answer.")
    form = Form.model_validate(
        words
        | {"kind": Kind.SYNTHETIC, "dataset_ids": [name], "purposes": ["e"], "declarations": list("abcde")}
        | asked
    )
    with hub.database.write() as session:
        request = service.apply(acting(session, hub, developer), form)
        assert request.state == "granted"
        return session.query(Order.id).filter(Order.permit_id == request.permit_id).scalar()


def worked_off(place: ImagePlace, hub: Deployment, order_id: str) -> bool:
    definitions = defined(place.use_case, place.workspace, hub)
    job = definitions.resolve_job_def(images_on_demand_job("lung"))
    ops = {"lung__phantom_images__requested": {"config": {"seeds": 1}}}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("hub_orders", [order_id])
        ran = job.execute_in_process(
            run_config={"ops": ops}, partition_key=order_id, instance=instance, raise_on_error=False
        )
    return ran.success


def unpacked(frames: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(b"".join(frames))) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_an_image_data_set_is_found_by_its_modality_and_says_that_it_is_simulated(entry: str, hub: Deployment) -> None:
    with hub.database.read() as session:
        found = catalogue.search(session, facets={"modality": "CT"})
        assert ([d.id for d in found.items], found.facets["modality"]) == ([entry], {"CT": 1})
        assert not catalogue.search(session, facets={"modality": "MR"}).items
        dataset = catalogue.published(session, entry)
        record, turtle = dataset.record, dataset.turtle or ""
    assert "simulated" in record["title"]
    assert record["description"].startswith("PHANTOM")
    assert record["simulated"].startswith("PHANTOM")
    assert "TEST_DATA" in record["types"]
    assert record["individuals"] is None
    assert len(record["plots"]) == 1
    assert len(record["sample"]["rows"]) == 8
    for said in (
        "media-types/application/dicom",
        "media-types/image/png",
        "format_3549",
        "PHANTOM",
        'hasCodeValues "CT"',
    ):
        assert said in turtle


def test_images_are_ordered_delivered_and_destroyed_like_tables(
    entry: str, place: ImagePlace, hub: Deployment, people: dict[Role, Person]
) -> None:
    ledger = BudgetLedger(place.workspace.ledger_url)
    spent = ledger.spent("lung_ct_phantom")
    order_id = ordered(hub, people[Role.DEVELOPER], entry, rows=40, columns=["age"], formats=["dicom", "png"])
    assert worked_off(place, hub, order_id)
    assert ledger.spent("lung_ct_phantom") == spent, "the model of the release answers: the question was paid for"
    with hub.database.read() as session:
        order = session.get_one(Order, order_id)
        assert (order.kind, order.state) == ("images", "ready")
        artefact = session.get_one(Artefact, order.artefact_id)
    files = unpacked(vault.read(hub, artefact.id))
    assert {name.split("/")[0] for name in files} == {
        "dicom", "png", "manifest.json", "README.md", "LICENCE", "report.html", "evaluation.json", "SHA256SUMS",
    }  # fmt: skip
    table = pl.read_csv(BytesIO(files["png/images.csv"]))
    assert (table.height, set(table.columns) & {"malignancy", "age", "nodule_diameter"}) == (40, {"malignancy", "age"})
    image = pydicom.dcmread(
        BytesIO(next(files[name] for name in files if name.endswith(".dcm") and "mask" not in name))
    )
    assert (image.SyntheticData, image.Modality) == ("YES", "CT")
    manifest = json.loads(files["manifest.json"])
    assert (manifest["released"], manifest["params"]["phantom"]) == (True, True)
    assert manifest["candidate_sha256"] == artefact.facts["candidate_sha256"]
    assert b"PHANTOM" in files["README.md"]
    assert "PHANTOM" in files["report.html"].decode()
    with hub.database.write() as session:
        orders.revoke_permit(session, session.get_one(Order, order_id).permit_id, hub.clock())
    with hub.database.read() as session:
        assert session.get_one(Artefact, artefact.id).destroyed_reason == "the permit was revoked"


def test_images_with_unknown_columns_are_refused_before_they_are_paid_for(
    entry: str, place: ImagePlace, hub: Deployment, people: dict[Role, Person]
) -> None:
    with hub.database.write() as session:
        offer = offered(acting(session, hub, people[Role.HOLDER]), entry, epsilon=0.5)
        offers.approve(acting(session, hub, people[Role.HEAD]), offer.id)
        offer_id = offer.id
    ledger = BudgetLedger(place.workspace.ledger_url)
    spent = ledger.spent("lung_ct_phantom")
    order_id = ordered(hub, people[Role.DEVELOPER], entry, rows=40, columns=["age", "shoe_size"], formats=["png"])
    assert not worked_off(place, hub, order_id)
    with hub.database.write() as session:
        order = session.get_one(Order, order_id)
        assert (order.epsilon, "got 1 others" in (order.reason or "")) == (0.5, True)
        offers.withdraw(acting(session, hub, people[Role.HEAD]), offer_id)
    assert ledger.spent("lung_ct_phantom") == spent


def test_ordered_images_that_the_gate_refuses_are_not_delivered(
    entry: str, place: ImagePlace, hub: Deployment, people: dict[Role, Person]
) -> None:
    order_id = ordered(hub, people[Role.DEVELOPER], entry, rows=6, formats=["png"])
    assert not worked_off(place, hub, order_id)
    with hub.database.read() as session:
        order = session.get_one(Order, order_id)
        assert (order.state, order.artefact_id) == ("failed", None)
        assert "the gate refused the images" in (order.reason or "")


def test_released_images_are_sold_once(
    entry: str, place: ImagePlace, hub: Deployment, people: dict[Role, Person]
) -> None:
    made = deposit_images(place, hub, entry)
    assert deposit_images(place, hub, entry) == made
    with hub.database.write() as session:
        found = session.get_one(Goods, made)
        assert (found.kind, found.formats, found.facts["rows"]) == ("image_set", ["dicom", "nifti", "png"], 60)
        files = unpacked(goods.read(hub, found))
        assert {"dicom", "nifti", "png", "report.html", "evaluation.json"} <= {name.split("/")[0] for name in files}
        # Another candidate was refused since.
        assert json.loads(files["evaluation.json"])["candidate_sha256"] == found.gate["candidate_sha256"]
        assert files["report.html"].decode() == found.report
        holder = acting(session, hub, people[Role.HOLDER])
        terms = {"purposes": ["e"], "months": 12}
        draft = listings.Draft(entry, "image_set", found.title, terms, {"kind": "free"}, goods_id=made)
        assert listings.create(holder, draft).state == "listed"
        wanted = listings.Draft(
            entry, "synthesis", "Images on demand", terms, {"kind": "free"}, service={"epsilon": 5.0}
        )
        assert (listings.create(holder, wanted).service or {})["formats"] == ["dicom", "nifti", "png"]
        goods.revoked_by(holder, made, "A test.")
        assert [one.state for one in listings.of_holder(holder) if one.goods_id == made] == ["withdrawn"]
