# Every target works on a fresh machine: it creates .venv and installs what it needs, once.
PYTHON ?= python3
CONFIG ?= config/debug.yaml
GROUP ?= exp02_small
WORKERS ?= auto
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run reproduce test test-fast test-slurm lint format bench gallery cluster cluster-status cluster-down clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

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

reproduce: $(VENV)/installed-run  ## a group of matrix/imbalance: make reproduce GROUP=exp02_small WORKERS=2
	$(BIN)/python src/main.py --config matrix/imbalance/$(GROUP).yaml --matrix --workers $(WORKERS) --no-plot
	$(BIN)/python matrix/imbalance/report.py $(GROUP)

# The tests on a real Slurm come last and two files at a time: their jobs are what keeps the cores busy.
test: $(VENV)/installed-test  ## the test suite; its part on a real Slurm is skipped where none is installed
	$(BIN)/python -m pytest --ignore=tests/slurm
	$(BIN)/python -m pytest -n 2 -rs tests/slurm

test-fast: $(VENV)/installed-test  ## what to run between two edits: without real Slurm and without tests that end processes
	$(BIN)/python -m pytest --ignore=tests/slurm -m 'not slow'

test-slurm: $(VENV)/installed-test  ## only the tests on a real Slurm, which must be installed
	LAYERSCOPE_REQUIRE_SLURM=1 $(BIN)/python -m pytest -n 2 tests/slurm

cluster:  ## a Slurm of one node on this machine, to try things out: make cluster CLUSTER=--accounting
	@$(PYTHON) slurm/testcluster/cluster.py up $(CLUSTER)

cluster-status:  ## what it does
	@$(PYTHON) slurm/testcluster/cluster.py status

cluster-down:  ## stop it and its jobs
	@$(PYTHON) slurm/testcluster/cluster.py down

lint: $(VENV)/installed-dev  ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/installed-dev  ## rewrite the code in the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/installed-test  ## the tables of benchmarks/README.md
	$(BIN)/python benchmarks/bench.py

gallery: $(VENV)/installed-run  ## docs/gallery.md: every figure, from runs that it makes itself (minutes)
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python docs/gallery.py

clean:  ## remove .venv and caches; logs/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
