"""The report of synthetic images: a single HTML page without network, with the phantom banner where it belongs.

Belongs here: what the page needs and rendering it. Does not belong here: measuring, judging, drawing (``plots``), or the
formats that all pages share (``metrics.reporting.page``).
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader

from metrics.gate import Verdict
from metrics.images.gate import ImageLimits
from metrics.images.plots import membership_plot, nearest_plot, pictures_plot, radiomics_plot, utility_plot
from metrics.reporting.page import TEMPLATES, environment
from records.images import ImageSchema, ImageTable

OWN_TEMPLATES = Path(__file__).parent / "templates"
FIGURES = {
    "pictures": (
        "Synthetic images",
        "Grids of images by label, lesions outlined.",
        "Rows by label, at the codebook's window. Lesions are outlined in red.",
    ),
    "nearest": (
        "Nearest pairs",
        "Synthetic images above the training image nearest to each.",
        "The eight synthetic images that lie nearest to a training image (pixel distance), above that image. Copies would "
        "look the same.",
    ),
    "utility": (
        "What the images are worth",
        "AUC and Dice on real images with intervals, by what the model was trained on.",
        "Every model is tested on the same patients, whom nobody saw. Dots: mean over training seeds (ticks); bars: 95 % "
        "interval over patients and seeds. Dashed: guessing.",
    ),
    "membership": (
        "Membership attacks",
        "AUC of each attack with its interval beside guessing and the limit.",
        "Each attack guesses which patients were trained on. The whole bar must lie left of the solid line.",
    ),
    "radiomics": (
        "Readable features",
        "Histograms of six image features, real beside synthetic.",
        "Intensities are shares of the codebook's window. Real counts are rounded to multiples of 5.",
    ),
    "decision_support": (
        "Decision support: what is gained or lost",
        "AUC over the number of patients trained on, for real, synthetic and both.",
        "A classifier trained on real, on synthetic, and on real and synthetic images. Bars: 95 % interval over patients "
        "and seeds.",
    ),
}


@dataclass(frozen=True)
class ImageReport:
    """Everything the page shows, as plain values.

    Parameters
    ----------
    title, use_case, citation, licence : str
    evaluation : mapping
        What ``evaluate_images`` returned.
    spend : mapping
        JSON of the privacy spend.
    verdict : Verdict
    plots : mapping of str to bytes
        PNG by name in ``FIGURES``, see ``report_plots``; ``decision_support`` too where the study was run.
    provenance : mapping of str to str
        Hashes, seeds, versions: shown as they are.
    """

    title: str
    use_case: str
    citation: str
    licence: str
    evaluation: Mapping[str, Any]
    spend: Mapping[str, Any]
    verdict: Verdict
    plots: Mapping[str, bytes] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


def report_plots(
    evaluation: Mapping[str, Any], synthetic: ImageTable, schema: ImageSchema, *, train: ImageTable | None = None,
    may_show_real: bool = False, limits: ImageLimits | None = None,
) -> dict[str, bytes]:  # fmt: skip
    """PNG of every figure.

    Parameters
    ----------
    train : ImageTable or None
        Of a phantom, or with ``may_show_real``: drawn beside the synthetic images. Otherwise no real image is drawn.
    may_show_real : bool
        Whether the permit allows real images in this report.
    """
    shown = train if schema.phantom or may_show_real else None
    limit = (limits or ImageLimits()).max_membership_auc_upper
    plots = {
        "pictures": pictures_plot(synthetic, schema, real=shown, may_show_real=may_show_real),
        "utility": utility_plot(evaluation["utility"]),
        "membership": membership_plot(evaluation["privacy"]["membership"], limit),
    }
    if shown is not None:
        plots["nearest"] = nearest_plot(synthetic, shown, schema, may_show_real=may_show_real)
    if evaluation["fidelity"]["histograms"]:
        plots["radiomics"] = radiomics_plot(evaluation["fidelity"]["histograms"])
    return plots


def render_image_report(report: ImageReport) -> str:
    """The page as HTML, with styles and pictures inside."""
    made = environment()
    made.loader = ChoiceLoader([FileSystemLoader(OWN_TEMPLATES), FileSystemLoader(TEMPLATES)])
    figures = [
        {"title": title, "alt": alt, "caption": caption, "image": b64encode(report.plots[name]).decode("ascii")}
        for name, (title, alt, caption) in FIGURES.items()
        if name in report.plots
    ]
    return made.get_template("image_report.html.j2").render(c=report, e=report.evaluation, figures=figures)
