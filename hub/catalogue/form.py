"""The main fields of a description as a form's texts, and descriptions as YAML or JSON.

Belongs here: from what a holder writes to a checked record, and back. Does not belong here: pages.
"""

import json
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, Field, ValidationError

from hub.catalogue.record import DatasetRecord
from records.errors import ParameterError

MAY_MISS = ("citation", "licence")
TEXTS = ("title", "description", "identifier", "access_rights", "provenance", *MAY_MISS)
LISTS = ("keywords", "themes", "types", "applicable_legislation")
AGENTS = ("contact", "publisher", "access_body")
Text = Annotated[str, Field(max_length=20_000)]


class MainFields(BaseModel):
    """Texts of the form: lists have one value a line, agents read ``name <e-mail>``."""

    title: Text = ""
    description: Text = ""
    identifier: Text = ""
    access_rights: Text = "NON_PUBLIC"
    provenance: Text = ""
    citation: Text = ""
    licence: Text = ""
    keywords: Text = ""
    themes: Text = ""
    types: Text = ""
    applicable_legislation: Text = ""
    health_categories: list[str] = []
    contact: Text = ""
    publisher: Text = ""
    access_body: Text = ""

    @classmethod
    def of(cls, record: DatasetRecord) -> Self:
        """As the form shows a record."""
        plain = record.model_dump(mode="json")
        texts = {name: plain[name] or "" for name in TEXTS}
        lists = {name: "\n".join(plain[name]) for name in LISTS}
        agents = {name: _shown(plain[name]) for name in AGENTS}
        return cls(**texts, **lists, **agents, health_categories=plain["health_categories"])

    def changed(self, record: DatasetRecord) -> DatasetRecord:
        """The record with these fields; an agent keeps its page."""
        plain = record.model_dump(mode="json")
        texts = {name: getattr(self, name).strip() or (None if name in MAY_MISS else "") for name in TEXTS}
        lists = {name: getattr(self, name).split("\n") for name in LISTS}
        lists = {name: [line.strip() for line in lines if line.strip()] for name, lines in lists.items()}
        agents = {name: _agent(getattr(self, name), plain[name]) for name in AGENTS}
        return checked(plain | texts | lists | agents | {"health_categories": self.health_categories})


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
        plain = yaml.safe_load(text)
    except ParameterError:
        raise
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ParameterError(f"a description must be YAML or JSON, got something else{where}; mend it") from error
    return checked(plain)


def written(plain: dict[str, Any]) -> str:
    """A description as YAML."""
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def checked(plain: Any) -> DatasetRecord:
    """A record from plain values.

    Raises
    ------
    ParameterError
        They break the record's rules.
    """
    try:
        return DatasetRecord.model_validate_json(json.dumps(plain, default=str))
    except (TypeError, RecursionError) as error:
        raise ParameterError("a description must have text as names, got something else; mend it") from error
    except ValidationError as error:
        places = [(".".join(str(p) for p in e["loc"]) or "description", e["msg"]) for e in error.errors()[:8]]
        found = "; ".join(f"{place}: {words}" for place, words in places)
        raise ParameterError(f"a description must keep to its form, got: {found}; mend these") from error


def _shown(agent: dict[str, Any] | None) -> str:
    if agent is None:
        return ""
    return f"{agent['name']} <{agent['email']}>" if agent["email"] else agent["name"]


def _agent(text: str, former: dict[str, Any] | None) -> dict[str, Any] | None:
    if not text.strip():
        return None
    name, mark, email = text.strip().rstrip(">").rpartition("<")
    page = (former or {}).get("page")
    return {"name": (name if mark else text).strip(), "email": email.strip() or None if mark else None, "page": page}
