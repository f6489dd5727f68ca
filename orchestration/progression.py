"""Simulation of progression: longitudinal records of a cohort, synthesized from a given baseline.

Belongs here: the steps behind ``phaseiv progression``: load, debit, learn, draw, write. Does not belong here: the model
(``models.progression``) or its evaluation (``metrics.fidelity.trajectories``).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from assets.workspace import Workspace
from orchestration.own_table import Allowance, condition
from records.errors import ParameterError
from records.files import one_at_a_time, parquet_bytes, sha256, write_atomically
from records.longitudinal import LongitudinalSchema, Records
from records.longitudinal_validation import validate_records
from records.privacy import Mechanism, PrivacySpend
from use_cases.longitudinal_cohort import LongitudinalCohort

if TYPE_CHECKING:
    from models.progression import ProgressionSynthesizer

FEWEST_ALIKE = 30
BOOTSTRAPS = 100


class Wish(NamedTuple):
    """What to draw: how many patients (``None``: as many as in the cohort), what they carry, and the seed."""

    patients: int | None
    given: dict[str, str]
    seed: int


def simulate(
    cohort: LongitudinalCohort, out: Path, wish: Wish, epsilon: float | None, allowance: Allowance,
    workspace: Workspace, *, tell: Callable[[float], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write ``patients.parquet``, ``visits.parquet``, ``progression.png`` and, last, ``manifest.json`` into ``out``.

    The figure shows real patients in aggregate without differential privacy: it is for internal use.

    Parameters
    ----------
    epsilon : float or None
        ``None`` for no differential privacy.
    tell : callable or None
        Told the share of the learning done, 0 to 1.

    Returns
    -------
    dict
        The manifest: spend, sha256 and rows of both tables, what was given.

    Raises
    ------
    PhaseIVError
        A parameter or the budget does not allow it; nothing is written then.
    """
    from models.first_visit import first_schema

    if wish.patients is not None and wish.patients < 1:
        raise ParameterError(f"patients must be positive, got {wish.patients}; choose for instance 500")
    schema, records = cohort.records, cohort.load()
    wanted = condition(wish.given, first_schema(schema))
    model = answered(records, schema, epsilon, allowance, workspace, wish.seed, tell=tell)
    drawn = model.sample(wish.patients or model.total_, rng=np.random.default_rng(wish.seed), given=wanted)
    made = validate_records(drawn, schema, source="synthetic records")
    alike, compared = _alike(records, schema, wanted)
    tables = {"patients": parquet_bytes(made.patients), "visits": parquet_bytes(made.visits)}
    manifest = {
        "synthetic": True, "cohort": schema.name, "given": wish.given, "seed": wish.seed,
        "tables": {n: {"rows": getattr(made, n).height, "sha256": sha256(data)} for n, data in tables.items()},
        "spend": model.privacy_.to_json(),
        "figure": {"file": "progression.png", "use": "internal: not differentially private"},
    }  # fmt: skip
    picture = _figure(alike, made, schema, wish.seed, compared)
    for name, data in tables.items():
        write_atomically(out / f"{name}.parquet", data)
    write_atomically(out / "progression.png", picture)
    write_atomically(out / "manifest.json", json.dumps(manifest, indent=1).encode())
    return manifest


def answered(
    records: Records, schema: LongitudinalSchema, epsilon: float | None, allowance: Allowance, workspace: Workspace,
    seed: int, *, tell: Callable[[float], None] | None = None,
) -> "ProgressionSynthesizer":  # fmt: skip
    """A fitted synthesizer; a private question is debited before noise is drawn, and free when asked again.

    Raises
    ------
    BudgetError
        The cohort's budget does not hold the question; nothing was counted.
    """
    from hub.budget import BudgetLedger
    from models.event_tables import to_answers
    from models.progression import ProgressionSynthesizer
    from records.accounting import epsilon_to_rho

    model = ProgressionSynthesizer(delta=allowance.delta, progress=tell)
    if epsilon is None:
        return model.fit(records, schema, budget=None, rng=np.random.default_rng(seed))
    version = [sha256(parquet_bytes(table)) for table in (records.patients, records.visits)]
    asked = [*version, schema.model_dump_json(), "progression", epsilon, allowance.delta]
    question = sha256(json.dumps(asked).encode())
    store = workspace.home / "measurements" / f"{question}.json"
    with one_at_a_time(workspace.home / "locks" / question):
        if store.exists():
            return _taken_up(model, store, schema)
        rho = epsilon_to_rho(epsilon, allowance.delta)
        BudgetLedger(workspace.ledger_url).debit(
            schema.name, rho=rho, total_rho=allowance.budget_rho, epsilon=epsilon, delta=allowance.delta,
            question=question, run_id="phaseiv progression",
        )  # fmt: skip
        tables, spend = model.measure(records, schema, budget=rho, rng=np.random.default_rng())
        answers = {"spend": spend.to_json(), "answers": to_answers(tables)}
        write_atomically(store, json.dumps(answers).encode())
    return model.load(tables, spend, schema)


def _taken_up(model: "ProgressionSynthesizer", store: Path, schema: LongitudinalSchema) -> "ProgressionSynthesizer":
    from models.event_learning import lean_queries
    from models.event_structure import axes
    from models.event_tables import from_answers

    kept = json.loads(store.read_bytes())
    used = tuple(Mechanism(**entry) for entry in kept["spend"].pop("mechanisms"))
    tables = from_answers(kept["answers"], lean_queries(schema), axes(schema))
    return model.load(tables, PrivacySpend(used, **kept["spend"]), schema)


def _alike(records: Records, schema: LongitudinalSchema, wanted: pl.DataFrame | None) -> tuple[Records, str]:
    """Real patients of the given levels, or all where fewer than 30 are, and which of the two in words."""
    from models.event_tokens import alike

    if wanted is None:
        return records, "all"
    ids = records.patients[schema.patient_id].filter(alike(records, schema, wanted))
    if ids.len() < FEWEST_ALIKE:
        return records, f"all, for fewer than {FEWEST_ALIKE} are as given"
    return records.of(schema.patient_id, ids), "those as given"


def _figure(real: Records, made: Records, schema: LongitudinalSchema, seed: int, compared: str) -> bytes:
    from metrics.fidelity.paths import Paths
    from metrics.fidelity.trajectories import trajectories
    from metrics.plots.trajectories import trajectories_plot

    report = trajectories(real, made, schema, seed=seed, bootstraps=BOOTSTRAPS, splits=1).to_json()
    return trajectories_plot(report, Paths.of(made, schema), note=f"internal use; real patients: {compared}")
