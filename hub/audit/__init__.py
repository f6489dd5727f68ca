"""Who did what and when, so that nobody can change it unseen.

Belongs here: the append-only log, its signed heads and their verification. Does not belong here: what is logged where.
"""
