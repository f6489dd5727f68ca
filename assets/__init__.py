"""Thin Dagster assets: load, call one pure function, attach metadata.

Belongs here: what Dagster and MLflow need to know. Does not belong here: science, schedules, wiring.
"""

import warnings

import dagster as dg

# Used knowingly: single-run backfills materialise all hospitals in one run.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
