# Everything that one does with a checkout, each a word. `make` alone lists them.
# Nothing here needs more than GNU make, git and a Python 3.11 or newer; everything installs into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

SHOP ?= demo-shop
VENV := .venv
BIN := $(VENV)/bin
# The lock holds for whatever is installed, so that a checkout behaves the same a year from now.
INSTALL := $(BIN)/pip install --disable-pip-version-check -c requirements.lock

# Stamps: each install runs again only when what it was made from has changed.
RUN := $(VENV)/.installed-run
ALL := $(VENV)/.installed-all
BENCH := $(VENV)/.installed-bench
PHOTOS ?= ../shared/data/photos

.PHONY: help
help: ## list what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  \033[1mmake %-13s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUN) ## build a shop from the sample catalogue and open it (SHOP=demo-shop)
	$(BIN)/modiste demo --shop $(SHOP)

.PHONY: setup
setup: $(ALL) ## make .venv and install everything that work on Modiste needs
	@echo "Ready: $(BIN)/modiste --help, or 'source $(BIN)/activate' and then modiste --help."

.PHONY: test
test: $(ALL) ## run the tests, from a bare checkout too
	$(BIN)/python -m pytest

.PHONY: check
check: docs $(ALL) ## lint, format, types, the documentation and its own tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m pytest tests/test_layers.py tests/test_docs.py tests/test_public_names.py

.PHONY: check-all
check-all: check ## check, then every test: slow, on real photos, in a browser, with faults
	scripts/ensure_chromium.sh
	$(BIN)/python -m pytest -m ''

.PHONY: bench
bench: $(BENCH) ## all comparisons of speed, side by side with peers, as ratios into build/bench.json
	$(BIN)/python benchmarks/speed
	scripts/ensure_chromium.sh
	@for program in benchmarks/*.py; do echo "== $$program"; $(BIN)/python "$$program"; done

.PHONY: bench-quick
bench-quick: $(BENCH) ## the same ratios of speed from less, in some 5 minutes
	$(BIN)/python benchmarks/speed --quick

.PHONY: bench-quality
bench-quality: $(BENCH) ## our codes beside what a shop could use instead, on unseen photos; hours, resumes (PHOTOS=DIR)
	$(BIN)/python benchmarks/quality "$(PHOTOS)" --out .cache/quality.json

.PHONY: screenshots
screenshots: $(ALL) ## take the pictures of the studio that README and docs show (SHOP=demo-shop)
	scripts/ensure_chromium.sh
	$(BIN)/modiste demo --shop $(SHOP) --no-serve --json > /dev/null
	$(BIN)/python scripts/screenshots.py --shop $(SHOP)

.PHONY: docs
docs: $(ALL) ## build the documentation into site/
	$(BIN)/zensical build --clean --strict

.PHONY: reference
reference: $(ALL) ## write docs/reference from the program itself
	$(BIN)/python scripts/generate_reference.py

.PHONY: lock
lock: ## write requirements.lock anew, from a clean environment
	scripts/lock.sh "$$(scripts/find_python.sh)"

.PHONY: clean
clean: ## remove all that was made, .venv too; leaves shops other than the demo's alone
	rm -rf $(VENV) site dist build .pytest_cache .ruff_cache .hypothesis .cache demo-shop demo-report.html
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	"$$(scripts/find_python.sh)" -m venv --clear $(VENV)

$(RUN): pyproject.toml requirements.lock | $(BIN)/python
	$(INSTALL) -e '.[train]'
	@touch $@

# After the smaller one, so that `make -j demo test` never has two installs in one environment.
$(ALL): $(RUN)
	$(INSTALL) -e '.[train,dev,hub,graph]'
	@touch $@

# What only the benchmarks need: what we are compared with.
$(BENCH): $(ALL)
	$(INSTALL) -e '.[train,dev,hub,graph,bench]'
	@touch $@
