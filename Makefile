# Gyakusan: `make run` starts the app, `make test` checks everything, `make bench` times it.
# Needs Python 3.11 or newer; everything else goes into .venv.

SHELL := /bin/sh
PORT ?= 8501
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: run test check test-long bench words lock clean

run: .venv/app
	@echo "Gyakusan: http://localhost:$(PORT), or http://127.0.0.1:$(PORT) where the first does not open"
	@$(BIN)/streamlit run app.py --server.port $(PORT)

test: .venv/dev .venv/browser .venv/postgres check

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m workbench.words_catalogue --check
	$(BIN)/pytest -n 2 --dist worksteal -m "not long"

test-long: .venv/dev .venv/browser .venv/postgres   # the counts in full: plans, saves, kills, power cuts; new random examples
	$(BIN)/pytest -n 2 --dist worksteal -m long

bench: .venv/dev .venv/browser
	$(BIN)/python -m tests.bench

words: .venv/dev            # put new sentences of the code into workbench/locales/ja.po
	$(BIN)/python -m workbench.words_catalogue

lock:                       # renew the locked requirements after changing a .in file
	$(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install --quiet uv
	for name in requirements requirements-dev; do .venv/lock/bin/uv pip compile --quiet --universal \
		--generate-hashes --python-version 3.11 --no-emit-index-url --no-header $$name.in -o $$name.txt; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Each file below is empty; its time says when that step was last done.
.venv/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: https://www.python.org/downloads/"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/app: requirements.txt | .venv/python
	$(INSTALL) -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/app
	$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $@

.venv/browser: tests/find_browser.sh .venv/dev
	sh tests/find_browser.sh $(BIN)
	@touch $@

.venv/postgres: tests/find_postgres.sh .venv/dev
	sh tests/find_postgres.sh
	@touch $@
