"""Whole journeys through the hub's pages in a real browser, over real servers and real Dagster runs."""

import contextlib
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from tests.hub.journeys.conftest import Servers, Visitor

pytestmark = pytest.mark.slow
DATASET = "stroke-copenhagen"
MINUTES = 600_000  # a loaded machine runs orders one after the other
Window = Callable[..., Visitor]


def ask(page: Page, hub: str, rows: int, purpose: str = "e", *, dataset: str = DATASET, form: str = "csv") -> None:
    """Fill in the wizard for synthetic data, up to sending it in."""
    page.goto(f"{hub}/catalogue/{dataset}")
    page.get_by_role("link", name="Ask for these data").click()
    page.get_by_label("Synthetic data").check()
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Who applies").fill("Ada, Example Institute")
    page.get_by_label("Your professional functions").fill("AI developer")
    page.locator(f"input[name=purposes][value={purpose}]").check()
    page.get_by_label("Intended use").fill("Train and test a classifier.")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Rows").fill(str(rows))
    page.locator(f"input[name=formats][value={form}]").check()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Safeguards").fill("Nobody is re-identified.")
    page.get_by_role("button", name="Save and go on").click()
    for box in page.locator("input[name=declarations]").all():
        box.check()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Send in").click()


def ready(page: Page) -> None:
    """Wait until the order's page says that the data lie ready, and go there."""
    ended = page.locator("#progress .error").or_(page.get_by_role("link", name="To the data and their report"))
    ended.first.wait_for(timeout=MINUTES)
    assert not page.locator("#progress .error").count(), page.locator("#progress").inner_text()
    page.get_by_role("link", name="To the data and their report").click()
    expect(page.get_by_role("heading", name="Privacy and quality report")).to_be_visible()


def without_triggers(store: sa.Connection, table: str) -> None:
    """Take away a table's own protection."""
    if store.dialect.name == "postgresql":
        store.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    named = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    for name in store.execute(named, {"table": table}).scalars().all():
        store.execute(sa.text(f"DROP TRIGGER {name}"))


