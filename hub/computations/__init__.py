"""Computations of several hospitals under a permit: described here, computed by the hospitals' own parties.

Belongs here: what may be ordered, its description, and the checks at its submission. Does not belong here: computing (the
data side asks the parties), the life of an order (``delivery``), or anything of a patient.
"""
