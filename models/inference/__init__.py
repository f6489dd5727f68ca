"""Valid inference from several synthetic tables.

Belongs here: estimates on one table, and the rules that pool them. Does not belong here: drawing the tables
(``models.posterior``), or judging a release (``metrics``).
"""
