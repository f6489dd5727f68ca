"""The steps of a data set's life in the catalogue, and the search.

Belongs here: draft, edit, publish, withdraw, find. Does not belong here: pages.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit.log import record as logged
from hub.caller import Caller
from hub.catalogue.healthdcat import dataset_graph
from hub.catalogue.record import DatasetRecord
from hub.catalogue.search import FACETS, PUBLISHED, Group, folded, index_of
from hub.catalogue.tables import Dataset, DatasetVersion
from hub.catalogue.validation import problems
from hub.errors import NotFoundError
from hub.people.roles import Role
from records.errors import ParameterError

PAGE = 20
MOST_VALUES = 12


@dataclass(frozen=True)
class Found:
    """One page of a search: the data sets, how many fit in all, and how many each facet's value would leave."""

    items: list[Dataset]
    total: int
    page: int
    facets: dict[str, dict[str, int]]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def draft(
    caller: Caller, dataset_id: str, record: DatasetRecord, *, use_case: str | None = None, cohort: str | None = None
) -> Dataset:  # fmt: skip
    """A new data set of the caller's; nobody else sees it yet.

    Raises
    ------
    ParameterError
        The id is taken, or is no short name of small letters, digits and hyphens.
    """
    holder = caller.must_have(Role.HOLDER)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,62}", dataset_id):
        raise ParameterError("a data set's id must be 2 to 63 small letters, digits and hyphens; choose another")
    if caller.session.get(Dataset, dataset_id) is not None:
        raise ParameterError("a data set's id must be new, got one that is taken; choose another")
    dataset = Dataset(
        id=dataset_id, holder_id=holder.id, status="draft", version=1, created_at=caller.now, published_at=None,
        use_case=use_case, cohort=cohort, synthetic=use_case is not None, turtle=None, json_ld=None, draft=None, **_columns(record),
    )  # fmt: skip
    caller.session.add(dataset)
    caller.session.flush()
    logged(caller.session, now=caller.now, actor=holder.id, action="dataset.drafted", subject=f"dataset:{dataset_id}")
    return dataset


def edit(caller: Caller, dataset_id: str, record: DatasetRecord) -> Dataset:
    """Change the description; what is published stays as it was until it is published anew."""
    dataset = own(caller, dataset_id)
    if dataset.status == "published":
        dataset.draft = record.model_dump(mode="json")
    else:
        _describe(dataset, record)
    logged(caller.session, now=caller.now, actor=caller.somebody.id, action="dataset.edited",
           subject=f"dataset:{dataset.id}", version=dataset.version)  # fmt: skip
    return dataset


def newest(dataset: Dataset) -> DatasetRecord:
    """The description as its holder last wrote it."""
    return DatasetRecord.model_validate(dataset.draft or dataset.record)


def publish(caller: Caller, dataset_id: str) -> Dataset:
    """Put a data set into the catalogue, or its changed description as a new version.

    Raises
    ------
    ParameterError
        The description lacks something that HealthDCAT-AP demands; all of it is named.
    """
    dataset = own(caller, dataset_id)
    record, version = newest(dataset), _next_version(caller.session, dataset)
    graph = dataset_graph(record, caller.hub.settings.public_url, dataset.id, version)
    if lacking := problems(graph):
        raise ParameterError(f"a description must be complete to be published, got gaps: {'; '.join(lacking)}")
    _describe(dataset, record)
    dataset.turtle, dataset.json_ld = graph.serialize(format="turtle"), graph.serialize(format="json-ld", indent=None)
    dataset.status, dataset.version, dataset.published_at, dataset.draft = "published", version, caller.now, None
    caller.session.merge(
        DatasetVersion(dataset_id=dataset.id, version=version, record=dataset.record, published_at=caller.now)
    )
    logged(caller.session, now=caller.now, actor=caller.somebody.id, action="dataset.published",
           subject=f"dataset:{dataset.id}", version=dataset.version)  # fmt: skip
    return dataset


