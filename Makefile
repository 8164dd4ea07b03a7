# Every target does the set-up it needs first; python3 and make are all that must be there.
PYTHON ?= python3
VENV := .venv
CORES := $(shell python3 -c 'import os; print(os.cpu_count() or 1)')
# Tests wait more than they work: two for each core, but no more than memory holds.
WORKERS := $(shell python3 -c 'print(min(2 * $(CORES), 8))')
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=
# Processes that start in the tests by the hundred find our modules compiled.
unexport PYTHONDONTWRITEBYTECODE

# Where secrets are made up; everything else is scanned, and a line may say that it holds none.
MADE_UP := ^(tests|benchmarks|bot/demo)/

.PHONY: setup demo test fuzz lint secrets fix bench clean
.DEFAULT_GOAL := test

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY)
	$(BIN)/purser demo $(ARGS)

test: lint
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

# Every property with chance of its own and twenty times the examples: `make fuzz ARGS=tests/bot/slack`.
fuzz: $(READY)
	$(BIN)/pytest -n $(WORKERS) -m hypothesis --hypothesis-profile=fuzz --timeout=3600 $(ARGS)

lint: $(READY) secrets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright --threads $(CORES)

secrets: $(READY)
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --no-verify --exclude-files '$(MADE_UP)'

fix: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
