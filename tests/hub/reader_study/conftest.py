"""Images of both kinds, studies, and browsers without a browser."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from hub.reader_study import Mode, Statement, Study, create_study
from hub.reader_study.page import build
from records.images import INDEX, ImageSchema, ImageTable, IntensityUnit
from use_cases.images import load_image_codebook

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ALLOWED = Statement(permit="P-7", valid_until=date(2026, 12, 31))
SCHEMA: ImageSchema = load_image_codebook(
    Path(__file__).parents[3] / "use_cases" / "images" / "chest_xray28.yaml"
).image


def images(kind: str, *, patients: int = 30, slices: int = 1, **values: Any) -> ImageTable:
    """Noise about a grey that tells the kind: real ones are bright, synthetic ones dark."""
    n = patients * slices
    rows = pl.DataFrame(
        {
            "pseudonym": [f"{kind}-{i // slices:03}" for i in range(n)], "study": [1] * n, "series": [1] * n,
            "slice": [i % slices for i in range(n)],
        },
        schema=INDEX,
    ).with_columns(finding=pl.Series(["normal" if i // slices % 3 else "pneumonia" for i in range(n)]))  # fmt: skip
    level = 0.8 if kind == "real" else 0.2
    noise = np.random.default_rng(len(kind)).uniform(-0.1, 0.1, (n, 28, 28)).astype(np.float32)
    return ImageTable(rows, noise + np.float32(level), IntensityUnit.GREY, None, **values)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., tuple[Path, Study]]:
    """Makes a study; 10 pairs, two readers, under a permit, unless told otherwise."""

    def made(**values: Any) -> tuple[Path, Study]:
        folder = tmp_path / "study"
        real, synthetic = values.pop("real", images("real")), values.pop("synthetic", images("synthetic"))
        options: dict[str, Any] = {"mode": Mode.PAIRS, "questions": 10, "readers": 2, "seed": 5, "statement": ALLOWED}
        return folder, create_study(folder, real, synthetic, SCHEMA, **(options | values))

    return made


def visitor(folder: Path, code: str | None = None, *, host: str = "127.0.0.1", now: datetime = NOW) -> TestClient:
    """A browser at a study's page, signed in with a code if one is given."""
    client = TestClient(build(folder, clock=lambda: now), client=(host, 40_000), follow_redirects=True)
    if code:
        assert client.post("/code", data={"code": code}).status_code == 200
    return client


def codes(study: Study) -> list[str]:
    """Readers' codes in order."""
    return sorted(study.readers, key=lambda code: study.readers[code])
