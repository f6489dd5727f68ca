"""Synthesizers of images behind ``records.protocols.ImageSynthesizer``.

Belongs here: learning from an image table, with or without a privacy budget, and drawing another. Does not belong here:
simulators that learn nothing (``models.phantoms``), judging images (``metrics.images``) or their files.
"""
