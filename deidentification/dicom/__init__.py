"""De-identification of DICOM files by PS3.15 Annex E, and a verifier that knows nothing of it.

Belongs here: the table of attributes and actions, the recursive engine, pixels, file meta, the run over a folder, and
the check of what came out. Does not belong here: faces in head scans (not claimed), conversion to other formats, or
who may have the images (``hub``).

References
----------
DICOM PS3.15 2026c, Annex E (Attribute Confidentiality Profiles).
"""
