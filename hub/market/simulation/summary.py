"""What a simulated market shows: gains of strategies, earnings of a crowd, a picture and a page.

Belongs here: summaries, the picture, files. Does not belong here: the rounds (``rounds``).
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hub.market.simulation.rules import RULES
from hub.market.simulation.strategies import STRATEGIES
from records.errors import StorageError
from records.files import write_atomically

DRAWS = 2000  # of the bootstrap
NAMES = ("deviations.csv", "crowd.csv", "summary.json", "gains.png", "summary.md")
COLOURS = {
    "ours": "#0072B2", "ours, copies shared": "#56B4E9", "plain KNN-Shapley": "#009E73", "plain AUC-Shapley": "#D55E00",
    "by size": "#7A7F87", "equal": "#CC79A7",
}  # fmt: skip
EDGE = 150  # percent, of the picture


def gains(deviations: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Gain of each strategy over honesty under each rule, of all rounds together.

    Returns
    -------
    polars.DataFrame
        ``rule, strategy, kind, earned, honest`` (cents per round), ``gain, lower, upper``: earnings over honest earnings less 1, with
        a bootstrap interval (95 %, rounds drawn again); null where an honest holder earned nothing.
    """
    honest = deviations.filter(strategy="honest").select("round", "rule", honest="cents")
    paired = deviations.join(honest, on=["round", "rule"])
    rng = np.random.default_rng(seed)
    rounds = paired["round"].n_unique()
    drawn = rng.multinomial(rounds, np.full(rounds, 1 / rounds), size=DRAWS)
    lines = []
    for (rule, strategy), part in paired.group_by("rule", "strategy", maintain_order=True):
        part = part.sort("round")
        earned, base = part["cents"].to_numpy().astype(float), part["honest"].to_numpy().astype(float)
        below = drawn @ base
        again = (drawn @ earned)[below > 0] / below[below > 0] - 1
        known = base.sum() > 0
        lower, upper = np.quantile(again, [0.025, 0.975]).tolist() if known else (None, None)
        lines.append(
            {"rule": rule, "strategy": strategy, "kind": part["kind"][0], "earned": earned.mean(), "honest": base.mean(),
             "gain": earned.sum() / base.sum() - 1 if known else None, "lower": lower, "upper": upper}
        )  # fmt: skip
    return pl.DataFrame(lines)


def crowd_earnings(crowd: pl.DataFrame) -> pl.DataFrame:
    """Cents per own patient and round: a column for each rule, a row for each strategy."""
    by = crowd.group_by("rule", "strategy", maintain_order=True).agg(
        (pl.col("cents").sum() / pl.col("patients").sum()).alias("cents")
    )
    return by.pivot(on="rule", index="strategy", values="cents")


def write(folder: Path, deviations: pl.DataFrame, crowd: pl.DataFrame, facts: dict[str, Any]) -> dict[str, Any]:
    """Write the tables, the picture and the page; returns the summary as JSON values."""
    found, earned = gains(deviations), crowd_earnings(crowd)
    summary = {**facts, "gains": found.to_dicts(), "crowd_cents_per_patient": earned.to_dicts()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder.name} must be a folder to write to, got {error.strerror}; choose another"
        ) from error
    contents = (
        deviations.write_csv().encode(), crowd.write_csv().encode(), json.dumps(summary, indent=1).encode(),
        gains_plot(found, earned), page(found, earned, facts).encode(),
    )  # fmt: skip
    for name, content in zip(NAMES, contents, strict=True):
        write_atomically(folder / name, content)
    return summary


