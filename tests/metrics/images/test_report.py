"""Pages and figures: a phantom says so, and no real picture is drawn without leave."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from metrics.images.decision_support import FORMAT
from metrics.images.evaluation import evaluate_images
from metrics.images.gate import judge_images
from metrics.images.histograms import BARS, histograms
from metrics.images.plots import decision_support_plot, nearest_plot, pictures_plot
from metrics.images.radiomics import NAMES
from metrics.images.report import ImageReport, render_image_report, report_plots
from records.errors import ParameterError
from records.images import ImageSchema, ImageTable
from records.privacy import PrivacySpend

Draw = Callable[..., ImageTable]
PNG = b"\x89PNG"


def page(parts: list[ImageTable], schema: ImageSchema, **more: Any) -> tuple[str, dict[str, bytes]]:
    found = evaluate_images(*parts, schema, seed=0, training_seeds=(0,))
    verdict = judge_images(found, PrivacySpend(), candidate_sha256=found["candidate_sha256"])
    plots = report_plots(found, parts[2], schema, train=parts[0], **more)
    report = ImageReport(
        "Made <up>", "test", "nobody", "none", found, PrivacySpend().to_json(), verdict, plots, {"Seed": "0"}
    )
    return render_image_report(report), plots


@pytest.mark.slow
def test_a_phantom_says_so_and_may_be_shown(draw_images: Draw, image_schema: ImageSchema) -> None:
    named = {"name": "spots_phantom", "title": "Phantom of spots", "phantom": True}
    parts = [replace(draw_images(24, seed), phantom=True) for seed in range(3)]
    html, plots = page(parts, image_schema.model_copy(update=named))
    assert "PHANTOM." in html
    assert "says nothing about patients" in html
    assert set(plots) == {"pictures", "utility", "membership", "nearest", "radiomics"}
    assert all(plot.startswith(PNG) for plot in plots.values())
    assert "Made &lt;up&gt;" in html
    assert "http" not in html.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_real_images_are_not_drawn_and_few_patients_have_a_page(draw_images: Draw, image_schema: ImageSchema) -> None:
    html, plots = page([draw_images(count, seed) for seed, count in enumerate((9, 4, 12))], image_schema)
    assert "nearest" not in plots
    assert "PHANTOM" not in html
    assert html.count("ot measurable") >= 4


def test_real_pictures_need_leave(draw_images: Draw, image_schema: ImageSchema) -> None:
    train, made = draw_images(10, 0), draw_images(10, 1)
    with pytest.raises(ParameterError, match="must not be drawn"):
        pictures_plot(made, image_schema, real=train)
    with pytest.raises(ParameterError, match="must not be drawn"):
        nearest_plot(made, train, image_schema)
    assert nearest_plot(made, train, image_schema, may_show_real=True).startswith(PNG)
    assert pictures_plot(made, image_schema, real=train, may_show_real=True) != pictures_plot(made, image_schema)


def test_curves_with_gaps_are_drawn() -> None:
    known = {"value": 0.8, "lower": 0.7, "upper": 0.9}
    missing = dict.fromkeys(known)
    rows = [
        {"patients": n, "source": source, "auc": missing if n == 50 else known}
        for n in (50, 100)
        for source in ("real", "synthetic", "both")
    ]
    study = {"format": FORMAT, "phantom": True, "test_patients": 9, "rows": rows}
    assert decision_support_plot(study).startswith(PNG)


def test_histograms_round_real_counts() -> None:
    real, made = np.full((13, len(NAMES)), 0.5), np.full((4, len(NAMES)), 0.1)
    for one in histograms(real, made):
        assert len(one["real"]) == len(one["synthetic"]) == BARS
        assert sum(one["real"]) == sum(one["synthetic"]) == 1
    few = histograms(real[:2], made)[0]
    assert sum(few["real"]) == 0
