# Needs Python 3.11 or newer, git and make; everything else is installed into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin

# An editable install knows the files it was made of, so it is made anew when one was added or removed.
FILES := $(shell { git ls-files -co --exclude-standard -- '*.py' '*.pyi' '*.j2' '*.css' 'pyproject.toml' 2>/dev/null | sort; cat pyproject.toml; } | cksum | tr ' ' '-')
INSTALLED := $(VENV)/installed-$(FILES)

.PHONY: help install demo test soak lint types bench docs clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "keyresults needs Python 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(INSTALLED): $(VENV)/bin/python
	@echo "Installing keyresults into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --editable . > $(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }
	@rm -f $(VENV)/installed-* && touch $@

$(VENV)/tools-$(FILES): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --group test --group lint > $(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }
	@rm -f $(VENV)/tools-* && touch $@

install: $(INSTALLED) ## the command, in .venv/bin/keyresults

demo: $(INSTALLED) ## a quarter of a made-up team, from facts to report (no token, no network)
	@$(BIN)/python examples/demo/play.py

test: $(VENV)/tools-$(FILES) ## the tests (under five minutes, no root)
	$(BIN)/pytest -n 3 --dist loadfile

soak: $(VENV)/tools-$(FILES) ## the long runs (SOAK=short for a taste, as in CI)
	$(BIN)/pytest -m soak --soak=$(or $(SOAK),whole) -n 2 --dist loadfile

lint: $(VENV)/tools-$(FILES) ## style and likely mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/tools-$(FILES) ## mypy (strict) and pyright
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/tools-$(FILES) ## speed and memory, as ratios against a stated rival
	@for f in bench/*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

docs: $(INSTALLED) ## write the generated pages anew
	$(BIN)/python docs/generate.py

clean: ## remove what make made
	rm -rf $(VENV) build demo .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
