"""The search finds the same least loss as trying every node on the rows themselves, one by one."""

from itertools import product

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from deidentification.anonymity.anonymisation import anonymise, quasi_identifiers
from deidentification.anonymity.codebook_hierarchies import codebook_hierarchy
from deidentification.anonymity.hierarchy import Hierarchy
from deidentification.anonymity.models import Anonymity, Diversity
from records.schema import Schema
from tests.deidentification.anonymity.tables import table


def entropy(values: pl.Series) -> float:
    shares = values.value_counts(normalize=True)["proportion"].to_numpy()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def distance(inside: pl.Series, whole: pl.Series, ordered: bool) -> float:
    domain = sorted(whole.unique()) if not ordered else list(range(8))
    gaps = np.array([(inside == v).mean() - (whole == v).mean() for v in domain])  # type: ignore[operator]
    return float(np.abs(np.cumsum(gaps)).sum() / 8 if ordered else np.abs(gaps).sum() / 2)


def holds(rows: pl.DataFrame, whole: pl.DataFrame, demand: Anonymity) -> bool:
    if rows.height < demand.k:
        return False
    for name in ("diagnosis", "score"):
        count = entropy(rows[name]) if demand.diversity is Diversity.ENTROPY else rows[name].n_unique()
        if demand.l is not None and count < demand.l - 1e-9:
            return False
        if demand.t is not None and distance(rows[name], whole[name], name == "score") > demand.t + 1e-9:
            return False
    return True


def tried(frame: pl.DataFrame, hierarchies: list[Hierarchy], node: tuple[int, ...], demand: Anonymity) -> float | None:
    """Loss of one node by going through its classes; ``None`` if it suppresses too much."""
    levels = [h.levels[i] for h, i in zip(hierarchies, node, strict=True)]
    groups = [
        pl.Series(h.column, at.groups[h.codes(frame[h.column])]) for h, at in zip(hierarchies, levels, strict=True)
    ]
    lost = np.mean([at.loss[g.to_numpy()] for at, g in zip(levels, groups, strict=True)], axis=0)
    coarse = frame.with_columns(groups).with_columns(lost=pl.Series(lost))
    loss, gone = 0.0, 0
    for _, rows in coarse.group_by([h.column for h in hierarchies]):
        kept = holds(rows, frame, demand)
        loss += float(rows["lost"].sum()) if kept else rows.height
        gone += 0 if kept else rows.height
    return loss / frame.height if gone <= demand.suppression * frame.height else None


def exhaustive(frame: pl.DataFrame, known: Schema, demand: Anonymity) -> float:
    hierarchies = [codebook_hierarchy(c, frame[c.name]) for c in quasi_identifiers(known)]
    nodes = product(*(range(len(h.levels)) for h in hierarchies))
    return min(loss for node in nodes if (loss := tried(frame, hierarchies, node, demand)) is not None)


DEMANDS = st.builds(
    Anonymity, k=st.integers(2, 10), l=st.sampled_from([None, None, 2, 3]), t=st.sampled_from([None, None, 0.3]),
    suppression=st.sampled_from([0.0, 0.05, 0.3]), diversity=st.sampled_from(Diversity),
)  # fmt: skip


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), DEMANDS)
def test_no_node_loses_less(seed: int, demand: Anonymity) -> None:
    frame, known = table(80, seed, ("age", "sex", "region"))
    _, report = anonymise(frame, known, demand)
    assert abs(report.loss - exhaustive(frame, known, demand)) < 1e-9


def test_few_nodes_are_judged() -> None:
    frame, known = table(2000, 3, ("age", "sex", "ward", "region"))
    _, report = anonymise(frame, known, Anonymity(5))
    assert report.judged < report.nodes / 3
