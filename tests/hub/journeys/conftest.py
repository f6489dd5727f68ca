"""Real servers and a real browser: the hub beside Dagster and MLflow, and Debian's Chromium driven by Playwright."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from hub.deployment import Deployment
from hub.web.application import build
from tests.orchestration.commands import started, until
from tests.orchestration.test_servers import answers, free_port

PASSWORD = "demo-demo-demo"


@dataclass(frozen=True)
class Servers:
    """Addresses of one deployment, and its home."""

    home: Path
    hub: str
    dagster: str
    pid: int
    database: str

    @contextmanager
    def store(self) -> Iterator[sa.Connection]:
        """The hub's store, past the hub: as somebody with full rights over it."""
        engine = sa.create_engine(self.database)
        with engine.begin() as connection:
            yield connection
        engine.dispose()


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Servers]:
    """``phaseiv up`` with demonstration accounts; ``PHASEIV_TEST_HUB_DATABASE_URL`` names an empty store to use instead of
    SQLite."""
    if url := os.environ.get("PHASEIV_TEST_HUB_DATABASE_URL"):
        settings = {"PHASEIV_HUB_DATABASE_URL": url} | settings
    ports = {name: free_port() for name in ("dagster", "mlflow", "hub")}
    options = [f"--{name}-port={port}" for name, port in ports.items()]
    process = started(home, "phaseiv", "up", *options, log=home / "up.log", PHASEIV_HUB_DEMO="true", **settings)
    address = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    until(lambda: process.poll() is None and answers(f"{address['dagster']}/server_info"))
    until(lambda: process.poll() is None and answers(f"{address['hub']}/api/v1/health"))
    database = settings.get("PHASEIV_HUB_DATABASE_URL", f"sqlite:///{home / 'hub' / 'hub.db'}")
    yield Servers(home, address["hub"], address["dagster"], process.pid, database)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=60)


@contextmanager
def alone(deployment: Deployment, port: int) -> Iterator[None]:
    """The hub without Dagster and MLflow, in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(build(deployment), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture(scope="module")
def servers(new_home: Callable[[], Path]) -> Iterator[Servers]:
    """``phaseiv up`` on a home of its own."""
    with serving(new_home()) as started_ones:
        yield started_ones


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if (binary := shutil.which("chromium")) is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Visitor:
    """A browser window of one person; what the console complains of is kept."""

    def __init__(self, context: BrowserContext, hub: str) -> None:
        self.context, self.hub, self.complaints = context, hub, list[str]()
        self.page: Page = context.new_page()
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Page:
        """Go to a page of the hub."""
        self.page.goto(f"{self.hub}{path}")
        return self.page

    def sign_in(self, role: str) -> "Visitor":
        """As one of the demonstration's people."""
        page = self.open("/sign-in")
        page.get_by_label("E-mail").fill(f"{role}@demo.example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        return self


def billed(page: Page, hub: str, details: dict[str, str], path: str = "/billing") -> None:
    """Billing details are filled in and kept."""
    page.goto(f"{hub}{path}")
    for name, value in details.items():
        page.locator(f"input[name={name}]").fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("billing details are kept")).to_be_visible()


@pytest.fixture
def window(chromium: Browser, servers: Servers) -> Iterator[Callable[..., Visitor]]:
    """Opens windows: ``window()``, ``window("officer")``, ``window(java_script_enabled=False)``."""
    contexts: list[BrowserContext] = []

    def opened(role: str | None = None, **options: Any) -> Visitor:
        context = chromium.new_context(locale="en-GB", accept_downloads=True, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        visitor = Visitor(context, servers.hub)
        return visitor.sign_in(role) if role else visitor

    yield opened
    for context in contexts:
        context.close()
