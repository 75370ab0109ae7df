# Every target works on a fresh machine: it creates .venv and installs what it needs, once.
PYTHON ?= python3
CONFIG ?= config/debug.yaml
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("layerscope needs Python 3.10 or newer, this is " + sys.version.split()[0] + "; say: make PYTHON=python3.11 …" if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "on Debian and Ubuntu: apt install python3-venv"; exit 1; }

# One stamp per set of packages; a change of pyproject.toml installs again.
$(VENV)/installed-run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/installed-run

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/installed-test $(VENV)/installed-run

run: $(VENV)/installed-run  ## train, measure and plot one config: make run CONFIG=config/debug.yaml
	$(BIN)/python src/main.py --config $(CONFIG)

test: $(VENV)/installed-test  ## the test suite
	$(BIN)/python -m pytest

lint: $(VENV)/installed-dev  ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/installed-dev  ## rewrite the code in the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/installed-test  ## the tables of benchmarks/README.md
	$(BIN)/python benchmarks/bench.py

clean:  ## remove .venv and caches; logs/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
