"""Hospitals compute together and nobody sees another's data: secret sharing between parties, jobs and protocols.

Belongs here: the multi-party computation and the service of a party. Does not belong here: what a synthesizer does with
noisy marginals (``models``), or Dagster (``assets``).
"""
