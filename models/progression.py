"""Synthesis of longitudinal records, and simulation of progression from a given baseline under a given treatment.

Belongs here: the synthesizer that ties counting, learning and drawing together, and level numbers back to two tables.
Does not belong here: each of these steps (``event_tables``, ``event_learning``, ``first_visit``,
``trajectory_sampler``, ``outcome_tilt``).
"""

import random
from collections.abc import Callable
from typing import Self

import numpy as np
import polars as pl

from models.decode import decode_column
from models.event_learning import lean_queries, learn_rows, learn_tables
from models.event_structure import axes
from models.event_tables import EventTables, noisy_tables
from models.event_tokens import END, events_of
from models.first_visit import draw_first, first_schema
from models.given import conditions
from models.outcome_tilt import Tilt
from models.simplex import to_shares
from models.trajectory_sampler import Histories
from records.errors import ParameterError
from records.longitudinal import LongitudinalSchema, Records
from records.privacy import PrivacySpend
from records.schema import Column

FEWEST = 50
AT_ONCE = 2000
Progress = Callable[[float], None]


class ProgressionSynthesizer:
    """A discrete-time event model: baseline, first visit, and then visit by visit what comes next, when, and how.

    Every conditional distribution is a multinomial logit with additive effects of its parents on the codebook's
    levels (a dynamic Bayesian network; Dean and Kanazawa, 1989) and needs of the patients only pair tables. Without
    privacy they are exact and everything may depend on all that came before; with a budget they are noisy, few, and
    weighted so that a patient with all visits changes none by more than 1. Histories are tilted so that how and
    when follow-up ends is met as counted.

    Parameters
    ----------
    delta : float
        For the epsilon that ``privacy_`` states.
    secure : bool
        Draw noise from the operating system, as every release must; ``False`` is for tests and benchmarks only.
    progress : callable or None
        Told the share of the learning done, 0 to 1.

    Attributes
    ----------
    privacy_ : PrivacySpend
    tables_ : EventTables or None
        All that was learnt from the patients under privacy; the rest is post-processing.
    total_ : int
        Number of patients, noisy under privacy.
    """

    def __init__(self, *, delta: float = 1e-5, secure: bool = True, progress: Progress | None = None) -> None:
        self.delta = delta
        self.secure = secure
        self.progress = progress

    def fit(
        self, records: Records, schema: LongitudinalSchema, *, budget: float | None, rng: np.random.Generator
    ) -> Self:
        """Learn from validated records; ``budget`` is zCDP rho, ``None`` for no differential privacy.

        Raises
        ------
        ParameterError
            The budget is not positive, the schema has constraints, or without privacy there are fewer than 50 patients.
        """
        if budget is not None:
            return self.load(*self.measure(records, schema, budget=budget, rng=rng), schema)
        _refuse_constraints(schema)
        if records.patients.height < FEWEST:
            raise ParameterError(f"records must have {FEWEST} patients, got {records.patients.height}; add patients")
        events = events_of(records, schema)
        self.schema_, self.tables_, self.privacy_ = schema, None, PrivacySpend()
        self.total_, self.logits_ = records.patients.height, learn_rows(events, schema, self._tell)
        ends = np.bincount(events.codes[END][events.number == 1], minlength=axes(schema)[END].levels)
        return self._tilted(ends / ends.sum())

    def measure(
        self, records: Records, schema: LongitudinalSchema, *, budget: float, rng: np.random.Generator
    ) -> tuple[EventTables, PrivacySpend]:
        """The noisy tables of ``fit`` and their cost: all that ``load`` needs. Nothing else looks at the records."""
        _refuse_constraints(schema)
        if not 0 < budget < float("inf"):
            raise ParameterError(f"budget must be positive, got {budget}; choose an epsilon, or none")
        bits = None if self.secure else random.Random(int(rng.integers(2**63)))
        events, asked = events_of(records, schema), lean_queries(schema)
        return noisy_tables(events, asked, axes(schema), schema.most_visits, rho=budget, delta=self.delta, bits=bits)

    def load(self, tables: EventTables, spend: PrivacySpend, schema: LongitudinalSchema) -> Self:
        """Learn from noisy tables that were counted before; equal tables give equal models, at no cost."""
        self.schema_, self.tables_, self.privacy_ = schema, tables, spend
        self.logits_, patients = learn_tables(tables, schema, np.random.default_rng(0), self._tell)
        self.total_ = max(1, round(patients))
        return self._tilted(to_shares(tables.tables[END, None].counts))

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> Records:  # fmt: skip
        """Histories of ``n`` patients, who fulfil both schemas.

        Parameters
        ----------
        n : int or None
            By default as many patients as were learnt from, or one for each row of ``given``.
        given : polars.DataFrame or None
            Columns of baseline, treatment included, and of the first visit, which the drawn patients carry; one row
            that holds for all or one row for each. A null is a measurement that was not taken.
        """
        wanted = None if given is None else conditions(given, first_schema(self.schema_), n)
        patients = (n or self.total_) if wanted is None else wanted.height
        first = draw_first(self.logits_, self.schema_, patients, wanted, rng)
        parts = [
            self.tilt_.drawn(self.logits_, {name: codes[i : i + AT_ONCE] for name, codes in first.items()}, rng)
            for i in range(0, patients, AT_ONCE)
        ]
        base = [self._values(first[c.name], c, wanted, rng) for c in self.schema_.baseline]
        return _tables(self.schema_, base, _joined(parts), wanted, rng)

    def _tilted(self, shares: np.ndarray) -> Self:
        rng = np.random.default_rng(0)
        self.tilt_ = Tilt.towards(shares, self.logits_, self.schema_, rng)
        return self

    def _tell(self, share: float) -> None:
        if self.progress:
            self.progress(share)

    def _values(
        self, codes: np.ndarray, column: Column, wanted: pl.DataFrame | None, rng: np.random.Generator
    ) -> pl.Series:
        carried = wanted is not None and column.name in wanted.columns
        return wanted[column.name] if carried else decode_column(codes, column, rng)  # type: ignore[index]


