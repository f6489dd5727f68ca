.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
export PHASEIV_HOME ?= $(CURDIR)/.phaseiv
export DAGSTER_HOME ?= $(PHASEIV_HOME)/dagster
export DAGSTER_DISABLE_TELEMETRY := yes
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
BIN := .venv/bin
OTHER_EPSILON := {"ops": {"stroke__synthetic": {"config": {"epsilon": 6}}}}
# A file's tests share what is slow to make, so each file stays in one process; the order is that of tests/conftest.py.
# All tests: two processes of one thread per core, since half of the time is spent waiting for servers and whole runs.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SPREAD := --maxprocesses 8 --dist loadfile --no-loadscope-reorder
ONE_THREAD := OMP_NUM_THREADS=1

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: .venv/ready ## run the three use cases on their bundled cohorts and write the reports
	@# The gate refuses a noisy draw now and then by chance; another epsilon is another question.
	$(BIN)/phaseiv run all || $(BIN)/phaseiv run all --epsilon 6

demo-mpc: .venv/ready ## three hospitals as parties with TLS: statistics, models and a synthetic table from data they keep
	$(BIN)/phaseiv party demo stroke

test: .venv/ready ## run all tests
	$(ONE_THREAD) $(BIN)/python -m pytest -n $$((2 * $(CORES))) $(SPREAD)

fast: .venv/ready ## run the fast tests only (about 3 minutes)
	@# They wait for nothing, so a process for each core will do.
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(CORES) $(SPREAD) -m "not slow"

launch: .venv/ready ## run one use case through the Dagster command line
	$(BIN)/phaseiv init > /dev/null
	@# Another epsilon for the same reason.
	$(BIN)/dg launch --job stroke || $(BIN)/dg launch --job stroke --config-json '$(OTHER_EPSILON)'

check: .venv/ready ## lint, types, layers and definitions
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/dg check defs

up: .venv/ready ## start Dagster, MLflow and the hub with demonstration accounts; Ctrl-C stops all
	PHASEIV_HUB_DEMO=true $(BIN)/phaseiv up

bench-synthesis: .venv/ready ## run our synthesizers beside their peers (hours; resumes)
	$(BIN)/python -m benchmarks.synthesis --seeds 5 --epsilon 1 5

bench-inference: .venv/ready ## how often pooled p-values and intervals are right (hours; resumes)
	$(BIN)/python -m benchmarks.inference --repetitions 500

clean: ## remove what runs have written (reports, releases, ledger, keys)
	rm -rf .phaseiv

.PHONY: help demo demo-mpc test fast launch check up bench-synthesis bench-inference clean
