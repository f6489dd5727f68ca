"""The page stands alone, speaks to everyone, and holds no row."""

from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
import pytest

from metrics.attacks.privacy_suite import privacy_suite
from metrics.fidelity.suite import fidelity_suite
from metrics.gate import Limits, judge
from metrics.plots.candidate import candidate_plots, frontier_plot
from metrics.reporting.page import ReportContext, render_report
from metrics.reporting.words import FIGURES
from metrics.utility.suite import utility_suite
from records.privacy import PrivacySpend
from records.schema import Schema

pytestmark = pytest.mark.slow

PNG = b"\x89PNG"


class Tags(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def context(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    spend: PrivacySpend,
    **changes: Any,
) -> ReportContext:
    rng = np.random.default_rng(0)
    reports = {
        "utility": utility_suite(train, holdout, synthetic, schema, schema.outcomes[0], seed=0),
        "fidelity": fidelity_suite(train, holdout, synthetic, schema, rng=rng),
        "privacy": privacy_suite(train, holdout, synthetic, schema, rng=rng),
    }
    candidate = reports["fidelity"]["candidate_sha256"]
    verdict = judge(candidate_sha256=candidate, rows=synthetic.height, spend=spend, limits=Limits(), **reports)
    given = {
        "title": "Made-up <report>",
        "use_case": "lung",
        "cohort_title": "Made-up cohort",
        "citation": "Nobody et al. 2026",
        "licence": "CC0",
        "schema": schema,
        "counts": {"real": 800, "train": 500, "holdout": 300, "synthetic": synthetic.height},
        "spend": spend.to_json(),
        "verdict": verdict,
        "plots": candidate_plots(**reports),
        "provenance": {"Seed": "0"},
        **reports,
    }
    return ReportContext(**(given | changes))


@pytest.fixture(scope="module")
def good(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, spend: PrivacySpend
) -> ReportContext:
    ledger = {"total_rho": 1.0, "spent_rho": 0.2, "remaining_rho": 0.8}
    return context(train, holdout, fresh, schema, spend, simulated_sites=True, defects=("A defect.",), ledger=ledger)


@pytest.fixture(scope="module")
def page(good: ReportContext) -> str:
    return render_report(good)


def test_page_loads_nothing_from_outside(page: str) -> None:
    tags = Tags(page)
    assert not tags.of("link", "script", "iframe", "object", "embed")
    sources = [a["src"] for _, a in tags.found if "src" in a]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert all(a["href"].startswith("#") for _, a in tags.found if "href" in a)
    assert "@import" not in page
    assert "url(" not in page


def test_page_is_accessible(page: str) -> None:
    tags = Tags(page)
    assert len(tags.of("img")) == 11
    assert all(image.get("alt") for image in tags.of("img"))
    assert all(a.get("aria-label") or a.get("aria-hidden") for a in tags.of("svg"))
    assert tags.of("html")[0]["lang"] == "en"
    assert len(tags.of("h1")) == len(tags.of("main")) == 1
    assert tags.of("a")[0] == {"class": "skip", "href": "#main"}
    targets = {a["href"][1:] for a in tags.of("a")}
    assert targets <= {a.get("id") for _, a in tags.found}


def test_page_tells_the_verdict_and_the_limits_of_the_claim(page: str, good: ReportContext) -> None:
    assert good.verdict.released
    for words in (
        "Released",
        "ε = 3.9",
        "not differentially private",
        "hospitals are simulated",
        "A defect.",
        "Nobody et al.",
    ):
        assert words in page


def test_page_escapes_what_it_is_given(page: str) -> None:
    assert "Made-up <report>" not in page
    assert "Made-up &lt;report&gt;" in page


def test_page_holds_no_identifier(page: str, train: pl.DataFrame) -> None:
    assert not [name for name in train["patient"][:50] if name in page]


def test_refused_page_gives_every_reason(
    train: pl.DataFrame, holdout: pl.DataFrame, copied: pl.DataFrame, schema: Schema
) -> None:
    refused = context(train, holdout, copied, schema, PrivacySpend())
    page = render_report(refused)
    assert "Refused" in page
    assert len(refused.verdict.reasons) >= 8
    assert "No differential privacy" in page


@pytest.mark.parametrize("rows", [0, 1])
def test_hopeless_candidate_still_has_a_page(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, spend: PrivacySpend, rows: int
) -> None:
    page = render_report(context(train, holdout, fresh[:rows], schema, spend))
    assert "Refused" in page
    assert "not available" in page


def test_cohort_without_follow_up(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, spend: PrivacySpend
) -> None:
    names = [name for name in schema.names if name not in ("time", "event")]
    found = context(train, holdout, fresh, schema.select(names), spend)
    assert "kaplan_meier" not in found.plots
    assert "Recurrence" in render_report(found)


def test_frontier_is_drawn_with_gaps() -> None:
    points = [
        {"epsilon": e, "tstr_auc": a, "mean_tvd2": 0.1, "membership_auc": 0.5, "method": "m"}
        for e, a in ((1.0, 0.6), (1.0, 0.62), (None, 0.7), (3.0, None))
    ]
    assert frontier_plot(points, {"trtr_auc": 0.75}).startswith(PNG)


def test_plots_are_png(good: ReportContext) -> None:
    assert set(good.plots) == set(FIGURES) - {"frontier"}
    assert all(image.startswith(PNG) for image in good.plots.values())
