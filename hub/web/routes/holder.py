"""A data holder's pages: own data sets, their descriptions.

Belongs here: editing and publishing. Does not belong here: standing offers (``offers``).
"""

import json
from typing import Annotated, Any

import sqlalchemy as sa
import yaml
from fastapi import Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from hub.caller import Caller
from hub.catalogue import service
from hub.catalogue.record import DatasetRecord
from hub.catalogue.tables import Dataset
from hub.people.roles import Role
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

HOLDER = frozenset({Role.HOLDER})
LONGEST = 2_000_000
EXAMPLE = {
    "title": "", "description": "", "identifier": "", "applicable_legislation": ["http://data.europa.eu/eli/reg/2025/327/oj"],
    "keywords": [], "themes": ["HEAL"], "types": ["PERSONAL_DATA"], "health_categories": ["a"], "provenance": "",
    "contact": {"name": "", "email": ""}, "publisher": {"name": "", "email": ""}, "access_body": {"name": "", "email": ""},
    "distributions": [{"title": "Ask for access", "access_url": "https://", "format": "CSV"}],
    "variables": [{"name": "age", "label": "Age", "datatype": "integer", "unit": "a", "public_range": "18 to 90"}],
}  # fmt: skip
routes = Routes("holder")
Long = Annotated[str, Form(max_length=LONGEST)]


@routes.page("/holder", roles=HOLDER)
def mine(request: Request, caller: PageCaller) -> Response:
    """One's own data sets and their state."""
    own = sa.select(Dataset).where(Dataset.holder_id == caller.somebody.id).order_by(Dataset.title)
    return render(request, "holder_list.html.j2", datasets=caller.session.scalars(own).all())


@routes.page("/holder/datasets/new", roles=HOLDER)
def new(request: Request, caller: PageCaller) -> Response:
    """An empty description to fill in."""
    return _editor(request, None, yaml.safe_dump(EXAMPLE, sort_keys=False, allow_unicode=True), "")


@routes.form("/holder/datasets/new", roles=HOLDER)
def create(
    request: Request, caller: PageCaller, dataset_id: Annotated[str, Form(max_length=63)], record: Long
) -> Response:
    """Store a new draft."""
    try:
        service.draft(caller, dataset_id, read_record(record))
    except ParameterError as error:
        return _editor(request, None, record, str(error), dataset_id)
    return redirect(request, f"/holder/datasets/{dataset_id}", "The draft is stored.")


@routes.page("/holder/datasets/{dataset_id}", roles=HOLDER)
def editor(request: Request, caller: PageCaller, dataset_id: str) -> Response:
    """The description as text, with its gaps named."""
    dataset = service.own(caller, dataset_id)
    return _editor(request, dataset, yaml.safe_dump(dataset.record, sort_keys=False, allow_unicode=True), "")


@routes.form("/holder/datasets/{dataset_id}", roles=HOLDER)
def change(request: Request, caller: PageCaller, dataset_id: str, record: Long) -> Response:
    """Store a changed description."""
    dataset = service.own(caller, dataset_id)
    try:
        service.edit(caller, dataset_id, read_record(record))
    except ParameterError as error:
        return _editor(request, dataset, record, str(error))
    return redirect(request, f"/holder/datasets/{dataset_id}", "The description is stored; publish it to show it.")


@routes.form("/holder/datasets/{dataset_id}/publish", roles=HOLDER)
def publish(request: Request, caller: PageCaller, dataset_id: str) -> Response:
    """Publish, or tell what is missing."""
    dataset = service.own(caller, dataset_id)
    try:
        service.publish(caller, dataset_id)
    except ParameterError as error:
        return _editor(
            request, dataset, yaml.safe_dump(dataset.record, sort_keys=False, allow_unicode=True), str(error)
        )
    return redirect(request, f"/catalogue/{dataset_id}", "The data set is in the catalogue.")


@routes.form("/holder/datasets/{dataset_id}/withdraw", roles=HOLDER)
def withdraw(request: Request, caller: PageCaller, dataset_id: str) -> Response:
    """Take it out of the catalogue."""
    service.withdraw(caller, dataset_id)
    return redirect(request, "/holder", "The data set is withdrawn.")


@routes.call("PUT", "/datasets/{dataset_id}", roles=HOLDER)
def put(caller: PageCaller, dataset_id: str, record: DatasetRecord) -> dict[str, Any]:
    """Draft or change a data set."""
    known = caller.session.get(Dataset, dataset_id) is not None
    dataset = service.edit(caller, dataset_id, record) if known else service.draft(caller, dataset_id, record)
    return service.facts(dataset)


@routes.call("POST", "/datasets/{dataset_id}/publish", roles=HOLDER)
def publish_by_api(caller: PageCaller, dataset_id: str) -> dict[str, Any]:
    """Publish."""
    return service.facts(service.publish(caller, dataset_id))


def read_record(text: str) -> DatasetRecord:
    """A record from YAML or JSON, with every mistake named by its place.

    Raises
    ------
    ParameterError
        It is neither, or breaks the record's rules.
    """
    try:
        # JSON is YAML; a list of aliases could grow without bound, and no description needs one.
        if "*" in text and any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise ParameterError("a description must not use YAML aliases, got one; write the value out")
        return DatasetRecord.model_validate_json(json.dumps(yaml.safe_load(text), default=str))
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ParameterError(f"a description must be YAML or JSON, got something else{where}; mend it") from error
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or 'description'}: {e['msg']}" for e in error.errors()[:8]
        )
        raise ParameterError(f"a description must keep to its form, got: {found}; mend these") from error


def _editor(request: Request, dataset: Dataset | None, text: str, wrong: str, dataset_id: str = "") -> Response:
    caller: Caller = request.state.caller
    return render(request, "holder_edit.html.j2", status=422 if wrong else 200, dataset=dataset, text=text, wrong=wrong,
                  dataset_id=dataset_id, now=caller.now)  # fmt: skip
