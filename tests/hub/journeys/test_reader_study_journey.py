"""A reader judges pairs with the keyboard alone, the server stops and starts again, the organiser reads the result."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from hub.reader_study import Mode, Statement, Study, create_study
from models.phantoms import prostate_t2_phantom
from tests.orchestration.commands import until
from tests.orchestration.test_servers import answers, free_port
from use_cases.images import load_image_codebook

pytestmark = pytest.mark.slow
CODEBOOK = Path(__file__).parents[3] / "use_cases" / "prostate" / "prostate_t2_phantom.yaml"
PROGRAM = "import sys; from pathlib import Path; from hub.reader_study.server import serve; serve(Path(sys.argv[1]), int(sys.argv[2]))"
QUESTIONS = 6
REFUSED = "net::ERR_CONNECTION_REFUSED"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study]:
    """Pairs of phantoms of two seeds."""
    folder = tmp_path_factory.mktemp("reader_study") / "study"
    real, other = (prostate_t2_phantom(30, slices=1, rng=np.random.default_rng(seed)) for seed in (1, 2))
    statement = Statement("P-7", date.today() + timedelta(days=9))
    schema = load_image_codebook(CODEBOOK).image
    options = {"questions": QUESTIONS, "readers": 1, "seed": 3, "statement": statement}
    return folder, create_study(folder, real, other, schema, mode=Mode.PAIRS, **options)  # type: ignore[arg-type]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The study's page in a process of its own; its address."""
    port = free_port()
    with (folder.parent / "server.log").open("a") as log:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), str(port)], stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is None and answers(f"http://127.0.0.1:{port}/"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window without JavaScript, whose console must stay silent."""
    context = chromium.new_context(locale="en-GB", java_script_enabled=False)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    # Between two starts of the server nobody listens.
    assert not [text for text in complaints if REFUSED not in text]


def signed_in(page: Page, address: str, code: str) -> None:
    page.goto(address)
    page.get_by_label("Your code").fill(code)
    page.keyboard.press("Enter")


def press(page: Page, letter: str) -> None:
    """Alt and a letter as Chromium gets them from a keyboard; Playwright sends no character together with Alt."""
    event = {"modifiers": 1, "key": letter, "text": letter, "unmodifiedText": letter, "type": "keyDown"}
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchKeyEvent", event)
    session.send("Input.dispatchKeyEvent", event | {"type": "keyUp"})
    session.detach()


def test_a_reader_and_the_organiser(study: tuple[Path, Study], page: Page) -> None:
    folder, made = study
    code = next(iter(made.readers))
    with serving(folder) as address:
        signed_in(page, address, code)
        for number in range(1, 4):
            expect(page.get_by_text(f"Question {number} of {QUESTIONS}")).to_be_visible()
            for picture in page.locator(".pictures img").all():
                assert picture.evaluate("image => image.naturalWidth") == 64
            press(page, "2")
            expect(page.get_by_label("Rather sure")).to_be_checked()
            press(page, "l")
    with serving(folder) as address:
        page.goto(address)  # the browser still knows the code
        for number in range(4, QUESTIONS + 1):
            expect(page.get_by_text(f"Question {number} of {QUESTIONS}")).to_be_visible()
            press(page, "3")
            press(page, "r")
        expect(page.get_by_text("Thank you")).to_be_visible()
        page.get_by_role("button", name="Leave").click()
        signed_in(page, address, made.organiser)
        expect(page.get_by_text(f"of {QUESTIONS} answers.")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        lines = list(csv.DictReader(download.value.path().open()))
        assert [line["choice"] for line in sorted(lines, key=lambda line: line["answered_at"])].count("left") == 3
        truths = {str(i): question.truth for i, question in enumerate(made.questions, start=1)}
        assert {line["question"]: line["truth"] for line in lines} == truths
        right = sum(line["choice"] == line["truth"] for line in lines)
        expect(page.get_by_text(f"Readers were right in {right} of {QUESTIONS} answers.")).to_be_visible()
