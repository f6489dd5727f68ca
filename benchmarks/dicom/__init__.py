"""De-identification of DICOM in figures: what is left of planted identifiers, beside peers; speed; text in pixels.

Belongs here: planting, peers' calls, measuring. Does not belong here: the engine (``deidentification.dicom``).
"""
