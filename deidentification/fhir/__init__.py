"""De-identification of FHIR R4 JSON: what the rules do not know is dropped.

Belongs here: rules by resource and element, and the engine over plain JSON. Does not belong here: what a resource means
for a cohort (``harmonisation.fhir``), or scrubbing free text, for which a function is given.
"""
