"""Synthesizers and the differential privacy they stand on.

Belongs here: mechanisms, accounting, generators. Does not belong here: judging what they made (``metrics``).
"""
