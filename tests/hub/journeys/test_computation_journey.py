"""From an application to what three hospitals computed together: real servers, real parties with TLS, a real browser."""

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orchestration.federation_demo import federation, running
from orchestration.settings import Settings
from tests.hub.journeys.conftest import Servers, Visitor, billed, serving
from tests.hub.market.conftest import BUYER, HUB
from tests.hub.money.test_payments import statement
from use_cases.registry import discover

pytestmark = pytest.mark.slow
STROKE = discover()["stroke"]
COHORT = STROKE.cohorts[0]
DATASET = "stroke-copenhagen"
MINUTES = 300_000
Window = Callable[..., Visitor]


@pytest.fixture(scope="module")
def servers(new_home: Callable[[], Path]) -> Iterator[Servers]:
    """Hub and Dagster, connected to three hospitals beside their files."""
    home = new_home()
    researcher = home / "federation" / COHORT.name / "researcher" / "researcher.yaml"
    with serving(home, PHASEIV_FEDERATION__STROKE=str(researcher)) as started_ones:
        made = federation(STROKE, COHORT, Settings(home=home), ["kaplan_meier", "synthesis", "histogram"])
        assert made == researcher
        with running(made):
            yield started_ones


def permitted(window: Window, servers: Servers) -> Page:
    """The developer's page of a granted application, through wizard, assessment and decision."""
    developer, officer, head = window("developer", java_script_enabled=False), window("officer"), window("head")
    page = developer.open(f"/catalogue/{DATASET}/request")
    page.locator("input[name=kind][value=mpc]").check()
    page.get_by_role("button", name="Begin").click()
    for _ in range(4):
        for area in page.locator("main textarea:not([name=columns])").all():
            area.fill("A sufficient answer.")
        for name, text in (("applicant", "Ada"), ("months", "12"), ("epsilon", "4"), ("time_range", "all")):
            if page.locator(f"input[name={name}]").count():
                page.locator(f"input[name={name}]").fill(text)
        if page.locator("input[name=purposes][value=e]").count():
            page.locator("input[name=purposes][value=e]").check()
        for box in page.locator("input[name=declarations]").all():
            box.check()
        page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Send in").click()
    address = page.url.rsplit("/", 1)[-1]
    body = officer.open(f"/inbox/{address}")
    body.get_by_role("button", name="The application is complete").click()
    body.get_by_role("button", name="Begin the assessment").click()
    for box in body.locator("input[name=criteria]").all():
        box.check()
    body.locator("input[name=recommendation][value=grant]").check()
    body.get_by_label("Reasons").fill("The criteria of Article 68(1) are met.")
    body.get_by_role("button", name="Recommend").click()
    deciding = head.open(f"/inbox/{address}")
    deciding.get_by_label("Reasons").fill("Granted as recommended.")
    deciding.get_by_role("button", name="Grant").click()
    page.reload()
    return page


def test_from_the_application_to_the_answer(window: Window, servers: Servers, tmp_path: Path) -> None:
    plain = permitted(window, servers)
    plain.get_by_role("link", name="Order a computation").click()
    compute = plain.url
    plain.get_by_label("Kaplan-Meier curve").check()
    plain.get_by_role("button", name="Go on").click()
    plain.locator("input[name=columns][value=time]").check()
    plain.get_by_role("button", name="Order the computation").click()
    expect(plain.get_by_role("alert")).to_contain_text("must be at least 2")
    plain.locator("input[name=columns][value=event]").check()
    plain.get_by_role("button", name="Order the computation").click()
    expect(plain.get_by_text("Digest of the question")).to_be_visible()
    answered(plain)
    with downloaded(plain, tmp_path / "answer.zip") as package:
        manifest = json.loads(package.read("manifest.json"))
        assert {"answer.json", "result.signed.json", "picture.png", "report.html", "README.md", "LICENCE"} <= set(
            package.namelist()
        )
    assert set(manifest["signatures"]) == {"hospital-a", "hospital-b", "hospital-c"}
    synthesised(window, compute, tmp_path)


def synthesised(window: Window, compute: str, folder: Path) -> None:
    """A synthetic table, with JavaScript: the parties' progress shows without reloading."""
    developer = window("developer")
    page = developer.page
    page.goto(f"{compute}?kind=synthesis")
    page.get_by_label("Privacy (epsilon)").fill("3")
    page.get_by_label("Rows").fill("300")
    page.get_by_role("button", name="Order the computation").click()
    progress = page.locator("#progress")
    expect(progress.get_by_role("rowheader", name="hospital-b")).to_be_visible(timeout=MINUTES)
    expect(page.get_by_role("link", name="To the data and their report")).to_be_visible(timeout=MINUTES)
    page.get_by_role("link", name="To the data and their report").click()
    expect(page.frame_locator("iframe").get_by_text("not measured").first).to_be_visible()
    with downloaded(page, folder / "table.zip") as package:
        assert {"synthetic.parquet", "synthetic.csv", "manifest.json"} <= set(package.namelist())
    assert developer.complaints == []


