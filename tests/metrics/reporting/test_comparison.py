"""A document fulfils its JSON Schema; candidates stand side by side; the Finnish summary says the same."""

import json
from copy import deepcopy
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest

from metrics.evaluation import evaluate
from metrics.gate import Limits, judge
from metrics.reporting.comparison import compare, comparison_page
from metrics.reporting.document import document_schema, evaluation_document
from metrics.reporting.finnish import RULES, finnish_summary
from metrics.reporting.headline import HEADLINES, at, numbers
from records.errors import ParameterError
from records.privacy import PrivacySpend
from records.schema import Schema

pytestmark = pytest.mark.slow

HASH = "c" * 64


def document(tables: tuple[pl.DataFrame, ...], schema: Schema, spend: PrivacySpend) -> dict[str, Any]:
    reports = evaluate(*tables, schema, seed=0, candidate_sha256=HASH)
    cost = spend.to_json()
    verdict = judge(candidate_sha256=HASH, rows=tables[2].height, spend=cost, limits=Limits(), **reports)
    return evaluation_document("Made-up", reports, cost, verdict, {"real_sha256": "r", "seed": 0})


@pytest.fixture(scope="module")
def good(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, spend: PrivacySpend
) -> dict[str, Any]:
    return document((train, holdout, fresh), schema, spend)


@pytest.fixture(scope="module")
def copy(train: pl.DataFrame, holdout: pl.DataFrame, copied: pl.DataFrame, schema: Schema) -> dict[str, Any]:
    return document((train, holdout, copied), schema, PrivacySpend())


def test_documents_fulfil_the_schema(good: dict[str, Any], copy: dict[str, Any]) -> None:
    for made in (good, copy):
        stored = json.loads(json.dumps(made, allow_nan=False))
        assert list(jsonschema.Draft202012Validator(document_schema()).iter_errors(stored)) == []


@pytest.mark.parametrize("broken", ["verdict", "fidelity.triples", "privacy.membership", "counts.holdout"])
def test_the_schema_refuses_what_lacks_a_part(good: dict[str, Any], broken: str) -> None:
    stored, (*parents, last) = deepcopy(good), broken.split(".")
    place = at(stored, ".".join(parents)) if parents else stored
    del place[last]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(stored, document_schema())


def test_the_same_tables_and_seed_give_the_same_document(
    good: dict[str, Any], train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema,
    spend: PrivacySpend,
) -> None:  # fmt: skip
    assert document((train, holdout, fresh), schema, spend) == good


def test_every_headline_is_found(good: dict[str, Any]) -> None:
    assert [h.path for h in HEADLINES if at(good, h.path) is None] == []


def test_a_copy_is_best_at_nearness_and_worst_at_privacy(good: dict[str, Any], copy: dict[str, Any]) -> None:
    rows = {row.label: row for row in compare([good, copy])}
    assert list(rows["Mean distance of pairs (two-way TVD)"].best) == [False, True]
    assert list(rows["Strongest membership attack (AUC)"].best) == [True, False]
    assert list(rows["Exact copies beyond chance"].best) == [True, False]
    page = comparison_page(["ours", "<theirs>"], [good, copy])
    assert "&lt;theirs&gt;" in page
    assert "refused" in page
    assert "http" not in page


def test_unlike_is_not_compared(good: dict[str, Any]) -> None:
    other = deepcopy(good)
    other["provenance"]["real_sha256"] = "another"
    with pytest.raises(ParameterError, match="must rest on the same real patients, got 2 sets"):
        compare([good, other])
    with pytest.raises(ParameterError, match="at least two evaluations, got 1"):
        compare([good])


def test_equal_figures_have_no_best(good: dict[str, Any]) -> None:
    assert not any(any(row.best) for row in compare([good, deepcopy(good)]))


def test_numbers_are_all_finite_and_named_once(good: dict[str, Any]) -> None:
    found = numbers({key: good[key] for key in ("fidelity", "utility", "privacy")})
    assert len(found) > 300
    assert all(np.isfinite(value) for value in found.values())
    assert found["utility.tstr_auc"] == good["utility"]["tstr_auc"]
    assert "privacy.membership.attacks.Gen-LRA.all.auc" in found


def test_the_finnish_summary_says_the_same(good: dict[str, Any], copy: dict[str, Any]) -> None:
    words = " ".join(finnish_summary(good))
    assert "läpäisi kaikki" in words if good["verdict"]["released"] else "ei julkaista" in words
    assert f"{good['utility']['tstr_auc']:.2f}".replace(".", ",") in words
    refused = " ".join(finnish_summary(copy))
    assert RULES["exact_copies_excess"] in refused
    assert "ei ole differentiaalisen yksityisyyden takuuta" in refused


def test_every_rule_has_finnish_words(good: dict[str, Any], copy: dict[str, Any]) -> None:
    used = {f["rule"] for d in (good, copy) for f in d["verdict"]["findings"]}
    assert used <= set(RULES)
