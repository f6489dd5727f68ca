"""What is shown and told of the results."""

from datetime import date
from html.parser import HTMLParser

import polars as pl

from harmonisation.omop.cdm import Cdm
from harmonisation.quality.codebook import check_cohort
from harmonisation.quality.facts import quality_facts
from harmonisation.quality.omop import check_cdm
from harmonisation.quality.page import quality_page
from harmonisation.quality.plot import heat_map
from harmonisation.quality.results import Result, Results
from tests.harmonisation.quality.model import TODAY, good, put
from use_cases.registry import discover

SECRET = "Virtanen"


class Tags(HTMLParser):
    """Counts tags and refuses unbalanced ones."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def spoiled() -> Results:
    tables = put(
        put(good(), "measurement", 1, person_id=9999), "condition_occurrence", 1, condition_source_value=SECRET
    )
    return check_cdm(Cdm(tables), source="<made>", today=TODAY)


def test_the_page_is_whole_and_tells_what_failed_without_values() -> None:
    page, tags = quality_page(spoiled()), Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "isForeignKey" in page
    assert "&lt;made&gt;" in page
    assert SECRET not in page
    assert "9999" not in page.replace("base64", "").split("data:image")[0]


def test_the_picture_has_a_cell_for_each_type_and_table() -> None:
    results = spoiled()
    cells = results.frame().select("check", "table").n_unique()
    assert len(heat_map(results).axes[0].patches) == cells


def test_facts_are_shares_of_checks() -> None:
    facts = quality_facts(spoiled())
    assert "pass" in facts["completeness (checks)"]
    assert facts["uniqueness (checks)"].startswith("100 %")
    assert not facts["consistency (checks)"].startswith("100 %")
    many = Results("x", tuple(Result("isPrimaryKey", "t", violated=n == 0, denominator=1) for n in range(1000)))
    assert quality_facts(many)["uniqueness (checks)"] == "99 % of 1000 checks pass"


def test_facts_fit_the_label_of_the_hub() -> None:
    from hub.catalogue.record import Label

    cohort = discover()["lung"].cohorts[0]
    facts = quality_facts(check_cohort(cohort.load(), cohort.table))
    assert Label(technical_quality=facts).letters()["b"] == facts


def test_an_empty_result_has_a_page() -> None:
    empty = check_cdm(Cdm({}), source="nothing", today=date(2024, 1, 1))
    assert "cdmTable" in quality_page(empty)
    assert quality_facts(Results("none", ())) == {}
    assert isinstance(empty.frame(), pl.DataFrame)
