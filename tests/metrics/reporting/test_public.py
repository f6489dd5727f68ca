"""What leaves the house: rounded figures only, no curve, table or interval of real patients."""

import json
from typing import Any

import pytest

from metrics.reporting.headline import HEADLINES
from metrics.reporting.public import public_page, public_summary


@pytest.fixture
def document() -> dict[str, Any]:
    curve = {"grid": [0.0, 1.0], "curves": {"train": {"survival": [1.0, 0.123456]}}, "synthetic": {"mean": 0.0151}}
    return {
        "title": "T <b>", "candidate_sha256": "0" * 64, "counts": {"train": 344, "holdout": 148, "synthetic": 500},
        "verdict": {"released": True, "findings": [{}] * 24, "reasons": []},
        "utility": {"tstr_auc": 0.69412, "trtr_auc": 0.70333, "outcome_label": "Death", "secret": [0.123456]},
        "fidelity": {"mean_tvd2": 0.10749, "survival": curve}, "privacy": {"auc": 0.5123},
        "spend": {"epsilon": 5.0, "delta": 1e-5, "neighbouring": "add or remove one patient", "accountant": "zCDP"},
    }  # fmt: skip


def test_only_rounded_headlines_leave(document: dict[str, Any]) -> None:
    text = json.dumps(public_summary(document))
    assert "0.123456" not in text
    assert "344" not in text
    assert "148" not in text
    figures = {f["label"]: f["value"] for f in public_summary(document)["figures"]}
    assert figures[HEADLINES[0].label] == 0.69
    assert all(round(value, 2) == value for value in figures.values())


def test_the_page_is_one_escaped_file(document: dict[str, Any]) -> None:
    page = public_page(public_summary(document), "Someone <script>", None)
    assert "<script" not in page
    assert "T &lt;b&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
