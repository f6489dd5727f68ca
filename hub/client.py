"""The Python client: an AI developer's way to the hub.

Belongs here: talking to the REST API, with progress, retries and checksums. Does not belong here: anything of the server.

Examples
--------
>>> from hub.client import Hub
>>> hub = Hub("https://hub.example.eu", token="p4_...")     # doctest: +SKIP
>>> hub.search("stroke")                                     # doctest: +SKIP
>>> request = hub.request("stroke-copenhagen", rows=1000, purpose="scientific research", ...)  # doctest: +SKIP
>>> table = request.wait().get().polars()                    # doctest: +SKIP
"""

import hashlib
import io
import json
import os
import random
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from hub.client_computation import FINAL, PATIENCE_SECONDS, Computation
from records.errors import ParameterError, PhaseIVError, StorageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

URL_VARIABLE, TOKEN_VARIABLE = "PHASEIV_HUB_URL", "PHASEIV_HUB_TOKEN"
RETRIES = 5
AGAIN = (429, 502, 503, 504)


class HubAnswerError(PhaseIVError):
    """The hub refused; the message is the hub's own."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(f"{words} (HTTP {status})")


class Hub:
    """A hub at ``url``; the token comes from one's account page.

    Parameters
    ----------
    url, token : str or None
        By default from ``PHASEIV_HUB_URL`` and ``PHASEIV_HUB_TOKEN``.
    verbose : bool
        Whether to show progress and to print the licence with the data.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, verbose: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        address = url or os.environ.get(URL_VARIABLE, "http://127.0.0.1:8000")
        secret = token or os.environ.get(TOKEN_VARIABLE, "")
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.verbose = verbose
        self._http = httpx.Client(
            base_url=f"{address.rstrip('/')}/api/v1", headers=headers, timeout=60, transport=transport
        )

    def search(self, text: str = "", **facets: str) -> "Found":
        """Data sets whose words or facets fit."""
        answer = self.call("GET", "/datasets", params={"q": text, **facets})
        return Found(answer["items"], answer["total"])

    def dataset(self, dataset_id: str) -> dict[str, Any]:
        """Everything the catalogue says of one data set."""
        return self.call("GET", f"/datasets/{dataset_id}")

    def offers(self, dataset_id: str) -> list[dict[str, Any]]:
        """Uses of a data set that are allowed beforehand."""
        return self.call("GET", f"/datasets/{dataset_id}/offers")

    def request(self, dataset_id: str, *, form: Mapping[str, Any] | None = None, **fields: Any) -> "HubRequest":
        """Ask for a synthetic data set; ``form`` holds the answers of Article 67, ``fields`` add to them."""
        body = {"dataset_ids": [dataset_id], "kind": "synthetic", **(form or {}), **fields}
        return HubRequest(self, self.call("POST", "/requests", json=body))

    def compute(self, permit_id: str, /, dataset_id: str, *, kind: str, purpose: str, **fields: Any) -> Computation:
        """Have hospitals compute together under a permit; the same question asked again is the same order.

        ``fields``: ``columns``, ``filters``, ``parameters``, ``minimum_count``, ``epsilon``, ``rows``, ``participants``.
        """
        body = {"dataset_id": dataset_id, "kind": kind, "purpose": purpose, **fields}
        return Computation(self, self.call("POST", f"/permits/{permit_id}/computations", json=body))

    def terms(self, permit_id: str) -> dict[str, Any]:
        """What a permit for computations leaves to order, and what was ordered."""
        return self.call("GET", f"/permits/{permit_id}/computations")

    def computation(self, order_id: str) -> Computation:
        """One's own computation."""
        return Computation(self, self.call("GET", f"/orders/{order_id}"))

    def status(self, request_id: str) -> "HubRequest":
        """One's own request."""
        return HubRequest(self, self.call("GET", f"/requests/{request_id}"))

    def artefacts(self) -> list[dict[str, Any]]:
        """What lies ready or has expired."""
        return self.call("GET", "/artefacts")

    def get(self, artefact_id: str, to: Path | str | None = None) -> "Artefact":
        """Download, and check size and sha256; a broken or damaged transfer is tried again."""
        facts = self.call("GET", f"/artefacts/{artefact_id}")
        folder = Path(to) if to is not None else Path(tempfile.mkdtemp(prefix="phaseiv-"))
        path = folder / f"{artefact_id}.zip"
        for attempt in range(RETRIES):
            token = self.call("POST", f"/artefacts/{artefact_id}/token")["token"]
            try:
                self._download(f"/artefacts/{artefact_id}/download", token, path, facts)
                break
            except (httpx.TransportError, StorageError):
                if attempt == RETRIES - 1:
                    raise
                time.sleep(_pause(attempt))
        made = Artefact(path, facts)
        if self.verbose:
            print(made.licence)
        return made

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One call of the REST API; what may succeed a little later is tried again.

        Raises
        ------
        HubAnswerError
            The hub refused, with its words.
        """
        for attempt in range(RETRIES):
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError:
                if attempt == RETRIES - 1 or method != "GET":
                    raise
                time.sleep(_pause(attempt))
                continue
            if answer.status_code not in AGAIN or attempt == RETRIES - 1:
                return _checked(answer)
            time.sleep(float(answer.headers.get("retry-after", _pause(attempt))))
        raise AssertionError("unreachable")

    def _download(self, path: str, token: str, to: Path, facts: Mapping[str, Any]) -> None:
        digest, size, temporary = hashlib.sha256(), 0, to.with_suffix(".part")
        to.parent.mkdir(parents=True, exist_ok=True)
        with self._http.stream("GET", path, params={"token": token}) as answer:
            if answer.status_code != 200:
                answer.read()
                _checked(answer)
            with temporary.open("wb") as handle:
                for part in _shown(answer.iter_bytes(), int(facts["size"]), self.verbose):
                    handle.write(part)
                    digest.update(part)
                    size += len(part)
        if size != facts["size"] or digest.hexdigest() != facts["sha256"]:
            temporary.unlink()
            raise StorageError(f"the download must have sha256 {facts['sha256']}, got another; it is tried again")
        temporary.replace(to)


@dataclass(frozen=True)
class Found:
    """Data sets that fit a search; shows itself as a table."""

    items: list[dict[str, Any]]
    total: int

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        lines = [f"{i['id']:<40} {i['title']}" for i in self.items]
        return "\n".join([f"{self.total} data sets", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{escape(i['id'])}</td><td>{escape(i['title'])}</td></tr>" for i in self.items)
        return f"<table><caption>{self.total} data sets</caption><tr><th>id</th><th>title</th></tr>{rows}</table>"


class HubRequest:
    """One's own request: its state, who acts next, and its data once they lie ready."""

    def __init__(self, hub: Hub, facts: dict[str, Any]) -> None:
        self._hub, self.facts = hub, facts

    @property
    def id(self) -> str:
        """The request's id."""
        return self.facts["id"]

    @property
    def order(self) -> dict[str, Any]:
        """The newest order under the request; empty while there is none."""
        return self.facts.get("order") or {}

    def refresh(self) -> "HubRequest":
        """Ask the hub how it stands."""
        self.facts = self._hub.status(self.id).facts
        return self

    def wait(self, seconds: float = PATIENCE_SECONDS) -> "HubRequest":
        """Wait until the data lie ready.

        Raises
        ------
        PhaseIVError
            The request waits for a person, the data could not be made, or the time is over.
        """
        end, shown = time.monotonic() + seconds, ""
        while self.order.get("state") not in FINAL:
            if not self.order:
                raise ParameterError(f"the request must be granted by rule, got {self!r}; ask again when it is decided")
            if time.monotonic() > end:
                raise StorageError(f"the data must be ready within {seconds:.0f} s, got {self!r}; wait again")
            if self._hub.verbose and shown != self.order["stage"]:
                shown = self.order["stage"]
                print(shown)
            time.sleep(0.5)
            self.refresh()
        if self.order["state"] != "ready":
            raise ParameterError(f"the data must be made, got {self.order['state']}: {self.order.get('reason')}")
        return self

    def get(self, to: Path | str | None = None) -> "Artefact":
        """Download the data."""
        return self._hub.get(self.order["artefact_id"], to)

    def __repr__(self) -> str:
        order = f", order {self.order['state']} ({self.order['stage']})" if self.order else ""
        return f"<request {self.id}: {self.facts['state']}, next: {self.facts.get('next_actor') or 'nobody'}{order}>"


