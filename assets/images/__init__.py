"""The image path of a use case: the same stages as its tables, from the raw cohort to the release.

Belongs here: thin assets of images. Does not belong here: loading, synthesis, metrics or formats.
"""
