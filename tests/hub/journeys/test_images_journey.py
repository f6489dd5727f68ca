"""Images in a real browser: found by their modality, asked for on a standing offer, made by a real run, downloaded and opened."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import polars as pl
import pydicom
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import expect

from assets.images.place import ImagePlace
from assets.workspace import Workspace
from hub.access import offers
from hub.caller import Caller
from hub.catalogue import service as catalogue
from hub.database.engine import Database
from hub.database.migration import migrate
from hub.deployment import Deployment
from hub.keys import Keys
from hub.people import accounts
from hub.people.roles import Role
from hub.settings import HubSettings
from metrics.images import classifiers, segmentation
from orchestration.cli_hub_images import published_images
from orchestration.orders import order_sensors
from tests.assets.test_images import LOOSE, STEPS, defined, ran, small
from tests.assets.test_market import image_release
from tests.hub.journeys.conftest import PASSWORD, Visitor, alone
from tests.hub.journeys.test_journeys import ask, downloaded, ready
from tests.hub.market.conftest import DATASET, record
from tests.orchestration.test_servers import free_port

pytestmark = pytest.mark.slow
IMAGES = 30


@dataclass(frozen=True)
class Servers:
    """A running hub, the hospital's images, and their entry in the catalogue."""

    deployment: Deployment
    place: ImagePlace
    hub: str
    entry: str

    def work_off(self) -> None:
        """What Dagster does: its sensor sees the order, and a run makes the images."""
        made = defined(self.place.use_case, self.place.workspace, self.deployment)
        sensors = order_sensors(list(made.jobs or []), lambda: self.deployment, lambda _: None)
        definitions = dg.Definitions.merge(made, dg.Definitions(sensors=sensors))
        repository = definitions.get_repository_def()
        with dg.DagsterInstance.ephemeral() as instance:
            tick = repository.get_sensor_def("hub_orders")(dg.build_sensor_context(instance, repository_def=repository))
            assert isinstance(tick, dg.SensorResult)
            [wanted] = tick.run_requests or []
            assert wanted.job_name is not None
            instance.add_dynamic_partitions("hub_orders", [wanted.partition_key or ""])
            few = {"ops": {"lung__phantom_images__requested": {"config": {"seeds": 1}}}}
            job = definitions.resolve_job_def(wanted.job_name)
            job.execute_in_process(few, instance, partition_key=wanted.partition_key)


@pytest.fixture(scope="module")
def servers(new_home: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The hub with a table and released phantoms, of which a standing offer holds; runs train their classifiers for a few steps."""
    port, use_case, home = free_port(), small(LOOSE), new_home()
    settings = HubSettings(home=tmp_path_factory.mktemp("hub"), public_url=f"http://127.0.0.1:{port}", demo=True)
    deployment = Deployment(settings, Database(settings.url), Keys(os.urandom(32), Ed25519PrivateKey.generate()))
    migrate(deployment.database)
    place = ImagePlace(use_case, use_case.images[0], None, Workspace(home))
    assert ran(use_case, home, only=("raw_cohort", "deidentified")).success
    image_release(place)
    with pytest.MonkeyPatch.context() as patch, alone(deployment, port):
        for module in (classifiers, segmentation):
            patch.setattr(module, "STEPS", STEPS)
        yield Servers(deployment, place, settings.public_url, _filled(deployment, place))


def _filled(hub: Deployment, place: ImagePlace) -> str:
    """People, a table, and the images with their offer; returns the images' id."""
    now = hub.clock()
    with hub.database.write() as session:
        people = {
            role: accounts.create(session, now=now, email=f"{role}@demo.example.org", name=role.label, roles=frozenset({role}),
                                  password=PASSWORD)
            for role in (Role.HOLDER, Role.HEAD, Role.DEVELOPER)
        }  # fmt: skip
        holder = Caller(session, now, hub, people[Role.HOLDER])
        catalogue.draft(holder, DATASET, record(), use_case="stroke", cohort="copenhagen")
        catalogue.publish(holder, DATASET)
    name = published_images(place, hub, people[Role.HOLDER].email, "body@example.org", offer=True)
    with hub.database.write() as session:
        head = Caller(session, now, hub, session.merge(people[Role.HEAD]))
        [offer] = offers.unapproved(head)
        offers.approve(head, offer.id)
    return name


def test_images_from_the_facet_to_the_opened_package(
    window: Callable[..., Visitor], servers: Servers, tmp_path: Path
) -> None:
    developer = window("developer")
    page = developer.open("/catalogue")
    expect(page.get_by_role("status")).to_have_text("2 data sets")
    page.get_by_label("Images (modality)").select_option("CT")
    expect(page.get_by_role("status")).to_have_text("1 data sets")
    page.get_by_role("link", name="Phantom of chest CT").click()
    expect(page.get_by_text("PHANTOM", exact=False).first).to_be_visible()
    ask(page, servers.hub, IMAGES, dataset=servers.entry, form="dicom")
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright has this thread's event loop, and Dagster wants one
        elsewhere.submit(servers.work_off).result()
    ready(page)
    expect(page.frame_locator("iframe").get_by_text("PHANTOM", exact=False).first).to_be_visible()
    with downloaded(page, tmp_path) as package:
        opened(package)
    assert developer.complaints == []


def opened(package: zipfile.ZipFile) -> None:
    """The package is whole and holds what was asked for, as DICOM that says what it is."""
    files = {name: package.read(name) for name in package.namelist()}
    lines = (line.split(maxsplit=1) for line in files.pop("SHA256SUMS").decode().splitlines())
    sums = {name: digest for digest, name in lines}
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    papers = {"manifest.json", "README.md", "LICENCE", "report.html", "evaluation.json"}
    assert {name.split("/")[0] for name in files} == {"dicom"} | papers
    table = pl.read_csv(io.BytesIO(files["dicom/images.csv"]))
    assert table.height == IMAGES
    first = pydicom.dcmread(io.BytesIO(files[f"dicom/{table['file'][0]}"]))
    assert (first.Modality, first.SyntheticData, first.pixel_array.shape) == ("CT", "YES", (32, 32))
    manifest, told = json.loads(files["manifest.json"]), json.loads(files["evaluation.json"])
    assert (manifest["released"], manifest["params"]["family"], manifest["rows"]) == (True, "gaussian", IMAGES)
    assert told["candidate_sha256"] == manifest["candidate_sha256"]
    assert b"must not try to re-identify" in files["LICENCE"]