@dataclass(frozen=True, repr=False)
class Artefact:
    """A downloaded package with its table, report, manifest and licence."""

    path: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> Sequence[str]:
        """Files inside."""
        with zipfile.ZipFile(self.path) as package:
            return package.namelist()

    @property
    def licence(self) -> str:
        """On what terms the data may be used."""
        return self.read("LICENCE").decode()

    def read(self, name: str) -> bytes:
        """One file's bytes."""
        with zipfile.ZipFile(self.path) as package:
            return package.read(name)

    def answer(self) -> dict[str, Any]:
        """The answer of a computation."""
        return json.loads(self.read("answer.json"))

    def polars(self) -> "pl.DataFrame":
        """The table."""
        import polars as pl

        for name in self.names:
            if name.endswith(".parquet"):
                return pl.read_parquet(io.BytesIO(self.read(name)))
        for name in self.names:
            if name.endswith(".csv"):
                return pl.read_csv(io.BytesIO(self.read(name)))
        raise ParameterError(f"the package must hold a table, got {', '.join(self.names)}; ask for parquet or csv")

    def unpack(self, to: Path | str) -> Path:
        """All files, into a folder; for images.

        Raises
        ------
        ParameterError
            A name would leave the folder.
        """
        from hub.repository.archives import safe_name

        if not all(safe_name(name) for name in self.names):
            raise ParameterError("a package's names must be plain relative paths, got another; ask the hub's operator")
        with zipfile.ZipFile(self.path) as package:
            package.extractall(to)
        return Path(to)

    def pandas(self) -> "pd.DataFrame":
        """The table as pandas knows it."""
        return self.polars().to_pandas()

    def __repr__(self) -> str:
        return f"<{self.path.name}: {', '.join(self.names)}>"


def _checked(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    try:
        words = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        words = "the hub must answer in its own words, got something else; is the address right?"
    raise HubAnswerError(answer.status_code, str(words))


def _pause(attempt: int) -> float:
    """Seconds before another try: doubled each time and spread, so that clients do not come back together."""
    return 0.2 * 2**attempt * (1 + random.random())


def _shown(parts: Iterator[bytes], size: int, verbose: bool) -> Iterator[bytes]:
    if not verbose:
        yield from parts
        return
    from rich.progress import DownloadColumn, Progress

    with Progress(*Progress.get_default_columns(), DownloadColumn(), transient=True) as bar:
        task = bar.add_task("downloading", total=size)
        for part in parts:
            yield part
            bar.update(task, advance=len(part))
