"""What synthetic records are worth for real patients: prediction, survival models, inference, subgroups.

Belongs here: models trained on synthetic and tested on real patients. Does not belong here: distances between
distributions (``fidelity``).
"""
