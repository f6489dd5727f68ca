"""Thin Dagster assets: load, call one pure function, attach metadata.

Belongs here: what Dagster and MLflow need to know. Does not belong here: science, schedules, wiring.
"""
