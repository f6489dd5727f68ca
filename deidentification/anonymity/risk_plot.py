"""The picture of residual risk: three risks before and after de-identification; the journalist's where it is another.

Belongs here: drawing. Does not belong here: computing the risks (``risk``).
"""

import io

from deidentification.anonymity.risk import Risk

SHOWN = {
    "Prosecutor,\nhighest": "prosecutor_highest", "Prosecutor,\nmean": "prosecutor_average",
    "Rows at risk": "prosecutor_at_risk", "Journalist,\nhighest": "journalist_highest", "Marketer": "marketer",
}  # fmt: skip


def risk_picture(before: Risk, after: Risk, *, warning: str = "") -> bytes:
    """Bars of each risk before and after, as the bytes of a PNG, under a ``warning`` if there is one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    known = after.population_multiplier > 1
    shown = {label: field for label, field in SHOWN.items() if known or not field.startswith("journalist")}
    figure = Figure(figsize=(7.5, 3.8), layout="constrained", dpi=130)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for shift, risk, name, colour in ((-0.2, before, "before", "#b0413e"), (0.2, after, "after", "#3a6ea5")):
        heights = [getattr(risk, field) for field in shown.values()]
        bars = axes.bar([i + shift for i in range(len(shown))], heights, 0.38, label=name, color=colour)
        axes.bar_label(bars, [f"{height:.3g}" for height in heights], fontsize=8, padding=2)
    axes.axhline(after.threshold, color="grey", linewidth=0.8, linestyle="--", label=f"threshold {after.threshold:g}")
    axes.set_xticks(range(len(shown)), list(shown), fontsize=9)
    axes.set_ylim(0, 1.12)
    if not known:
        axes.set_xlabel("Journalist's risk: as the prosecutor's, since no sampling fraction is given", fontsize=8)
    axes.set_ylabel("Risk of re-identification")
    rows = f"{before.rows:,} rows before, {after.rows:,} rows after"
    axes.set_title(f"{warning}\n{rows}" if warning else rows, fontsize=10, color="#b0413e" if warning else "black")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
