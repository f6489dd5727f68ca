"""Thin Dagster assets: load, call one pure function, attach metadata.

Belongs here: what Dagster and MLflow need to know. Does not belong here: science, schedules, wiring.
"""

import warnings

# Used knowingly: single-run backfills materialise all hospitals in one run. By its words, not its class: commands that
# need no Dagster import this package too, and importing Dagster takes seconds.
warnings.filterwarnings("ignore", message=".* is currently in beta, and may have breaking changes")
