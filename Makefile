# rt_notebook: `make lab` opens the quickstart, `make test` runs every check.
#
#   make lab ARGS="--no-browser --port 9999"     arguments go on to JupyterLab
#   make lab PYTHON=python3.12                   another interpreter (3.11 or later)
#   make pytest ARGS="-k session -x"             arguments go on to pytest

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

PY  := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
NPM := npm --prefix js --no-audit --no-fund --no-update-notifier
STATIC := src/rt_notebook/widgets/static

export PIP_ROOT_USER_ACTION = ignore

.DEFAULT_GOAL := help
.PHONY: help lab test test-fast lint types imports js pytest pytest-fast pytest-contract \
        pytest-others pytest-browser format build-js wheel screenshots conformance nightly bench clean \
        node chromium

help:
	@echo "make lab          open JupyterLab on the quickstart (sets everything up; needs Python and make)"
	@echo "make test         run every check and test, in about ten minutes (needs Node too)"
	@echo "make test-fast    the same without the browser"
	@echo "make lint, types, imports, js, pytest      one of the checks alone"
	@echo "make format       let ruff and biome rewrite the sources"
	@echo "make build-js     build the front end into $(STATIC)"
	@echo "make wheel        build the wheel into dist/"
	@echo "make screenshots  take the pictures in docs/images again"
	@echo "make conformance  run the tests of the Realtime API and write docs/conformance.md"
	@echo "make nightly      look for new random cases, and talk for two hours"
	@echo "make bench        measure the time from the end of speech to the first reply audio"
	@echo "make clean        remove everything that these commands made"

# ---- environments: a stamp is older than what it depends on, or nothing is done ----------------

$(VENV)/.made: scripts/bootstrap.py
	@$(PYTHON) --version >/dev/null 2>&1 || { echo "'$(PYTHON)' is not there. Install Python 3.11 or later, or name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) scripts/bootstrap.py $(VENV)
	@touch $@

LAB_STAMP  := $(VENV)/.installed-lab
TEST_STAMP := $(VENV)/.installed-test

$(LAB_STAMP): $(VENV)/.made pyproject.toml constraints.txt
	@echo "== Installing rt_notebook, its speech components and JupyterLab (a minute or two, the first time)"
	@$(PIP) install --quiet -c constraints.txt -e ".[local,lab,cluster]"
	@$(VENV)/bin/rt-notebook setup
	@touch $@

$(TEST_STAMP): $(VENV)/.made pyproject.toml constraints.txt
	@echo "== Installing rt_notebook with everything that the tests need (two or three minutes, the first time)"
	@$(PIP) install --quiet -c constraints.txt -e ".[local,lab,azure,test]"
	@$(VENV)/bin/rt-notebook setup
	@touch $@ $(LAB_STAMP)

node:
	@command -v npm >/dev/null 2>&1 || { echo "Node.js is not there, and the front end is checked with it. Install Node 20 or later (on Debian: apt-get install nodejs npm)." >&2; exit 1; }

js/node_modules/.package-lock.json: js/package.json js/package-lock.json | node
	@echo "== Installing the front end's tools"
	@# The lock file's versions. Not `npm ci`: it insists on entries for every platform of every tool, which
	@# registries that mirror only some platforms cannot give.
	@$(NPM) install --no-save --loglevel=error
	@touch $@

chromium:
	@sh scripts/chromium.sh

# ---- commands -----------------------------------------------------------------------------------

lab: $(LAB_STAMP)
	@$(VENV)/bin/rt-notebook lab $(ARGS)

# Every check runs, also after one has failed; the exit code tells whether all passed. Pytest comes
# last, so that its summary closes the output.
CHECKS := lint types imports js pytest

test: $(TEST_STAMP) chromium
	@RT_NOTEBOOK_TEST_EVERYTHING=1 $(MAKE) --no-print-directory --keep-going $(CHECKS)

test-fast: $(TEST_STAMP)
	@$(MAKE) --no-print-directory --keep-going $(CHECKS:pytest=pytest-fast)

lint: $(TEST_STAMP)
	@echo "== ruff"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(TEST_STAMP)
	@echo "== mypy"
	@$(PY) -m mypy

imports: $(TEST_STAMP)
	@echo "== import layers"
	@$(VENV)/bin/lint-imports

js: js/node_modules/.package-lock.json
	@echo "== front end: types, lint, tests"
	@$(NPM) --silent run check
	@$(NPM) --silent test
	@echo "== front end: is the committed build the build of these sources?"
	@rm -rf js/.committed && cp -R $(STATIC) js/.committed
	@$(NPM) --silent run build
	@diff -qr js/.committed $(STATIC) || { rm -rf js/.committed; echo "The built front end is not the one that was committed. It has just been built again: commit $(STATIC)." >&2; exit 1; }
	@rm -rf js/.committed

# What is promised to others waits half of its time for somebody to finish speaking, so the rest runs beside it. A
# browser that hears and speaks wants the machine for itself.
ifdef ARGS
pytest pytest-fast: $(TEST_STAMP)
	@echo "== pytest $(ARGS)"
	@$(PY) -m pytest $(ARGS)
else
pytest: pytest-fast pytest-browser

pytest-fast: $(TEST_STAMP)
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target pytest-contract pytest-others
endif

pytest-contract pytest-others pytest-browser: $(TEST_STAMP)
	@echo "== $@"
	@$(PY) -m pytest $($@)

pytest-contract := tests/contract
pytest-others := --ignore=tests/contract --ignore=tests/browser
pytest-browser := tests/browser

format: $(TEST_STAMP) js/node_modules/.package-lock.json
	@$(PY) -m ruff check --fix-only .
	@$(PY) -m ruff format .
	@cd js && npx --no-install biome check --write .

build-js: js/node_modules/.package-lock.json
	@$(NPM) --silent run build

wheel: $(VENV)/.made
	@$(PIP) wheel --quiet --no-deps --wheel-dir dist .
	@ls -l dist

screenshots: $(TEST_STAMP) chromium
	@$(PY) scripts/screenshots.py $(ARGS)

conformance: $(TEST_STAMP)
	@$(PY) -m pytest -q -m conformance --conformance docs/conformance.md $(ARGS)

nightly: $(TEST_STAMP)
	@HYPOTHESIS_PROFILE=nightly $(PY) -m pytest tests/property tests/contract/test_endurance.py $(ARGS)

bench: $(TEST_STAMP)
	@$(PY) bench/first_audio.py $(ARGS)

clean:
	rm -rf $(VENV) .kernels dist build js/node_modules js/.committed .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
