# Two commands on a machine with Python 3.11 and make: `make demo` and `make test`. Each builds what it needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo airflow edge test test-slow lint lock docs clean clean-all

PYTHON := .venv/bin/python
export TORCH_BACKEND ?=
export PYTHONNOUSERSITE := 1
# These programs write to the home directory at import unless they are told a folder.
export AIRFLOW_HOME ?= $(CURDIR)/var/airflow
export MLFLOW_DISABLE_TELEMETRY ?= true
export MPLCONFIGDIR ?= $(CURDIR)/.tools/matplotlib

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: ## build .venv (implied by all others; skipped when nothing changed; TORCH_BACKEND=cpu for the small torch)
	@sh devstack/bootstrap.sh

demo: setup ## a log, the daily pipeline and slates; LOG=DIR FORMAT=kuairand|livestream|watch_event|mapped MAPPING=FILE
	@$(PYTHON) -m devstack demo $(if $(LOG),--log "$(LOG)") $(if $(FORMAT),--format "$(FORMAT)") $(if $(MAPPING),--mapping "$(MAPPING)")

airflow: setup ## Airflow with its web UI on the same DAGs, until Ctrl-C
	@$(PYTHON) -m devstack airflow

edge: setup ## the HTTP edge and its page on the demo's lists, with the consumers of events, until Ctrl-C
	@test -f demo/settings.env || { echo "first: make demo" >&2; exit 2; }
	@set -a; . demo/settings.env; $(PYTHON) -m devstack edge

test: lint ## linters, types, import rule and the fast tests
	@$(PYTHON) -m pytest -q -m "not slow"

test-slow: setup ## kills, real servers, a real scheduler and a fresh clone
	@$(PYTHON) -m pytest -q -m slow

lint: setup ## ruff, mypy, import-linter
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/lint-imports --no-cache >.tools/lint-imports.log || { cat .tools/lint-imports.log; exit 1; }

lock: setup ## pin every dependency anew in constraints.txt, keeping what still fits
	@.tools/uv/bin/uv pip compile --quiet pyproject.toml --extra dev --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links -o constraints.txt

docs: setup ## docs/contracts.md anew from the contracts
	@$(PYTHON) -m contracts docs

clean: ## remove what runs wrote (demo/, var/, caches)
	rm -rf demo var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -not -path './.tools/*' -prune -exec rm -rf {} +

clean-all: clean ## remove .venv and the tools, too
	rm -rf .venv .tools
