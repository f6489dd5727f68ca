"""Evaluation of synthetic patients: fidelity, utility, privacy attacks, the gate's verdict, plots and the HTML report.

Belongs here: pure functions from (real, synthetic) tables to aggregates, and from aggregates to verdicts and pages.
Does not belong here: generating data (``models``), storing or tracking results (``assets``), or anything that keeps
a row of a patient: every result is an aggregate.
"""