def withdraw(caller: Caller, dataset_id: str) -> Dataset:
    """Take a data set out of the catalogue; permits that exist stay as they are."""
    dataset = own(caller, dataset_id)
    dataset.status = "withdrawn"
    logged(
        caller.session,
        now=caller.now,
        actor=caller.somebody.id,
        action="dataset.withdrawn",
        subject=f"dataset:{dataset.id}",
    )
    return dataset


def own(caller: Caller, dataset_id: str) -> Dataset:
    """The caller's own data set, in any state.

    Raises
    ------
    NotFoundError
        There is none, or it is another holder's.
    """
    holder = caller.must_have(Role.HOLDER)
    dataset = caller.session.get(Dataset, dataset_id)
    if dataset is None or dataset.holder_id != holder.id:
        raise NotFoundError("the data set must be one of yours, got another; look at your list")
    return dataset


def published(session: Session, dataset_id: str) -> Dataset:
    """A data set that everybody may see.

    Raises
    ------
    NotFoundError
        There is none, or it is not published.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.status != "published":
        raise NotFoundError("the data set must be in the catalogue, got an unknown one; search for it")
    return dataset


def versions(session: Session, dataset_id: str) -> list[DatasetVersion]:
    """What was published before and now, newest first."""
    known = sa.select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id)
    return list(session.scalars(known.order_by(DatasetVersion.version.desc())))


def published_ids(session: Session) -> list[str]:
    """Of all data sets that everybody may see."""
    return list(session.scalars(sa.select(Dataset.id).where(Dataset.status == "published").order_by(Dataset.id)))


def search(session: Session, text: str = "", facets: Mapping[str, str] | None = None, page: int = 1) -> Found:
    """Published data sets whose words fit, best first, and what the facets would leave."""
    chosen = {name: value for name, value in (facets or {}).items() if name in FACETS and value}
    index = index_of(session)
    found = index.find(text)
    fits = index.narrowed(found, chosen)
    shown = index.page(fits, text, (page - 1) * PAGE, page * PAGE)
    # What was withdrawn since the index was made is never shown.
    by_id = (
        {d.id: d for d in session.scalars(sa.select(Dataset).where(Dataset.id.in_(shown), PUBLISHED))} if shown else {}
    )
    items = [by_id[one] for one in shown if one in by_id]
    return Found(items, len(fits), page, _counts(index.groups(found), chosen))


def facts(dataset: Dataset) -> dict[str, Any]:
    """A data set in short, as plain values."""
    return {
        "id": dataset.id, "title": dataset.title, "description": dataset.description, "version": dataset.version,
        "access_rights": dataset.access_rights, "publisher": dataset.publisher, "synthetic": dataset.synthetic,
        "modality": dataset.modality or None,
        "published_at": dataset.published_at.isoformat() if dataset.published_at else None,
    }  # fmt: skip


def _columns(record: DatasetRecord) -> dict[str, Any]:
    named = [v for x in record.variables for v in (x.name, x.label)]
    words = " ".join([record.title, record.description, *record.keywords, *named, record.citation or ""])
    return {
        "record": record.model_dump(mode="json"), "title": record.title, "description": record.description,
        "access_rights": record.access_rights, "theme": " ".join(record.themes), "words": folded(words),
        "category": " ".join(record.health_categories), "publisher": record.publisher.name if record.publisher else "",
        "modality": record.modality or "",
    }  # fmt: skip


def _describe(dataset: Dataset, record: DatasetRecord) -> None:
    for name, value in _columns(record).items():
        setattr(dataset, name, value)


def _next_version(session: Session, dataset: Dataset) -> int:
    """One more than before, unless this very description was published last: history is never written over."""
    kept = session.get(DatasetVersion, (dataset.id, dataset.version))
    return dataset.version + (kept is not None and kept.record != newest(dataset).model_dump(mode="json"))


def _counts(groups: list[Group], chosen: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Values of each facet with the others kept: a reader sees what another choice would leave."""
    counted: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for group in groups:
        unmet = group.unmet(chosen)
        for name in FACETS if not unmet else unmet if len(unmet) == 1 else ():
            for value in group.values[name]:
                counted[name][value] += group.size
    return {name: dict(counts.most_common(MOST_VALUES)) for name, counts in counted.items()}
