"""Output checks: what may leave the secure processing environment.

Belongs here: rules of statistical disclosure control and the queue of outputs. Does not belong here: making tables, and
rows of patients: an output is a table of counts or sums.
"""