def _refuse_constraints(schema: LongitudinalSchema) -> None:
    if schema.patients.constraints or schema.visits.constraints:
        raise ParameterError(f"{schema.name} must have no constraints, got some; histories cannot promise them")


def _tables(
    schema: LongitudinalSchema, base: list[pl.Series], drawn: Histories, wanted: pl.DataFrame | None,
    rng: np.random.Generator,
) -> Records:  # fmt: skip
    """The two tables of drawn histories; the first visit carries the values that were given."""
    ids = pl.Series(schema.patient_id, [f"s{i + 1}" for i in range(drawn.end.size)], dtype=pl.String)
    ends = pl.Series(schema.follow_up.name, drawn.end).cast(schema.follow_up.dtype)
    events = pl.Series(schema.event.name, np.array(list(schema.event.levels))[drawn.event]).cast(schema.event.dtype)
    patients = pl.DataFrame([ids, *base, ends, events]).select(schema.patients.names)
    measured = [decode_column(drawn.codes[c.name], c, rng) for c in schema.measurements]
    if wanted is not None:
        first, of_patient = pl.Series(drawn.day == 0), wanted[drawn.patient]
        measured = [_carried(values, of_patient, first) for values in measured]
    day = pl.Series(schema.day, drawn.day).cast(schema.visits[schema.day].dtype)
    return Records(patients, pl.DataFrame([ids[drawn.patient], day, *measured]).select(schema.visits.names))


def _carried(values: pl.Series, wanted: pl.DataFrame, first: pl.Series) -> pl.Series:
    if values.name not in wanted.columns:
        return values
    return pl.select(pl.when(first).then(wanted[values.name]).otherwise(values)).to_series().alias(values.name)


def _joined(parts: list[Histories]) -> Histories:
    offsets = np.cumsum([0, *(p.end.size for p in parts)])
    return Histories(
        np.concatenate([p.patient + o for p, o in zip(parts, offsets, strict=False)]),
        np.concatenate([p.day for p in parts]),
        {name: np.concatenate([p.codes[name] for p in parts]) for name in parts[0].codes},
        np.concatenate([p.end for p in parts]), np.concatenate([p.event for p in parts]),
    )  # fmt: skip