def test_a_bought_computation_is_paid_with_its_answer_and_refunded_if_a_hospital_refuses(
    window: Window, servers: Servers, tmp_path: Path
) -> None:
    holder, buyer, operator = window("holder"), window("developer", java_script_enabled=False), window("operator")
    billed(operator.page, servers.hub, HUB, "/billing?hub=true")
    billed(buyer.page, servers.hub, BUYER)
    page = holder.open("/holder/market")
    page.get_by_label("What", exact=True).select_option(value=f"compute:{DATASET}")
    page.get_by_label("Title").fill("Survival, computed together")
    page.locator("input[name=price][value=per_query]").check()
    page.get_by_label("Amount, without VAT").fill("100")
    page.locator("input[name=purposes][value=e]").check()
    page.get_by_label("The hub agrees on my behalf").check()
    page.get_by_text("Service, frontier and split").click()
    for kind in ("histogram", "moments"):
        page.locator(f"input[name=computations][value={kind}]").check()
    page.get_by_role("button", name="List it").click()
    expect(page.get_by_role("link", name="Survival, computed together")).to_be_visible()

    plain = buyer.open("/market")
    plain.get_by_role("link", name="Survival, computed together").click()
    plain.get_by_role("button", name="Ask for it on these terms").click()
    plain.get_by_role("button", name="Verify the agreement").click()
    agreement = plain.url
    # The parties' own rules allow histograms and nothing is said of means, which they refuse.
    computed(buyer, operator, agreement, "Histograms", "age", "1")
    answered(plain)
    with downloaded(plain, tmp_path / "answer.zip") as package:
        assert set(json.loads(package.read("manifest.json"))["signatures"]) == {
            "hospital-a",
            "hospital-b",
            "hospital-c",
        }
    computed(buyer, operator, agreement, "Means and variances", "age", "2")
    expect(plain.locator("#progress .error")).to_be_visible(timeout=MINUTES)
    plain.goto(f"{servers.hub}/market/purchases")
    expect(plain.get_by_text("delivered", exact=True)).to_be_visible()
    expect(plain.get_by_text("cancelled", exact=True)).to_be_visible()
    operator.open("/books").get_by_text("Paid too much").wait_for()
    expect(operator.open("/books/check").get_by_text("intact", exact=True)).to_be_visible()


def computed(buyer: Visitor, operator: Visitor, agreement: str, kind: str, column: str, number: str) -> None:
    """Buy one order, pay it by the bank's statement, and describe the question."""
    plain = buyer.page
    plain.goto(agreement)
    plain.get_by_role("button", name="Buy with obligation to pay").click()
    purchase, told = plain.url, plain.get_by_text("with reference RF").inner_text()
    reference = re.findall(r"RF[0-9A-Z]+", told)[-1]
    amount = int(re.sub(r"\D", "", told.split("with")[0]))
    paid = statement((amount, reference, "")).replace(b"<AcctSvcrRef>B0", b"<AcctSvcrRef>J" + number.encode())
    operator.open("/books").locator("input[type=file]").set_input_files(
        {"name": "s.xml", "mimeType": "application/xml", "buffer": paid}
    )
    operator.page.get_by_role("button", name="Book the statement").click()
    expect(operator.page.get_by_text("The statement is booked.")).to_be_visible()
    plain.goto(purchase)
    plain.get_by_role("link", name="Order a computation").click()
    plain.get_by_label(kind).check()
    plain.get_by_role("button", name="Go on").click()
    plain.locator(f"input[name=columns][value={column}]").check()
    plain.get_by_role("button", name="Order the computation").click()
    expect(plain.get_by_text("Digest of the question")).to_be_visible()


def answered(page: Page) -> None:
    """Wait until the answer lies ready, and go there; without JavaScript the page refreshes itself."""
    link = page.get_by_role("link", name="To the data and their report")
    expect(link.or_(page.locator("#progress .error"))).to_be_visible(timeout=MINUTES)
    assert not page.locator("#progress .error").count(), page.locator("#progress").inner_text()
    link.click()
    expect(page.get_by_role("heading", name="Download")).to_be_visible()


def downloaded(page: Page, target: Path) -> zipfile.ZipFile:
    """Press the button and open what comes."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    waiting.value.save_as(target)
    return zipfile.ZipFile(target)
