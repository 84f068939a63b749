# `make` alone lists the targets. Set-up happens once: the stamps below remember it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/core.stamp
DEV := $(VENV)/dev.stamp
HEART := $(VENV)/heart.stamp

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(CORE): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(CORE) $@

# What the heart of the suite needs: far less than the development tools, and quickly there.
$(HEART): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $(CORE) $@

backtest: $(CORE) ## set up, run the rotation on the built-in sample market, write the tearsheet
	$(BIN)/reverse-qe backtest

test: $(DEV) ## set up, run the test suite
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not slow"

test-slow: $(DEV) ## the checks that take more than a few seconds each
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m slow

test-long: $(DEV) ## fuzzing with tens of thousands of inputs, then small changes of the core; it takes hours
	REVERSE_QE_SCHEDULES=300 $(BIN)/python -m pytest tests/paper/test_late_schedules.py
	REVERSE_QE_PAIRS=200 $(BIN)/python -m pytest tests/paper/test_explain.py -k pairs
	REVERSE_QE_FUZZ_INPUTS=22000 REVERSE_QE_FUZZ_ANSWERS=1000 $(BIN)/python -m pytest tests/fuzz
	$(BIN)/python tests/mutation/run.py

core: $(HEART) ## main job and heart of the suite; another Python: make core PYTHON=python3.13 VENV=.venv-3.13
	folder=$$(mktemp -d) && $(BIN)/reverse-qe backtest --out $$folder/run && rm -r $$folder
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not slow and not real_history" @tests/core.txt

lint: $(DEV) ## format check, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV) ## format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(DEV) ## write the pages that are made from the code, then build the site
	$(BIN)/python docs/write_schemas.py
	$(BIN)/python docs/write_command_reference.py
	$(BIN)/python docs/write_spec_keys.py
	$(BIN)/python docs/write_api.py
	$(BIN)/python docs/write_first_minutes.py
	$(BIN)/python docs/write_one_day.py
	$(BIN)/python docs/write_notebook.py
	$(BIN)/python docs/write_capex_check.py
	$(MAKE) site

site: $(DEV) ## build the documentation site into build/site, its gallery with it; it is read without a network
	$(BIN)/python docs/write_gallery.py
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/site

goldens: $(DEV) ## write the golden files of the tables anew; read what changed
	WRITE_GOLDEN=1 $(BIN)/python -m pytest -q tests/reverse_qe/test_golden_tables.py

clean: ## delete what the targets made: .venv, caches, build folders (not runs/)
	rm -rf $(VENV) .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help backtest test test-slow test-long core lint format docs site goldens clean
