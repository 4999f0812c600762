.DEFAULT_GOAL := setup
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test check test-elasticsearch clean

setup: $(VENV)/.ready ## set up .venv with everything

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vigie needs Python 3.11 or later: try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: setup ## real models, real engine, injected faults, caught mail, local board
	@exec $(BIN)/python -m scripts.demo $(if $(ONCE),--once)

check: setup ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check ## everything CI runs
	$(BIN)/python -m pytest

test-elasticsearch: setup ## the integration suite on a real Elasticsearch core
	$(BIN)/python -m tests.engines.elasticsearch_core pytest tests/integration

clean: ## remove what make and the demo made
	rm -rf build dist $(VENV)
