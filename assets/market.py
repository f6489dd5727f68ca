"""The market's part of the pipeline: releases as goods, and the settlement of each month.

Belongs here: from a release to a package in the hub, from the books to a file. Does not belong here: rules (``hub.market``).
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.released_report import beside, figures_of
from assets.workspace import Workspace
from records.errors import ParameterError
from records.files import write_atomically
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

if TYPE_CHECKING:
    from hub.deployment import Deployment

FIRST_MONTH = "2026-01-01"
README = """# {title}: synthetic data

{rows} synthetic rows, drawn from a model that saw the patients through noise only (differential privacy, epsilon {epsilon:.3g}). The
manifest binds them to their making and to the verdict of the gate. The agreement under which you bought them says what you may do;
you must not try to re-identify anybody. Source: {citation}
"""


def build_market(workspace: Workspace, open_hub: "Callable[[], Deployment]") -> dg.Definitions:
    """The asset ``market/settlement`` and its monthly schedule."""
    asset = settlement_asset(workspace, open_hub)
    job = dg.define_asset_job("market_settlement", dg.AssetSelection.assets(asset))
    schedule = dg.build_schedule_from_partitioned_job(
        job, name="market_monthly", day_of_month=1, hour_of_day=4,
        description="On the first of each month at 4: what the former one earned, by holder and data set.",
    )  # fmt: skip
    return dg.Definitions(assets=[asset], jobs=[job], schedules=[schedule])


MONTHS = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH, fmt="%Y-%m-%d")


def settlement_asset(workspace: Workspace, open_hub: "Callable[[], Deployment]") -> dg.AssetsDefinition:
    """The asset ``market/settlement``, partitioned by month."""

    @dg.asset(
        key_prefix="market", group_name="market", kinds={"json"}, partitions_def=MONTHS,
        description="What was earned in a month, by holder and data set, as the books have it; aggregates of money only.",
    )  # fmt: skip
    def settlement(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from hub.market import settlement as market

        month = context.partition_key[:7]
        with open_hub().database.read() as session:
            found = market.settle(session, month)
        folder = workspace.home / "market"
        write_atomically(folder / f"settlement-{month}.json", json.dumps(market.plain(found), indent=1).encode())
        write_atomically(folder / f"settlement-{month}.csv", market.as_csv(found.rows).encode())
        earned = sum(one.earned for one in found.rows if one.currency == "EUR")
        return dg.MaterializeResult(
            metadata={
                "rows": len(found.rows), "earned_eur_cents": earned, "uses": sum(one.times for one in found.uses),
                "file": dg.MetadataValue.path(str(folder / f"settlement-{month}.json")),
            }
        )  # fmt: skip

    return settlement


def deposit_release(workspace: Workspace, hub: "Deployment", use_case: UseCase, cohort: Cohort, dataset_id: str) -> str:
    """Hand the latest release to the market as goods; the same one again is not handed over twice.

    Returns
    -------
    str
        The goods' id.

    Raises
    ------
    ParameterError
        Nothing was released yet.
    StorageError
        The release has no report.
    GateError, GoneError
        The release has no verdict of the gate; it was revoked.
    """
    from hub.market import goods
    from hub.market.kinds import Kind

    folder, manifest = _latest(workspace, use_case, cohort)
    with hub.database.read() as session:
        if known := goods.of_candidate(session, dataset_id, manifest["candidate_sha256"]):
            return known.id
    summary, page = beside(folder)
    facts = {
        "rows": manifest["rows"], "epsilon": manifest["spend"]["epsilon"], "figures": figures_of(summary), "report": page
    }  # fmt: skip
    gate = {name: manifest.get(name) for name in ("released", "reasons", "candidate_sha256")}
    with tempfile.TemporaryDirectory(prefix="goods") as place, hub.database.write() as session:
        package = _packed(Path(place), folder, manifest, cohort)
        return goods.deposit(
            session, hub, package=package, dataset_id=dataset_id, kind=Kind.TABLE, title=cohort.table.title,
            formats=["csv", "parquet"], facts=facts, gate=gate, now=hub.clock(),
        ).id  # fmt: skip


def deposit_valuation(
    workspace: Workspace, hub: "Deployment", use_case: UseCase, dataset_id: str, emails: Mapping[str, str]
) -> str:
    """Hand the latest sealed valuation to the market; the same one again is not handed over twice.

    Parameters
    ----------
    emails : mapping
        By hospital, the e-mail of the account that earns.

    Returns
    -------
    str
        The valuation's digest, by which a split refers to it.

    Raises
    ------
    ParameterError
        Nothing was valued yet, an account is unknown, or the document was changed since.
    """
    from hub.market import valuations
    from hub.valuation.sealed import read_sealed

    try:
        report = json.loads(workspace.report([use_case.key, "valuation"]).read_bytes())
        document, told = report["valuation"], report["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParameterError(
            f"{use_case.key} must have a sealed valuation, got none; run the job {use_case.key}_valuation first"
        ) from error
    if read_sealed(document).sha256 != told:
        raise ParameterError("a valuation must be as it was sealed, got another; value the data again")
    with hub.database.write() as session:
        accounts = valuations.accounts_of(session, emails)
        return valuations.deposit(session, document, dataset_id=dataset_id, accounts=accounts, now=hub.clock()).sha256


def told_budgets(workspace: Workspace, hub: "Deployment", use_cases: Mapping[str, UseCase]) -> int:
    """Tell the hub what each cohort of tables has left of its privacy budget; returns how many have changed.

    The market refuses by it what this side would refuse, before money moves; this side decides again.
    """
    import sqlalchemy as sa

    from hub.budget import BudgetLedger
    from hub.catalogue.tables import Dataset
    from hub.market.cohort_budget import known, tell

    described = sa.select(Dataset.id, Dataset.use_case, Dataset.cohort).where(
        Dataset.use_case.in_(use_cases), Dataset.cohort.is_not(None), Dataset.modality == ""
    )
    with hub.database.read() as session:
        rows = [(one, use_cases[str(key)], str(cohort)) for one, key, cohort in session.execute(described)]
        before = known(session)
    if not rows:
        return 0
    ledger = BudgetLedger(workspace.ledger_url)
    now = {one: (use_case.budget_rho, ledger.spent(cohort), use_case.delta) for one, use_case, cohort in rows}
    if not (changed := {one: told for one, told in now.items() if before.get(one) != told}):
        return 0
    with hub.database.write() as session:
        for one, (total, spent, delta) in changed.items():
            tell(session, one, total_rho=total, spent_rho=spent, delta=delta, now=hub.clock())
    return len(changed)


def _latest(workspace: Workspace, use_case: UseCase, cohort: Cohort) -> tuple[Path, dict[str, Any]]:
    releases = workspace.release(use_case.key, cohort.name)
    if not (releases / "latest").exists():
        raise ParameterError(f"{use_case.key} must have a release, got none; run `phaseiv run {use_case.key}` first")
    folder = releases / (releases / "latest").read_text().strip()
    return folder, json.loads((folder / "manifest.json").read_bytes())


def _packed(place: Path, folder: Path, manifest: dict[str, Any], cohort: Cohort) -> Path:
    from hub.repository.package import pack

    readme = README.format(title=cohort.table.title, rows=manifest["rows"], epsilon=manifest["spend"]["epsilon"],
                           citation=cohort.source.citation)  # fmt: skip
    names = ("synthetic.csv", "synthetic.parquet", "manifest.json")
    return pack(
        {name: (folder / name).read_bytes() for name in names} | {"README.md": readme.encode()}, place / "goods.zip"
    )
