"""A cohort's table as FHIR R4 resources, and back.

Belongs here: which resource a column of a codebook becomes, writing and reading bundles. Does not belong here: a FHIR
server, or taking identifiers out of bundles (``deidentification.fhir``).
"""
