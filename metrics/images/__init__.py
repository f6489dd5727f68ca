"""Evaluation of synthetic images: fidelity, utility, privacy, the gate's verdict, pictures and the page.

Belongs here: pure functions from image tables to aggregates, and from aggregates to verdicts and pages. Does not belong
here: making images (``models.images``), reading or writing scanners' files (``use_cases.images``, ``records.images``), or
anything that keeps a pixel or a row of a patient: every result is an aggregate.
"""