def downloaded(page: Page, folder: Path) -> zipfile.ZipFile:
    """Press the button and open what comes."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    target = folder / "package.zip"
    waiting.value.save_as(target)
    return zipfile.ZipFile(target)


def test_from_search_to_download(window: Window, servers: Servers, tmp_path: Path) -> None:
    developer = window("developer")
    page = developer.open("/")
    page.get_by_label("Search the catalogue").fill("stroke")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Copenhagen").click()
    expect(page.get_by_role("heading", name="Data quality and utility label")).to_be_visible()
    began = time.monotonic()
    ask(page, servers.hub, rows=1000)
    ready(page)
    print(f"from the wizard's first page to the data: {time.monotonic() - began:.0f} s")
    expect(page.frame_locator("iframe").get_by_role("heading", name="The guarantee")).to_be_visible()
    with downloaded(page, tmp_path) as package:
        assert {"synthetic.csv", "synthetic.parquet", "manifest.json", "report.html", "LICENCE"} <= set(
            package.namelist()
        )
    assert developer.complaints == []


def test_without_java_script(window: Window, servers: Servers, tmp_path: Path) -> None:
    developer = window("developer", java_script_enabled=False)
    page = developer.page
    ask(page, servers.hub, rows=1010)
    deadline = time.monotonic() + MINUTES / 1000
    while not page.get_by_role("link", name="To the data and their report").count():
        assert time.monotonic() < deadline
        page.wait_for_timeout(2000)
        # The page may be reloading itself just now.
        with contextlib.suppress(PlaywrightError):
            page.reload()
    ready(page)
    with downloaded(page, tmp_path) as package:
        assert "synthetic.csv" in package.namelist()


def test_the_gate_tells_its_reason(window: Window, servers: Servers) -> None:
    developer = window("developer")
    ask(developer.page, servers.hub, rows=20)
    expect(developer.page.locator("#progress .error")).to_contain_text("the gate refused the table", timeout=MINUTES)
    assert developer.complaints == []


def test_an_order_can_be_cancelled(window: Window, servers: Servers) -> None:
    developer = window("developer")
    ask(developer.page, servers.hub, rows=1040)
    developer.page.get_by_role("button", name="Cancel the order").click()
    expect(developer.page.locator("#progress")).to_contain_text("cancelled by the applicant")


def test_people_decide_what_no_offer_covers(window: Window, servers: Servers) -> None:
    developer, officer, head = window("developer"), window("officer"), window("head")
    ask(developer.page, servers.hub, rows=1050, purpose="f")
    expect(developer.page.get_by_text("the access body's officer")).to_be_visible()
    address = developer.page.url.rsplit("/", 1)[-1]
    page = officer.open(f"/inbox/{address}")
    page.get_by_role("button", name="The application is complete").click()
    page.get_by_role("button", name="Begin the assessment").click()
    for box in page.locator("input[name=criteria]").all():
        box.check()
    page.locator("input[name=recommendation][value=grant]").check()
    page.get_by_label("Reasons").fill("The criteria of Article 68(1) are met.")
    page.get_by_role("button", name="Recommend").click()
    expect(page.get_by_role("button", name="Grant")).to_have_count(0)
    deciding = head.open(f"/inbox/{address}")
    deciding.get_by_label("Reasons").fill("Granted as recommended.")
    deciding.get_by_role("button", name="Grant").click()
    developer.page.reload()
    expect(developer.page.get_by_role("heading", name="Permit")).to_contain_text("in force")
    assert [*developer.complaints, *officer.complaints, *head.complaints] == []


def test_revocation_from_a_second_browser(window: Window, servers: Servers) -> None:
    developer, head = window("developer"), window("head")
    ask(developer.page, servers.hub, rows=1020)
    ready(developer.page)
    artefact = developer.page.url
    developer.open("/requests")
    developer.page.locator("table a").first.click()
    request = developer.page.url.rsplit("/", 1)[-1]
    page = head.open(f"/inbox/{request}")
    page.get_by_label("Reasons").fill("The data were used for marketing.")
    page.get_by_role("button", name="Revoke the permit").click()
    answer = developer.page.goto(artefact)
    assert answer is not None
    assert answer.status == 410
    expect(developer.page.get_by_text("Their key was destroyed")).to_be_visible()


def test_data_are_gone_at_their_time(window: Window, servers: Servers) -> None:
    developer = window("developer")
    ask(developer.page, servers.hub, rows=1030)
    ready(developer.page)
    artefact = developer.page.url.rsplit("/", 1)[-1]
    with servers.store() as store:
        gone = sa.text("UPDATE artefacts SET expires_at = '2020-01-01T00:00:00.000000Z' WHERE id = :artefact")
        assert store.execute(gone, {"artefact": artefact}).rowcount == 1
    answer = developer.page.goto(f"{servers.hub}/artefacts/{artefact}")
    assert answer is not None
    assert answer.status == 410
    stored = servers.home / "hub" / "repository" / f"{artefact}.aes"
    deadline = time.monotonic() + MINUTES / 1000
    while stored.exists():
        assert time.monotonic() < deadline, "the sweep destroys what has expired"
        time.sleep(1)
    assert window("auditor").open("/audit").get_by_text("artefact.destroyed").count()


@pytest.mark.parametrize("path", ["/", "/catalogue", f"/catalogue/{DATASET}", "/sign-in"])
def test_pages_fit_a_phone_and_name_their_fields(window: Window, path: str) -> None:
    visitor = window(viewport={"width": 360, "height": 740})
    page = visitor.open(path)
    wider: Any = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, "nothing sticks out"
    for field in page.locator("input:not([type=hidden]), select, textarea").all():
        assert field.evaluate("e => e.labels.length > 0"), "each field has a label"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert visitor.complaints == []


def test_in_finnish(window: Window) -> None:
    visitor = window()
    page = visitor.open("/")
    page.get_by_role("button", name="Suomi").click()
    expect(page.get_by_role("link", name="Luettelo", exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fi")


def test_z_the_auditor_finds_a_tampered_entry(window: Window, servers: Servers) -> None:
    auditor = window("auditor")
    page = auditor.open("/audit")
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_role("heading", name="Verification")).not_to_contain_text("not intact")
    with servers.store() as store:
        without_triggers(store, "audit_entries")
        store.execute(sa.text("UPDATE audit_entries SET actor = 'nobody' WHERE number = 3"))
    page = auditor.open("/audit")
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_role("heading", name="Verification")).to_contain_text("not intact")
    expect(page.locator("dd strong")).to_have_text("3")
