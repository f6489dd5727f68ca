"""The interchange forms in which a released table may be delivered.

Belongs here: what the two mappings share. Does not belong here: the mappings themselves (``fhir``, ``omop``), and which
form somebody asked for.
"""

from hub.repository.fhir import resources as fhir
from hub.repository.omop import tables as omop

__all__ = ["fhir", "omop"]
