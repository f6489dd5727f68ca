"""A data holder's pages: own data sets, their descriptions.

Belongs here: editing and publishing. Does not belong here: standing offers (``offers``).
"""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import File, Form, Request, UploadFile
from fastapi.responses import Response

from hub.catalogue import service
from hub.catalogue.form import MainFields, read_record, written
from hub.catalogue.record import DatasetRecord
from hub.catalogue.tables import Dataset
from hub.catalogue.vocabulary import CATEGORIES
from hub.people.roles import Role
from hub.web.access import PageCaller, Routes
from hub.web.pages import redirect, render
from records.errors import ParameterError

HOLDER = frozenset({Role.HOLDER})
LONGEST = 4_000_000
EXAMPLE = {
    "title": "", "description": "", "identifier": "", "applicable_legislation": ["http://data.europa.eu/eli/reg/2025/327/oj"],
    "keywords": [], "themes": ["HEAL"], "types": ["PERSONAL_DATA"], "health_categories": ["a"], "provenance": "",
    "contact": {"name": "", "email": ""}, "publisher": {"name": "", "email": ""}, "access_body": {"name": "", "email": ""},
    "distributions": [{"title": "Ask for access", "access_url": "https://", "format": "CSV"}],
    "variables": [{"name": "age", "label": "Age", "datatype": "integer", "unit": "a", "public_range": "18 to 90"}],
}  # fmt: skip
routes = Routes("holder")
Long = Annotated[str, Form(max_length=LONGEST)]
Upload = Annotated[UploadFile | None, File(description="YAML or JSON, instead of the text.")]


@routes.page("/holder", roles=HOLDER)
def mine(request: Request, caller: PageCaller) -> Response:
    """One's own data sets and their state."""
    own = sa.select(Dataset).where(Dataset.holder_id == caller.somebody.id).order_by(Dataset.title)
    return render(request, "holder_list.html.j2", datasets=caller.session.scalars(own).all())


@routes.page("/holder/datasets/new", roles=HOLDER)
def new(request: Request, caller: PageCaller) -> Response:
    """An empty description to fill in."""
    return _editor(request, None, written(EXAMPLE), "")


@routes.form("/holder/datasets/new", roles=HOLDER)
def create(
    request: Request, caller: PageCaller, dataset_id: Annotated[str, Form(max_length=63)], record: Long = "",
    file: Upload = None,
) -> Response:  # fmt: skip
    """Store a new draft."""
    try:
        record = _sent(record, file)
        service.draft(caller, dataset_id, read_record(record))
    except ParameterError as error:
        return _editor(request, None, record, str(error), dataset_id)
    return redirect(request, f"/holder/datasets/{dataset_id}", "The draft is stored.")


@routes.page("/holder/datasets/{dataset_id}", roles=HOLDER)
def editor(request: Request, caller: PageCaller, dataset_id: str) -> Response:
    """The description as text, with its gaps named."""
    dataset = service.own(caller, dataset_id)
    return _editor(request, dataset, written(dataset.draft or dataset.record), "")


@routes.form("/holder/datasets/{dataset_id}", roles=HOLDER)
def change(
    request: Request, caller: PageCaller, dataset_id: str, record: Long = "", file: Upload = None
) -> Response:  # fmt: skip
    """Store a changed description."""
    dataset = service.own(caller, dataset_id)
    try:
        record = _sent(record, file)
        service.edit(caller, dataset_id, read_record(record))
    except ParameterError as error:
        return _editor(request, dataset, record, str(error))
    return redirect(request, f"/holder/datasets/{dataset_id}", "The description is stored; publish it to show it.")


@routes.form("/holder/datasets/{dataset_id}/main", roles=HOLDER)
def change_main(
    request: Request, caller: PageCaller, dataset_id: str, fields: Annotated[MainFields, Form()]
) -> Response:  # fmt: skip
    """Store the main fields; the rest of the description stays."""
    dataset = service.own(caller, dataset_id)
    try:
        service.edit(caller, dataset_id, fields.changed(service.newest(dataset)))
    except ParameterError as error:
        return _editor(request, dataset, written(dataset.draft or dataset.record), str(error), fields=fields)
    return redirect(request, f"/holder/datasets/{dataset_id}", "The description is stored; publish it to show it.")


@routes.form("/holder/datasets/{dataset_id}/publish", roles=HOLDER)
def publish(request: Request, caller: PageCaller, dataset_id: str) -> Response:
    """Publish, or tell what is missing."""
    dataset = service.own(caller, dataset_id)
    try:
        service.publish(caller, dataset_id)
    except ParameterError as error:
        return _editor(request, dataset, written(dataset.draft or dataset.record), str(error))
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


def _sent(text: str, file: UploadFile | None) -> str:
    """The uploaded file if there is one, else the text."""
    if file is None or not file.filename:
        return text
    content = file.file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise ParameterError(f"a description must be at most {LONGEST} bytes, got more; shorten it")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ParameterError("a description must be text in UTF-8, got something else; save it anew") from error


def _editor(
    request: Request, dataset: Dataset | None, text: str, wrong: str, dataset_id: str = "",
    fields: MainFields | None = None,
) -> Response:  # fmt: skip
    if dataset is not None and fields is None:
        fields = MainFields.of(service.newest(dataset))
    return render(request, "holder_edit.html.j2", status=422 if wrong else 200, dataset=dataset, text=text, wrong=wrong,
                  dataset_id=dataset_id, fields=fields, categories=CATEGORIES)  # fmt: skip
