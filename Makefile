# Needs only Python >= 3.11 and make. `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help up down test test-containers check static secrets lock upgrade audit bench install install-dev component

BIN := .venv/bin
# A process that can't keep its compiled modules takes 4 s of processor time to start instead of 1.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

up: install component ## start everything here, print the addresses, stop it all on Ctrl-C
	@set -a; [ ! -f .env ] || . ./.env; set +a; exec $(BIN)/tripdeck up

down: ## stop what `make up` started
	@if [ -x $(BIN)/tripdeck ]; then exec $(BIN)/tripdeck down; else echo "Nothing is installed here, so nothing runs."; fi

test: install-dev component ## lint, types, layers and every test, against servers it starts itself
	@$(BIN)/python infra/install_test_programs.py
	@# The processes of the tests would compile the same kernels side by side, and the first to wait for them would time out.
	@$(BIN)/python -m infra.compile_kernels & kernels=$$!; $(MAKE) --no-print-directory static && wait $$kernels
	@$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder --durations 30

check: install-dev static unit ## lint, types, layers, unit tests but the slow ones

unit: install-dev component ## unit tests but the slow ones
	@$(BIN)/python -m pytest -q -n logical --dist worksteal -m 'not slow' tests/unit

static:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "ruff format: run .venv/bin/ruff format ."; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m ui.components.build --lint

bench: install-dev ## measure the running local stack with generated files
	@$(BIN)/tripdeck bench scale

secrets: ## make random secrets for docker-compose.yml, in .secrets/
	@python=$$(sh infra/find-python.sh) && exec "$$python" infra/make_secrets.py

lock: ## lock the requirements again after a change in pyproject.toml
	@python=$$(sh infra/find-python.sh) && exec "$$python" infra/bootstrap.py lock

upgrade: ## lock the newest versions of everything
	@python=$$(sh infra/find-python.sh) && exec "$$python" infra/bootstrap.py lock --upgrade

audit: ## known vulnerabilities of the locked packages, and a bill of materials (tripdeck.cdx.json)
	@python=$$(sh infra/find-python.sh) && exec "$$python" infra/bootstrap.py audit

install:
	@python=$$(sh infra/find-python.sh) && exec "$$python" infra/bootstrap.py local

install-dev:
	@python=$$(sh infra/find-python.sh) && exec "$$python" infra/bootstrap.py dev

component: # after install or install-dev
	@$(BIN)/python -m ui.components.build

test-containers: install-dev component ## bring docker-compose.yml up for real, use it, hurt it, take it down; needs docker
	@$(BIN)/python -m tests.containers.rehearse $(REHEARSAL)
