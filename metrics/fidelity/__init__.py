"""How near synthetic records are to real ones: distributions, associations, survival, visits over time.

Belongs here: distances between tables, each beside its references. Does not belong here: prediction (``utility``) or
what an attacker learns (``attacks``).
"""
