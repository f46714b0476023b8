# The tasks of the project. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
STAMP_RUN := $(VENV)/.stamp-run

export CLIENTELA_DATA ?= ../shared/data
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# An interpreter asked for by name rebuilds an environment made with another;
# without one the environment is kept as it is.
ifneq ($(origin PYTHON),file)
WANTED := $(shell $(PYTHON) -c 'import sys; print(sys.version_info[:2])')
FOUND := $(shell $(BIN)/python -c 'import sys; print(sys.version_info[:2])' 2>/dev/null)
ifneq ($(WANTED),$(FOUND))
REBUILD := rebuild-environment
endif
endif

.DEFAULT_GOAL := help
.PHONY: help setup run test acceptance proofs soak bench check protos build clean rebuild-environment

help: ## List the targets.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make the environment: the package, all extras, the development tools.

# The package is installed as a path, so only a change of pyproject.toml
# calls for another run.
$(STAMP): pyproject.toml $(REBUILD)
	$(PYTHON) -m venv $(if $(REBUILD),--clear) $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[all]' --group dev
	@touch $(STAMP) $(STAMP_RUN)

$(STAMP_RUN): pyproject.toml $(REBUILD)
	$(PYTHON) -m venv $(if $(REBUILD),--clear) $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[all]'
	@touch $(STAMP_RUN)

# A complete environment serves as well as a lean one.
run: $(if $(wildcard $(STAMP)),$(STAMP),$(STAMP_RUN)) ## Start a server with the embedded store and bus.
	$(BIN)/clientela serve

# Tests of a folder stay together, where they share servers; who is done early takes from others.
test: $(STAMP) ## Run the tests, all but the acceptance tests and the proofs.
	$(BIN)/python -m pytest -n auto --dist worksteal tests --ignore=tests/acceptance --ignore=tests/proofs $(ARGS)

# Files that hold no test still fail; only a folder without files passes, aloud.
acceptance: $(STAMP) ## Run the acceptance tests over the data in CLIENTELA_DATA.
	@if [ -n "$$(find tests/acceptance -name 'test_*.py' 2>/dev/null)" ]; \
	then set -x; $(BIN)/python -m pytest -n auto --dist loadfile tests/acceptance $(ARGS); \
	else echo "tests/acceptance holds no tests yet: nothing ran."; fi

proofs: $(STAMP) ## Run the checks of faults and races in their full size: half an hour.
	$(BIN)/python -m pytest -n auto tests/proofs $(ARGS)

soak: $(STAMP) ## Let faults go on for hours: kills, races, malformed requests, lives, brokers.
	CLIENTELA_KILLS=1000 CLIENTELA_KILLS_APART=100 CLIENTELA_RACE_ROUNDS=500 \
	CLIENTELA_MALFORMED_EACH=2000 CLIENTELA_SEQUENCES=100000 CLIENTELA_STREAM_EVENTS=100000 \
	$(BIN)/python -m pytest --timeout 36000 tests/faults tests/system tests/domain/loyalty/test_invariants.py \
	tests/adapters/jetstream $(ARGS)

bench: $(STAMP) ## Measure the speed beside the bare limits; ARGS=--quick for a look.
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m benchmarks $(ARGS)

check: $(STAMP) ## Lint, check types, contracts, protos and stubs.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python protos/generate.py --check
	$(BIN)/python docs/generate.py --check
	@if [ -n "$$(find protos -name '*.proto')" ]; \
	then set -x; $(BIN)/buf lint; \
	else echo "There are no protos yet: nothing to lint."; fi
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

protos: $(STAMP) ## Generate the stubs from the protos.
	$(BIN)/python protos/generate.py

build: $(STAMP) ## Build the sdist, and the wheel from it, into dist/.
	$(BIN)/python -m build --outdir dist

clean: ## Remove what the other targets made, except the environment.
	rm -rf build dist third_party .coverage .coverage.* htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
