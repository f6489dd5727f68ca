"""Whether a resource is right FHIR R4, judged by ``fhir.resources``.

Belongs here: calling the validator and saying where it objects. Does not belong here: what the codebook asks for.
``fhir.resources`` models R4B (4.3.0), whose Patient, Encounter, Condition, Observation, MedicationStatement and Procedure
are those of R4 (4.0.1).
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from records.errors import ParameterError


def objections(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """JSON path and kind of each objection; never the value that was objected to.

    Parameters
    ----------
    resource : dict
        Of a type that R4B knows.

    Raises
    ------
    ParameterError
        The extra ``fhir`` is not installed.
    """
    from pydantic import ValidationError

    try:
        _model(resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        for one in error.errors(include_input=False, include_context=False, include_url=False):
            # The name of an element that FHIR does not know comes from the data.
            known = one["loc"][:-1] if one["type"] == "extra_forbidden" else one["loc"]
            yield _path(known), one["type"].replace("_", " ")
    except (TypeError, AttributeError, RecursionError):
        # fhir.resources lets some wrong JSON types through to code that expects the right one.
        yield "", "wrong type"


@cache
def _model(name: str) -> Any:
    try:
        module = import_module(f"fhir.resources.R4B.{name.lower()}")
    except ImportError as error:
        raise ParameterError(
            "reading FHIR must have the package fhir.resources, got none; install phaseiv[fhir]"
        ) from error
    return getattr(module, name)


def _path(location: tuple[int | str, ...]) -> str:
    """``.code.coding[0].code``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
