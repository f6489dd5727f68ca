"""Harmonisation: cohorts in and out of common data models, and checks of the data's quality in them.

Belongs here: the OMOP Common Data Model 5.4, FHIR R4, mappings between codebook columns and standard concepts, and
data-quality checks. Does not belong here: removing identifiers (``deidentification``), or the cohorts' own codebooks
and mapping files (``use_cases``).
"""
