"""Checks of data quality in the manner of OHDSI's DataQualityDashboard, on OMOP tables and on cohorts as they are.

Belongs here: check types, their rules and thresholds, results and how they are shown. Does not belong here: mending data,
or deciding on a release (``metrics.gate``).
"""
