# make repro   everything from a fresh clone: environment, graph, where the report is
# make test    the same environment with the test extras, then the whole test suite
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install install-dev check repro test exhaustive lint benchmarks clean

help:
	@sed -n 's/^# make /make /p' Makefile

# the stamp names the interpreter and the pins it was made from, so that a change of either installs anew
.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,ray]'
	touch $@

install: .venv/installed

install-dev: .venv/installed-dev

check: install
	huebench check

repro: check
	dvc repro
	@echo
	@echo "The report: file://$(CURDIR)/reports/index.html"

lint: install-dev
	ruff check .
	ruff format --check .
	mypy

test: lint
	pytest

exhaustive: install-dev
	pytest -m exhaustive

benchmarks: install-dev
	for one in benchmarks/[a-z]*.py; do echo "== $$one"; python $$one || exit 1; done

clean:
	rm -rf .venv .cache data reports
	@echo "Kept: by_hand/ (imported results, sweeps) and .dvc/cache, from which dvc checkout brings the rest back"
	@echo "rm -rf .dvc/cache frees its space; after that, only a remote or dvc repro does"