def page(found: pl.DataFrame, earned: pl.DataFrame, facts: dict[str, Any]) -> str:
    """The summary in Markdown."""
    ours = found.filter(rule="ours")
    pays = ours.filter((pl.col("lower") > 0) & (pl.col("strategy") != "honest")).sort("gain", descending=True)
    loses = ours.filter(pl.col("upper") < 0).sort("gain")
    open_ = ours.filter((pl.col("lower") <= 0) & (pl.col("upper") >= 0) & (pl.col("strategy") != "honest"))
    lines = [
        "# A market in which some cheat", "",
        f"{facts['rounds']} rounds, seed {facts['seed']}, patients of {', '.join(facts['cohorts'])}. Gains: earnings over what the "
        "same holder earns if honest, 95 % intervals over rounds. Copies come later than their owner unless said.", "",
        "![gains](gains.png)", "", "## Under our rule", "",
        f"Honesty pays better than: {_told(loses)}.", "", f"Still gains: {_told(pays)}.", "",
        f"No difference shown: {_told(open_)}.", "", "## Gain over honesty, by rule", "",
        "| strategy | " + " | ".join(RULES) + " |", "|---" * (len(RULES) + 1) + "|",
    ]  # fmt: skip
    for strategy in STRATEGIES.values():
        cells = [_cell(found.filter(strategy=strategy.name, rule=rule)) for rule in RULES]
        lines.append(f"| {strategy.name} | " + " | ".join(cells) + " |")
    lines += ["", "## All at once: cents per own patient and round", ""]
    lines += ["| strategy | " + " | ".join(RULES) + " |", "|---" * (len(RULES) + 1) + "|"]
    lines += [
        f"| {row['strategy']} | " + " | ".join(f"{row[rule]:,.0f}" for rule in RULES) + " |"
        for row in earned.to_dicts()
    ]
    return "\n".join([*lines, ""])


def gains_plot(found: pl.DataFrame, earned: pl.DataFrame) -> bytes:
    """Gains by strategy and rule, and what a crowd's holders earned, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 6.8), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    names = [name for name in STRATEGIES if name != "honest"]
    for place, rule in enumerate(RULES):
        part = {row["strategy"]: row for row in found.filter(rule=rule).to_dicts() if row["gain"] is not None}
        for row, name in enumerate(names):
            if name in part:
                _dot(left, part[name], row + (place - 2.5) * 0.13, rule, labelled=row == 0)
    left.axvline(0, color="#1B2430", linewidth=1)
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.5)
    left.set_xlim(-108, EDGE + 8)
    left.set_xlabel(f"earnings beside honest ones, % (arrows: beyond {EDGE} %)")
    left.set_title("What a strategy earns more or less than honesty", loc="left", fontweight="bold", fontsize=10)
    figure.legend(
        *left.get_legend_handles_labels(), frameon=False, fontsize=9, loc="outside lower center", ncols=len(RULES)
    )
    for row in range(0, len(names), 2):
        left.axhspan(row - 0.5, row + 0.5, color="#F3F5F8", zorder=0)
    rows = earned.to_dicts()
    for place, rule in enumerate(RULES):
        where = [n + (place - 2.5) * 0.13 for n in range(len(rows))]
        right.barh(where, [row[rule] / 100 for row in rows], height=0.12, color=COLOURS[rule])
    right.set_yticks(range(len(rows)), [row["strategy"] for row in rows])
    right.invert_yaxis()
    right.set_xlabel("euros per own patient and round")
    right.set_title("All at once in one market", loc="left", fontweight="bold", fontsize=10)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=0, labelsize=8)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _dot(axes: Any, row: dict[str, Any], place: float, rule: str, *, labelled: bool) -> None:
    gain, lower, upper = (100 * row[key] for key in ("gain", "lower", "upper"))
    beyond = gain > EDGE
    axes.plot([min(max(lower, -100), EDGE), min(upper, EDGE)], [place, place], color=COLOURS[rule], linewidth=1)
    axes.plot(
        min(gain, EDGE), place, ">" if beyond else "o", color=COLOURS[rule], markersize=4,
        label=rule if labelled else None,
    )  # fmt: skip


def _cell(found: pl.DataFrame) -> str:
    row = found.to_dicts()[0]
    if row["gain"] is None:
        return "-"
    return f"{100 * row['gain']:+.0f} % ({100 * row['lower']:+.0f} to {100 * row['upper']:+.0f})"


def _told(rows: pl.DataFrame) -> str:
    each = [f"{row['strategy']} ({100 * row['gain']:+.0f} %)" for row in rows.to_dicts()]
    return ", ".join(each) if each else "none"
