"""Figures, drawn from report JSON and never from rows.

Belongs here: one module per kind of figure. Does not belong here: the page around them (``reporting``).
"""
