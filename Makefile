# Two commands: `make demo` and `make test`. Each sets up whatever it needs first, in ./.venv.
# PYTHON=/path/to/python3 chooses the Python; PYTEST='-k name' is passed on to pytest. Two test files
# run side by side, for many tests wait for processes; PYTEST='-n 0' runs one after the other.
# MUTATE='--only oms/risk --sample 0' is passed on to make mutate; MUTATE=--help tells the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test simulate mutate check format lock clean

BIN := .venv/bin
MUTATION := .cache/mutation/lib
PACKAGES = $(wildcard oms ems fix_sessions migrations)

help:
	@echo "make demo    set up, then run the main job end to end and check it"
	@echo "make test    set up, then run every test"
	@echo "make simulate  set up, then seeded days with faults, all checked; part of make test"
	@echo "make mutate  set up, then wrong versions of the deciding code that tests must notice; an hour"
	@echo "make check   set up, then lint, types, imports and the rules of tests/architecture"
	@echo "make setup   only set up: .venv, locked packages, QuickFIX compiled"
	@echo "make format  let ruff rewrite what it can"
	@echo "make lock    choose new versions for requirements.lock"
	@echo "make clean   remove .venv and the caches in this checkout"

setup:
	@python=$$(setup/find-python) && "$$python" -B setup/bootstrap.py

demo: setup
	@$(BIN)/oms demo

test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST)

simulate: setup
	@$(BIN)/oms simulate --seeds 200 --jobs 2

mutate: setup
	@test -d $(MUTATION)/coverage || $(BIN)/python -m pip install -qq --target $(MUTATION) 'coverage>=7.6'
	@PYTHONPATH=$(MUTATION) nice -n 10 $(BIN)/python -m tests.mutation $(MUTATE)

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(PACKAGES) setup
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: setup
	@$(BIN)/python -B setup/lock.py

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
